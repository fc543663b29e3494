import subprocess
import sys

import pytest

SMALL = ("--train_landmarks=1", "--train_views=1", "--benchmark_landmarks=1", "--index_views=1", "--query_views=1",
         "--distractors=0", "--long_side=64", "--workers=1")


@pytest.fixture
def draw(root):
    def run(*arguments):
        return subprocess.run([sys.executable, "-m", "experiments.draw", *arguments], cwd=root, capture_output=True,
                              text=True, timeout=120)
    return run


def test_draws_and_counts_then_finds_its_work_done(draw, tmp_path):
    output = f"--output={tmp_path / 'drawn'}"
    first = draw(output, *SMALL)
    assert first.returncode == 0, first.stderr
    assert dict(line.rsplit(maxsplit=1) for line in first.stdout.splitlines())["train landmarks"] == "1"
    assert (tmp_path / "drawn" / "train.csv").is_file()
    second = draw(output, *SMALL)
    assert second.returncode == 0
    assert second.stdout == first.stdout
    assert "drawn already" in second.stderr
    other = draw(output, *SMALL, "--seed=3")
    assert other.returncode == 2
    assert other.stderr.count("\n") == 1
    assert "seed 0 instead of 3" in other.stderr


def test_bad_flags_are_one_line(draw):
    done = draw("--output=x", "--long_side=10")
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "long_side" in done.stderr
    assert "Traceback" not in done.stderr
