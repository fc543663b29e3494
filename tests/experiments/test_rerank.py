"""`python -m experiments.rerank`, as a user starts it."""

import functools

import pytest

from landmark_zoo.core.files import read_csv, read_json
from tests.local_saved_model import write_local_saved_model
from tests.run_script import run_script
from tests.walls import write_walls


@pytest.fixture(scope="module")
def folder(root, tmp_path_factory):
    """The walls and a model."""
    folder = tmp_path_factory.mktemp("rerank")
    write_local_saved_model(folder / "model")
    write_walls(folder)
    return folder


@pytest.fixture
def rerank(root, folder, tmp_path):
    return functools.partial(
        run_script, "experiments.rerank", savedmodel=folder / "model", benchmark=folder / "benchmark",
        photos=folder / "photos", output=tmp_path / "out", validation_queries=4, validation_index=8, codebook_photographs=4)


def test_a_row_for_each_method(rerank, tmp_path):
    done = rerank(methods="sift,patches")
    assert done.code == 0, done.stderr
    lines = done.stdout.splitlines()
    assert [line.split()[0] for line in lines[:4]] == ["row", "embedding", "sift", "patches"]
    assert any(line.startswith("sift against embedding: ") for line in lines)
    assert [row["row"] for row in read_csv(tmp_path / "out" / "table.csv", ["row"])] == ["embedding", "sift", "patches"]
    rankings = read_csv(tmp_path / "out" / "sift" / "rankings.csv", ["id", "images"])
    assert [row["id"] for row in rankings] == ["00", "10"]
    assert all(len(row["images"].split()) == 10 for row in rankings)


def test_the_rankings_can_be_evaluated_and_say_where_they_come_from(root, rerank, folder, tmp_path):
    assert rerank(methods="sift").code == 0
    done = run_script("experiments.evaluate", rankings=tmp_path / "out" / "sift" / "rankings.csv",
                      benchmark=folder / "benchmark", name="sift", output=tmp_path / "result")
    assert done.code == 0, done.stderr
    card = read_json(tmp_path / "result" / "metrics.json")["card"]
    assert card["reranking"].startswith("SIFT, inliers of a homography, v ")


@pytest.mark.slow
def test_matches_of_xfeat(rerank, xfeat_exports, tmp_path):
    done = rerank(methods="xfeat", xfeat=xfeat_exports[0], matcher=xfeat_exports[1])
    assert done.code == 0, done.stderr
    assert [row["row"] for row in read_csv(tmp_path / "out" / "table.csv", ["row"])] == ["embedding", "xfeat"]
    assert [row["id"] for row in read_csv(tmp_path / "out" / "xfeat" / "rankings.csv", ["id"])] == ["00", "10"]


@pytest.mark.parametrize(("change", "message"), [
    ({"methods": "sift,surf"}, "re-rankers of sift"),
    ({"methods": "xfeat"}, "--xfeat and --matcher for the re-ranker xfeat; received neither"),
    ({"savedmodel": "absent"}, "absent"),
    ({"validation_index": 500}, "photographs of landmarks outside the benchmark"),
])
def test_mistakes_are_one_line(rerank, change, message):
    done = rerank(**change)
    assert done.code == 2
    assert message in done.stderr.splitlines()[-1]
