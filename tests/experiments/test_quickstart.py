"""The quickstart's own part: its flags, its table, its steps."""

import pytest

from tests.experiments.run_script import run_script


@pytest.mark.parametrize(("flags", "said"), [
    ({"photos": "somewhere"}, "--photos, --benchmark and --weights together"),
    ({"photos": "/absent/a", "benchmark": "/absent/b", "weights": "/absent/c"}, "/absent/a to exist")])
def test_mistakes_are_one_line(tmp_path, flags, said):
    done = run_script("experiments.quickstart", output=tmp_path, **flags)
    assert done.code == 2
    assert said in done.stderr
    assert not list(tmp_path.iterdir())


def test_a_failing_step_ends_it_with_the_same_code(tmp_path, monkeypatch):
    done = []

    class Failed:
        returncode = 2

    monkeypatch.setattr("subprocess.run", lambda command, **_: done.append(command) or Failed)
    ended = run_script("experiments.quickstart", output=tmp_path)
    assert ended.code == 2
    assert len(done) == 1
    assert "== 1. Drawing" in ended.stdout
