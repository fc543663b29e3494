"""Mistakes at the study script; whole studies are in tests/experiments/studies/test_runs.py."""

import pytest

from tests.run_script import run_script


@pytest.mark.parametrize(("change", "said"), [
    ({"recipe_set": "atention"}, "a known recipe set; received 'atention'"),
    ({"blocks": "baseline,sea"}, "--blocks among baseline, se"),
    ({"records": "nowhere"}, "finished records with a manifest.json"),
    ({"benchmark": "nowhere"}, "test.csv or test_v2.1.csv in nowhere")])
def test_one_line(tmp_path, shared_benchmark, change, said):
    flags = {"photos": tmp_path, "benchmark": shared_benchmark, "weights": "imagenet", "records": tmp_path / "records",
             "output": tmp_path / "study"}
    done = run_script("experiments.study", **{**flags, **change})
    assert done.code == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr


@pytest.fixture
def shared_benchmark(tmp_path):
    for name, text in (("test", "id\nq\n"), ("index", "id\ni\n"), ("retrieval_solution", "id,images\nq,i\n")):
        (tmp_path / f"{name}.csv").write_text(text)
    return tmp_path


def test_records_that_cannot_be_prepared_end_it_with_the_same_code(tmp_path, shared_benchmark, monkeypatch):
    done = []

    class Failed:
        returncode = 2

    monkeypatch.setattr("subprocess.run", lambda command, **_: done.append(command) or Failed)
    ended = run_script("experiments.study", photos=tmp_path, benchmark=shared_benchmark, weights="imagenet",
                       output=tmp_path / "study")
    assert ended.code == 2
    assert {f"--exclude_benchmark={shared_benchmark}", "--validation_landmarks=0"} <= set(done[0])
