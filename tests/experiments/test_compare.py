"""`python -m experiments.compare`, as a user starts it."""

import dataclasses
import functools
import subprocess
import sys

import pytest

from landmark_zoo.evaluation.protocol_card import ProtocolCard
from landmark_zoo.evaluation.results import Measure, Results
from tests.run_script import imported_alone, run_script

CARD = ProtocolCard(**{field.name: field.name for field in dataclasses.fields(ProtocolCard)})


@pytest.fixture
def compare(root):
    return functools.partial(run_script,
                             "experiments.compare")


def write(folder, *figures, **card):
    rows = [{"query_id": f"q{number}", "average_precision": value, "positives": 1} for number, value in enumerate(figures)]
    metrics = {"mAP@100": Measure(0.5, 0.4, 0.6, len(rows))}
    Results(folder.name, dataclasses.replace(CARD, **card), metrics, rows, {}).write(folder, {})
    return folder


def test_two_files_in_a_process_of_its_own(root, tmp_path):
    files = [str(write(tmp_path / name, *figures) / "metrics.json")
             for name, figures in (("a", (0.5, 0.25, 0.75)), ("b", (0.75, 1.0, 0.75)))]
    done = subprocess.run([sys.executable, "-m", "experiments.compare", *files, "--changed", "1"], cwd=root,
                          capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    head, changed = done.stdout.splitlines()
    assert head.startswith("mAP@100: +33.33 points, 95 % interval [")
    assert head.endswith("zero is inside; 3 queries: 2 better, 0 worse, 1 equal")
    assert changed == "  q1: 25.00 to 100.00"


def test_unlike_protocols_end_in_one_line(compare, tmp_path):
    before, after = write(tmp_path / "a", 0.5), write(tmp_path / "b", 0.5, whitening="PCA")
    done = compare(before=before, after=after)
    assert done.code == 2
    assert done.stderr.splitlines()[-1].endswith(
        "unlike ones (whitening: whitening and PCA). If that is what you compare: --allow=whitening.")
    assert compare(before=before, after=after, allow="whitening").code == 0


@pytest.mark.parametrize(("given", "meant"), [
    (["a", "b"], ["--before=a", "--after=b"]), (["--seed=1", "a", "b"], ["--seed=1", "--before=a", "--after=b"]),
    (["--allow", "side", "a", "a"], ["--allow", "side", "--before=a", "--after=a"]),
    (["a", "b", "c"], ["--before=a", "--after=b", "c"])])
def test_files_become_flags(given, meant):
    with imported_alone("experiments.compare") as script:
        assert script.with_flags(["script", *given]) == ["script", *meant]
