"""`python -m experiments.report`, as a user starts it."""

import functools
import json

import pytest
from PIL import Image

from tests.run_script import run_script


@pytest.fixture
def report(root):
    return functools.partial(run_script, "experiments.report")


@pytest.fixture
def results(tmp_path):
    folder = tmp_path / "results"
    folder.mkdir()
    metric = {"value": 0.625, "low": 0.5, "high": 0.75}
    (folder / "metrics.json").write_text(json.dumps({
        "name": "tiny", "benchmark": "toy", "protocol": "gldv2_retrieval",
        "metrics": {"mAP@100": metric, "P@1": metric}, "queries_used": 2, "queries_ignored": 0, "card": {"side": 224}}))
    (folder / "per_query.csv").write_text("query_id,average_precision,positives\nq0,0.5,1\nq1,0.75,1\n")
    (folder / "ranking.csv").write_text(
        "query_id,rank,index_id,score,relevance\nq0,1,i0,0.9,positive\nq1,1,i9,0.8,negative\n")
    return folder


def test_writes_the_page_and_says_where(report, results, tmp_path):
    (tmp_path / "photos").mkdir()
    for name in ("q0", "q1", "i0"):
        Image.new("RGB", (64, 48), "navy").save(tmp_path / "photos" / f"{name}.jpg")
    done = report(output=tmp_path / "out", results=results, photos=tmp_path / "photos", title="My <page>",
                  unseen_landmarks=True)
    assert (done.code, done.stdout.strip()) == (0, str(tmp_path / "out" / "index.html"))
    text = (tmp_path / "out" / "index.html").read_text()
    assert "<title>My &lt;page&gt;</title>" in text
    assert text.count("<img") == 3
    assert "1 picture not found" in text
    assert "never saw" in text


def test_two_systems(report, results, tmp_path):
    done = report(output=tmp_path / "out", results=f"{results},{results}")
    assert done.code == 0
    assert "Against “tiny”" in (tmp_path / "out" / "index.html").read_text()


@pytest.mark.parametrize("flag", ["results", "workdir", "records", "photos", "attention"])
def test_a_folder_that_is_not_there(report, results, tmp_path, flag):
    done = report(**{"output": tmp_path / "out", "results": results, flag: tmp_path / "nowhere"})
    assert done.code == 2
    assert done.stderr.startswith("Error: Expected")
    assert done.stderr.count("\n") == 1
    assert not (tmp_path / "out").exists()
