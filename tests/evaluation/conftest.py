"""Embeddings that give a chosen ranking, and results made up: as objects, and as the folders that an evaluation writes."""

import dataclasses

import numpy as np
import pytest

from landmark_zoo.evaluation.protocol_card import ProtocolCard
from landmark_zoo.evaluation.results import Measure, RankedImage, Results
from landmark_zoo.retrieval.embedding_set import EmbeddingSet
from tests.data.download.conftest import serve  # noqa: F401


@pytest.fixture
def planted():
    """A function from scores to embeddings whose dot products are these scores.

    Query q is the q-th axis; each index image has its scores on the first axes and on one more what makes its length 1.
    """
    def plant(query_ids, index_ids, scores: np.ndarray, **provenance) -> tuple[EmbeddingSet, EmbeddingSet]:
        scores = np.asarray(scores, np.float64)
        scores = scores / (1.01 * max(1.0, np.linalg.norm(scores, axis=0).max()))
        rest = np.sqrt(1 - np.square(scores).sum(axis=0))
        index = np.concatenate([scores.T, rest[:, np.newaxis]], axis=1).astype(np.float32)
        queries = np.eye(len(query_ids), len(query_ids) + 1, dtype=np.float32)
        return (EmbeddingSet(list(query_ids), queries, "f" * 64, provenance),
                EmbeddingSet(list(index_ids), index, "f" * 64, provenance))
    return plant


@pytest.fixture
def make_result():
    """A function from average precisions by query to `Results`; each query has a right, a wrong and a junk answer."""
    def make(name="trained", scores=None, metrics=None, positives=(), ranking=None, **card):
        scores = {"q0": 0.25, "q1": 0.5, "q2": 0.75} if scores is None else scores
        mean = sum(scores.values()) / max(len(scores), 1)
        facts = {"benchmark": "toy", "protocol": "gldv2_retrieval", "queries_used": len(scores), "queries_ignored": 1,
                 "side": 224, "model_name": name, **card}
        made = {query: [RankedImage(f"{query}-right", 1, 0.9, "positive"), RankedImage("wrong", 2, 0.8, "negative"),
                        RankedImage("junk", 3, 0.7, "junk")] for query in scores}
        return Results(
            name, ProtocolCard.from_dict(facts, complete=False),
            metrics or {"mAP@100": Measure(mean, mean - 0.1, mean + 0.1), "P@1": Measure(0.875, 0.8, 0.9)},
            [{"query_id": query, "average_precision": score, "positives": dict(positives).get(query, 2)}
             for query, score in scores.items()],
            made if ranking is None else ranking)
    return make


@pytest.fixture
def result_folder(tmp_path):
    """A function that writes a folder of results as an evaluation does and returns it."""
    def write(name="trained", folder=None, score=0.5, queries=("q0", "q1", "q2"), **card):
        figures = {"mAP@100": score, "P@1": 0.625, "P@10": 0.375, "mAP@100/Private": 0.123}
        facts = {field.name: "as always" for field in dataclasses.fields(ProtocolCard)}
        facts |= {"benchmark": "toy", "protocol": "gldv2_retrieval", "queries_used": 3, "queries_ignored": 1,
                  "side": 224, "scales": [1.0], "versions": {"numpy": "1.26.4"}, "model_fingerprint": "ab" * 32, **card}
        relevances = ["positive", "negative"] * 6
        Results(name, ProtocolCard(**facts),
                {key: Measure(value, value - 0.1, value + 0.1, 3) for key, value in figures.items()},
                [{"query_id": query, "average_precision": score + 0.125 * (place - 1), "positives": 2}
                 for place, query in enumerate(queries)] + [{"query_id": "none", "average_precision": float("nan"),
                                                             "positives": 0}],
                {query: [RankedImage(f"i{rank}", rank, 1 / rank, relevance) for rank, relevance in enumerate(relevances, 1)]
                 for query in queries}).write(tmp_path / (folder or name), {})
        return tmp_path / (folder or name)
    return write
