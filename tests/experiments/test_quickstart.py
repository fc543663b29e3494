"""The quickstart's own part: its flags, its table, its steps."""

import pytest

from landmark_zoo.core.files import write_json
from tests.experiments.run_script import run_script


@pytest.mark.parametrize(("flags", "said"), [
    ({"photos": "somewhere"}, "--photos, --benchmark and --weights together"),
    ({"photos": "/absent/a", "benchmark": "/absent/b", "weights": "/absent/c"}, "/absent/a to exist")])
def test_mistakes_are_one_line(tmp_path, flags, said):
    done = run_script("experiments.quickstart", output=tmp_path, **flags)
    assert done.code == 2
    assert said in done.stderr
    assert not list(tmp_path.iterdir())


def test_table_shows_per_cent_with_the_interval(tmp_path):
    from experiments.quickstart import table
    value = {"value": 0.3272, "low": 0.2753, "high": 0.379}
    write_json(tmp_path / "metrics.json", {"name": "trained", "metrics": {"mAP@100": value, "P@1": value, "P@10": value}})
    lines = table([tmp_path]).splitlines()
    assert lines[1].split() == ["trained", "32.7", "[27.5,", "37.9]", "32.7", "32.7"]


def test_a_failing_step_ends_it_with_the_same_code(tmp_path, monkeypatch):
    done = []

    class Failed:
        returncode = 2

    monkeypatch.setattr("subprocess.run", lambda command, **_: done.append(command) or Failed)
    ended = run_script("experiments.quickstart", output=tmp_path)
    assert ended.code == 2
    assert len(done) == 1
    assert "== 1. Drawing" in ended.stdout
