"""Renamed commands under their former names: docs/commands.md is the table."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.run_script import former_commands, run_script

ROOT = Path(__file__).parents[2]
FORMER = former_commands(ROOT)


def start(module, *arguments):
    return subprocess.run([sys.executable, "-m", module, *arguments], cwd=ROOT, capture_output=True, text=True, check=False)


def help_of(module):
    done = start(module, "--help")
    assert "Traceback" not in done.stderr
    return done.stdout.partition("\nflags:\n")


def test_the_table():
    assert set(FORMER) == {f"experiments.{name}" for name in ("doctor", "draw", "recognition_gap", "rehearse", "thesis")} | {
        "export.optimise"}


@pytest.mark.slow
@pytest.mark.parametrize("former", FORMER)
def test_flags_are_equal(former):
    (text, _, flags), (new_text, _, new_flags) = help_of(former), help_of(FORMER[former])
    assert text.startswith(f"Former name of `{FORMER[former]}")
    assert text.endswith(new_text)
    assert flags.count("\n  --")
    assert flags.replace(former.replace(".", "/"), FORMER[former].replace(".", "/")) == new_flags


@pytest.fixture
def small_run(tmp_path):
    """The flags of a small run of each command, what it says and with which exit code."""
    (tmp_path / "solution.csv").write_text("id,landmarks,Usage\na,1,Public\n")
    (tmp_path / "mine.csv").write_text("id,landmarks\na,1 0.5\n")
    out, absent = tmp_path / "out", tmp_path / "absent"
    ones = ("train_landmarks", "train_views", "benchmark_landmarks", "index_views", "query_views", "workers")
    return {
        "experiments.doctor": ({"data": tmp_path}, 2, "Expected records in"),
        "experiments.draw": ({"output": out, **dict.fromkeys(ones, 1), "distractors": 0, "long_side": 64}, 0,
                             "train landmarks"),
        "experiments.recognition_gap": ({"solution": tmp_path / "solution.csv", "submission": tmp_path / "mine.csv",
                                         "output": out}, 0, "queries used 1, with landmark 1"),
        "experiments.rehearse": ({"workers": 1}, 2, "1 is not an integer"),
        "experiments.thesis": ({"models": "-", "benchmark": absent, "photos": absent, "output": out}, 2,
                               "one to four --models"),
        "export.optimise": ({"savedmodel": absent, "pictures": absent, "output": out}, 2, "a SavedModel at"),
    }


@pytest.mark.slow
@pytest.mark.parametrize("former", FORMER)
def test_a_small_run_as_a_user_starts_it(former, small_run):
    values, code, said = small_run[former]
    done = start(former, *(f"--{name}={value}" for name, value in values.items()))
    assert done.returncode == code, done.stderr
    assert said in done.stdout + done.stderr


@pytest.mark.parametrize("former", sorted(set(FORMER) - {"experiments.rehearse"}))
def test_a_small_run(former, small_run):
    values, code, said = small_run[former]
    done = run_script(former, **values)
    assert done.code == code, done.stderr
    assert said in done.stdout + done.stderr
