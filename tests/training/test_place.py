"""Under TensorFlow's default strategy; several devices are in two_devices.py, several workers in test_local_workers.py."""

import pytest
import tensorflow as tf

from landmark_zoo.data.share import Share
from landmark_zoo.training.cluster import Cluster
from landmark_zoo.training.place import Place


class Strategy:
    num_replicas_in_sync = 4
    cluster_resolver = Cluster(("a:1", "b:2"), 1).resolver(gpus=2)


def test_alone():
    assert Place.here() == Place(1, 0, 1)
    assert Place.here().is_chief
    assert Place.here().share == Share()


@pytest.mark.parametrize(("worker", "is_chief"), [(0, True), (1, False)])
def test_two_workers_of_two_devices(monkeypatch, worker, is_chief):
    monkeypatch.setattr(Strategy, "cluster_resolver", Cluster(("a:1", "b:2"), worker).resolver(gpus=2))
    monkeypatch.setattr(tf.distribute, "get_strategy", Strategy)
    assert Place.here() == Place(2, worker, 4)
    assert Place.here().is_chief == is_chief
    assert Place.here().share == Share(2, worker, portions=2)
