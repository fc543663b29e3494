"""Losses on the whole batch of several devices."""

import json
import subprocess
import sys

import pytest
import tensorflow as tf

from landmark_zoo.training.gathered import gathered


def test_alone_rows_stay_as_they_are():
    rows = tf.ones([2, 3])
    assert gathered(rows) is rows
    assert tf.distribute.get_strategy().run(lambda: gathered(rows).shape[0]) == 2


@pytest.mark.slow
def test_two_devices_learn_what_one_learns(root):
    """Losses, accuracies, weights and their averages after three steps of every kind of objective."""
    done = subprocess.run([sys.executable, "-m", "tests.training.two_devices"], cwd=root, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    differences = json.loads(done.stdout.splitlines()[-1])
    assert set(differences) == {"classification", "in parts", "sparse", "float16 scale", "pairs", "tuples"}
    assert max(differences.values()) < 1e-5
