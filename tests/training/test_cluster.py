import json

import pytest

from landmark_zoo.core.errors import UserError
from landmark_zoo.training.cluster import Cluster, tf_config_cluster


def tf_config(cluster, kind="worker", index=0):
    return {"TF_CONFIG": json.dumps({"cluster": cluster, "task": {"type": kind, "index": index}})}


def test_workers():
    found = tf_config_cluster(tf_config({"worker": ["a:1", "b:2"]}, index=1))
    assert (found.addresses, found.rank, found.place(1)) == (("a:1", "b:2"), 1, ("b", 2))
    assert found.name(1) == "worker 1 (b:2)"


def test_a_chief_comes_first():
    jobs = {"worker": ["a:1", "b:2"], "chief": ["c:3"]}
    assert tf_config_cluster(tf_config(jobs, "chief")).rank == 0
    assert tf_config_cluster(tf_config(jobs, "worker", 1)).rank == 2
    assert tf_config_cluster(tf_config(jobs)).addresses == ("c:3", "a:1", "b:2")


@pytest.mark.parametrize("environ", [{}, {"TF_CONFIG": ""}, {"TF_CONFIG": "{}"}, tf_config({"worker": ["a:1"]})])
def test_alone(environ):
    assert tf_config_cluster(environ) is None


@pytest.mark.parametrize("environ", [
    {"TF_CONFIG": "worker"}, {"TF_CONFIG": "[]"}, tf_config({"worker": ["a:1", "b:2"], "ps": ["c:3"]}),
    tf_config({"worker": ["a:1", "b:2"]}, "evaluator"), {"TF_CONFIG": '{"cluster": {"worker": ["a:1", "b:2"]}}'}])
def test_broken(environ):
    with pytest.raises(UserError, match="TF_CONFIG such as"):
        tf_config_cluster(environ)


@pytest.mark.parametrize(("addresses", "rank"), [(("a:1", "a:1"), 0), (("a:1", "b:2"), 2), (("a", "b:2"), 0),
                                                 (("a:1", "b:99999"), 0)])
def test_impossible(addresses, rank):
    with pytest.raises(UserError, match="addresses"):
        Cluster(addresses, rank)


def test_what_tensorflow_is_told():
    resolver = Cluster(("a:1", "b:2"), 1).resolver(gpus=4)
    assert resolver.cluster_spec().as_dict() == {"worker": ["a:1", "b:2"]}
    assert (resolver.task_type, resolver.task_id, resolver.num_accelerators()) == ("worker", 1, {"GPU": 4})
    assert Cluster(("a:1", "b:2"), 0).resolver(gpus=0).num_accelerators() == {}
