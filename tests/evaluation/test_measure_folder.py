"""Each photograph against all others."""

from pathlib import Path

import numpy as np
import pytest

from landmark_zoo.evaluation.embedded_answers import embedded_answers
from landmark_zoo.evaluation.folder_benchmark import FolderBenchmark
from landmark_zoo.evaluation.measure import measure
from landmark_zoo.retrieval.embedding_set import EmbeddingSet

LANDMARKS = {"a": "tower", "b": "tower", "c": "bridge", "d": "bridge", "e": "gate", "f": "tower"}
TOY = FolderBenchmark("toy", dict.fromkeys(LANDMARKS, Path()), LANDMARKS, "1234")


def test_equals_a_naive_loop():
    vectors = np.random.default_rng(0).normal(size=[6, 4]).astype(np.float32)
    embeddings = EmbeddingSet(list(LANDMARKS), vectors / np.linalg.norm(vectors, axis=1, keepdims=True), "f")
    results = measure(TOY, embedded_answers(TOY, embeddings, embeddings), "m")
    scores = embeddings.vectors @ embeddings.vectors.T
    expected = {}
    for row, query in enumerate("abcdef"):
        others = [image for image in np.argsort(-scores[row], kind="stable") if image != row]
        relevant = [LANDMARKS["abcdef"[image]] == LANDMARKS[query] for image in others]
        found = [sum(relevant[:place + 1]) / (place + 1) for place, right in enumerate(relevant) if right]
        if found:
            expected[query] = np.mean(found)
    assert {row["query_id"]: row["average_precision"] for row in results.per_query} == pytest.approx(expected)
    assert (results.card.queries_used, results.card.queries_ignored, results.card.protocol) == (5, 1, "folder")
    assert results.ranking[0][2:] == ("a", pytest.approx(1.0), "junk")
    assert {row[4] for row in results.ranking} == {"junk", "positive", "negative"}
