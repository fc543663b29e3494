"""`python -m experiments.recognition_gap`, as a user starts it."""

import json
import subprocess
import sys


def test_solution_and_submission(root, tmp_path):
    (tmp_path / "solution.csv").write_text("id,landmarks,Usage\na,1,Public\nb,,Public\nc,2,Private\nd,None,Ignored\n")
    (tmp_path / "mine.csv").write_text("id,landmarks\na,1 0.5\nb,9 0.9\nc,2 0.7\nd,\n")
    command = [sys.executable, "-m", "experiments.recognition_gap", f"--solution={tmp_path / 'solution.csv'}",
               f"--submission={tmp_path / 'mine.csv'}", f"--output={tmp_path / 'out'}"]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "queries used 3, with landmark 2, without landmark 1, queries ignored 1" in done.stdout
    facts = json.loads((tmp_path / "out/metrics.json").read_text())
    assert facts["metrics"]["GAP"]["value"] == (1 / 2 + 2 / 3) / 2
    assert list(facts["metrics"]) == ["GAP", "GAP/Public", "GAP/Private"]
    assert (facts["name"], facts["card"]["queries_ignored"]) == ("mine", 1)

    (tmp_path / "mine.csv").write_text("id,landmarks\na,1\n")
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1].startswith("Error: Expected a landmark and a confidence for a")
