"""Results made up for the pages: as objects, and as the folders that an evaluation writes."""

import dataclasses
import json

import numpy as np
import pytest
from PIL import Image

from landmark_zoo.core.errors import UserError
from landmark_zoo.data.label_map import LabelMap
from landmark_zoo.data.manifest import Manifest, Shard
from landmark_zoo.evaluation.protocol_card import ProtocolCard
from landmark_zoo.evaluation.results import Results
from landmark_zoo.report.result import Answer, Measure, Result
from landmark_zoo.report.training_run import TrainingRun


@pytest.fixture
def make_result():
    """A function from average precisions by query to a `Result`; each query has a right, a wrong and a junk answer."""
    def make(name="trained", scores=None, **fields):
        scores = {"q0": 0.25, "q1": 0.5, "q2": 0.75} if scores is None else scores
        answers = {query: [Answer(f"{query}-right", 1, 0.9, "positive"), Answer("wrong", 2, 0.8, "negative"),
                           Answer("junk", 3, 0.7, "junk")] for query in scores}
        mean = sum(scores.values()) / len(scores)
        defaults = {"benchmark": "toy", "protocol": "gldv2_retrieval",
                    "queries_used": len(scores), "queries_ignored": 1,
                    "metrics": {"mAP@100": Measure(mean, mean - 0.1, mean + 0.1), "P@1": Measure(0.875, 0.8, 0.9)},
                    "card": {"side": 224, "model_name": name}, "average_precision": scores,
                    "positives": dict.fromkeys(scores, 2), "answers": answers}
        return Result(name, **{**defaults, **fields})
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
                {key: {"value": value, "low": value - 0.1, "high": value + 0.1, "queries": 3}
                 for key, value in figures.items()},
                [{"query_id": query, "average_precision": score + 0.125 * (place - 1), "positives": 2}
                 for place, query in enumerate(queries)] + [{"query_id": "none", "average_precision": float("nan"),
                                                             "positives": 0}],
                [(query, rank, f"i{rank}", 1 / rank, relevance) for query in queries
                 for rank, relevance in enumerate(relevances, start=1)],
                ).write(tmp_path / (folder or name), {})
        return tmp_path / (folder or name)
    return write


@pytest.fixture
def run():
    """A training run of 200 logged steps."""
    lines = [{"step": step, "epoch": step // 1000, "loss": 10 / step, "accuracy": step / 4000, "learning_rate": 1e-3,
              "images_per_second": 50.0} for step in range(10, 2001, 10)]
    checks = [{"step": step, "epoch": step // 1000, "validation_loss": 1.5, "validation_accuracy": 0.4125}
              for step in (1000, 2000)]
    return TrainingRun({"model": "resnet50_se", "parameters": 1_234_567, "embedding_dim": 512}, {"batch_size": 32},
                       lines, checks)


@pytest.fixture
def workdir(tmp_path, run):
    """The folder of that run."""
    folder = tmp_path / "workdir"
    folder.mkdir()
    lines = [json.dumps(line) + "\n" for line in (*run.training, *run.validation)]
    (folder / "history.jsonl").write_text("".join(lines))
    (folder / "model.json").write_text(json.dumps({"config": {"model": "resnet50_se", "embedding_dim": 512},
                                                   "parameters": 1_234_567}))
    (folder / "flags.json").write_text(json.dumps({"batch_size": 32, "alpha": None}))
    return folder


@pytest.fixture
def make_manifest(tmp_path):
    """A function from photographs by landmark to the manifest of their records, saved in records/train."""
    def make(counts):
        folder = tmp_path / "records" / "train"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "shard").write_bytes(b"x")
        labels = LabelMap(counts)
        manifest = Manifest(folder, "train", labels, tuple(counts[landmark] for landmark in labels),
                            (Shard("shard", sum(counts.values()), 1, "0"),), 3, 0, 512, "<toys>", "plan")
        manifest.save()
        return manifest
    return make


@pytest.fixture
def find_image(tmp_path):
    """Finds a picture of noise for every id, but none for "i2"."""
    path = tmp_path / "noise.jpg"
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (300, 400, 3), np.uint8)).save(path, quality=95)

    def find(image_id):
        if image_id == "i2":
            raise UserError("a picture", "none", "Look.")
        return path
    return find
