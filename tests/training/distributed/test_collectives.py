import json
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf

from landmark_zoo.data.input_pipeline import InputShard
from landmark_zoo.training.distributed.cluster import Cluster
from landmark_zoo.training.distributed.collectives import (
    WorkerInfo,
    all_gather,
    all_reduce_sum,
    broadcast,
    distribute_dataset,
    run_on_local_replica,
    sum_over_workers,
)


class Strategy:
    num_replicas_in_sync = 4
    cluster_resolver = Cluster(("a:1", "b:2"), 1).resolver(gpus=2)


def test_alone():
    assert WorkerInfo.current() == WorkerInfo(1, 0, 1)
    assert WorkerInfo.current().is_chief
    assert WorkerInfo.current().input_shard == InputShard()


@pytest.mark.parametrize(("worker", "is_chief"), [(0, True), (1, False)])
def test_two_workers_of_two_devices(monkeypatch, worker, is_chief):
    monkeypatch.setattr(Strategy, "cluster_resolver", Cluster(("a:1", "b:2"), worker).resolver(gpus=2))
    monkeypatch.setattr(tf.distribute, "get_strategy", Strategy)
    assert WorkerInfo.current() == WorkerInfo(2, worker, 4)
    assert WorkerInfo.current().is_chief == is_chief
    assert WorkerInfo.current().input_shard == InputShard(2, worker, portions=2)


def test_alone_rows_stay_as_they_are():
    rows = tf.ones([2, 3])
    assert all_gather(rows) is rows
    assert tf.distribute.get_strategy().run(lambda: all_gather(rows).shape[0]) == 2


@pytest.mark.slow
def test_two_devices_learn_what_one_learns(root):
    """Losses, accuracies, weights and their averages after three steps of every kind of objective; weights in between."""
    done = subprocess.run([sys.executable, "-m", "tests.training.two_devices"], cwd=root, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    differences = json.loads(done.stdout.splitlines()[-1])
    assert set(differences) == {"classification", "in parts", "sparse", "float16 scale", "pairs", "tuples", "interpolated",
                                "distillation"}
    assert max(differences.values()) < 1e-5


def test_alone_it_is_the_call():
    total, product = run_on_local_replica(lambda a, b: (a + b, a * b), tf.constant(2.0), tf.constant(3.0))
    assert (float(total), float(product)) == (5, 6)


def test_all_reduce_sum_alone():
    assert all_reduce_sum(1, True, 2.5) == (1.0, 1.0, 2.5)
    assert broadcast(7) == 7


def test_the_sum_of_one_worker_is_its_array():
    array = np.arange(6, dtype=np.float32).reshape(2, 3)
    assert sum_over_workers(array) is array


def test_alone_they_are_the_batches():
    batches = tf.data.Dataset.range(6).batch(2)
    assert [list(batch.numpy()) for batch in distribute_dataset(batches, 3)] == [[0, 1], [2, 3], [4, 5]]
