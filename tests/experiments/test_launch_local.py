"""Local workers: mistakes; two workers that train are in tests/training/distributed/test_local_workers.py."""

import subprocess
import sys

import pytest

from tests.run_script import run_script


@pytest.mark.slow
def test_a_mistake_is_one_line_of_each_worker(root, tmp_path):
    done = subprocess.run([sys.executable, "-m", "experiments.launch_local", "--workers=2", "--", "--optimizer=lion",
                           f"--records={tmp_path}", f"--workdir={tmp_path / 'run'}"], cwd=root, capture_output=True,
                          text=True)
    assert done.returncode == 2
    said = sorted(line for line in done.stderr.splitlines() if "Error:" in line)
    assert [line.partition(" ")[0] for line in said] == ["0:", "1:"]
    assert all("--optimizer among" in line for line in said)
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("values", [{"workers": 1}, {"workers": "two"}, {"wrong": 1}])
def test_mistakes_of_its_own(values):
    done = run_script("experiments.launch_local", **values)
    assert done.code == 2
    assert done.stderr.count("Error:") == 1
