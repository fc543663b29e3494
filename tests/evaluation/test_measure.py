"""Each kind of benchmark is measured under its own protocol."""

from pathlib import Path

import numpy as np
import pytest

from landmark_zoo.evaluation.embedded_answers import embedded_answers
from landmark_zoo.evaluation.folder_benchmark import FolderBenchmark
from landmark_zoo.evaluation.gldv2 import Gldv2Benchmark
from landmark_zoo.evaluation.measure import measure
from landmark_zoo.evaluation.revisited import RevisitedBenchmark

IDS = ("a", "b", "c", "d")
POSITIVES = {"a": frozenset({"c"}), "b": frozenset({"d"})}
GLDV2 = Gldv2Benchmark("g", ("a", "b"), IDS, POSITIVES, {"a": "", "b": ""}, 0, "1")
GRADED = RevisitedBenchmark("r", ("a", "b"), IDS, ((0, 0, 9, 9),) * 2, tuple(
    {"easy": frozenset({place}), "hard": frozenset(), "junk": frozenset()} for place in (2, 3)), "1")
FOLDER = FolderBenchmark("f", dict.fromkeys(IDS, Path()), {"a": "x", "b": "y", "c": "x", "d": "y"}, "1")
SCORES = np.array([[0.9, 0.1, 0.5, 0.6], [0.1, 0.9, 0.6, 0.5], [0.5, 0.6, 0.9, 0.1], [0.6, 0.5, 0.1, 0.9]])


@pytest.mark.parametrize(("benchmark", "protocol", "metric", "value"), [
    (GLDV2, "gldv2_retrieval", "mAP@100", 1 / 3),       # the positive is third, behind the query itself
    (GRADED, "revisited", "mAP/Medium", (0 + 1 / 3) / 2),
    (FOLDER, "folder", "mAP", 1 / 2)])                  # the query is taken out
def test_protocol_and_figure(planted, benchmark, protocol, metric, value):
    queries, index = planted(benchmark.query_ids, IDS, SCORES[:len(benchmark.query_ids)])
    found = measure(benchmark, embedded_answers(benchmark, queries, index), "m")
    assert found.card.protocol == protocol
    assert found.metrics[metric]["value"] == pytest.approx(value)
