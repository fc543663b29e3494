import json
import subprocess
import sys

import pytest

from experiments.benchmarks.build import build_once, draw_tiny


def test_one_build(tmp_path, capsys):
    build_once(draw_tiny(tmp_path / "tiny"), "150", "1", str(tmp_path / "records"))
    facts = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert facts["pictures"] == 150
    assert facts["speed"] > 0
    assert facts["memory"] > 50


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_memory_does_not_grow_with_the_pictures(root):
    done = subprocess.run([sys.executable, "-m", "experiments.benchmarks.build", "--pictures=10000,100000"], cwd=root,
                          capture_output=True, text=True, timeout=1800)
    assert done.returncode == 0, done.stderr
    few, many = (float(line.split("|")[6]) for line in done.stdout.splitlines()[2:])
    assert many - few < 150  # the list of 90,000 photographs more; their 32 x 32 pictures would be as much again
