import json
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from landmark_zoo.core.errors import UserError
from landmark_zoo.training.distributed.cluster import (
    Cluster,
    assign_gpus,
    expand_hostlist,
    local_gpus,
    port,
    slurm_cluster,
    slurm_hosts,
    tasks_per_node,
    tf_config_cluster,
)


def tf_config(cluster, kind="worker", index=0):
    return {"TF_CONFIG": json.dumps({"cluster": cluster, "task": {"type": kind, "index": index}})}


def test_workers():
    found = tf_config_cluster(tf_config({"worker": ["a:1", "b:2"]}, index=1))
    assert (found.addresses, found.rank, found.host_port(1)) == (("a:1", "b:2"), 1, ("b", 2))
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


def step(rank, hosts="node[9-10]", tasks="1(x2)", **more):
    count = sum(tasks_per_node(tasks))
    return {"SLURM_PROCID": str(rank), "SLURM_STEP_NUM_TASKS": str(count), "SLURM_NTASKS": str(count),
            "SLURM_STEP_NODELIST": hosts, "SLURM_STEP_TASKS_PER_NODE": tasks, "SLURM_JOB_ID": "7", **more}


@pytest.fixture(autouse=True)
def _without_scontrol(monkeypatch):
    monkeypatch.setenv("PATH", "")


def test_ranks_go_with_slurms_order_of_hosts():
    """node9 before node10, which alphabetical order would turn round."""
    assert slurm_cluster(step(1)) == Cluster((f"node9:{port(7, 0)}", f"node10:{port(7, 1)}"), 1, "7")


def test_several_tasks_on_a_node():
    found = slurm_cluster(step(2, "gpu[1-2]", "2,1", SLURM_NODEID="1", SLURM_LOCALID="0"))
    assert [found.host_port(rank)[0] for rank in range(3)] == ["gpu1", "gpu1", "gpu2"]
    assert len({found.host_port(rank)[1] for rank in range(3)}) == 3
    assert found.rank == 2


@pytest.mark.parametrize("environ", [{}, {"SLURM_JOB_ID": "7"}, step(0, "node1", "1"),
                                     {"SLURM_PROCID": "0", "SLURM_NTASKS": "1"}])
def test_one_task_or_no_slurm(environ):
    assert slurm_cluster(environ) is None


def test_sbatch_without_srun():
    with pytest.raises(UserError, match=r"a process of srun, one of 2 tasks; .* Write srun before the command"):
        slurm_cluster({"SLURM_PROCID": "0", "SLURM_NTASKS": "2", "SLURM_JOB_ID": "7"})


def test_tasks_dealt_out_in_turn_are_refused():
    with pytest.raises(UserError, match=r"task 1 to be task 1 of node1; received task 0 of node2\. .*--distribution=block"):
        slurm_cluster(step(1, "node[1-2]", "2(x2)", SLURM_NODEID="1", SLURM_LOCALID="0"))


@pytest.mark.parametrize("change", [{"SLURM_STEP_NODELIST": ""}, {"SLURM_STEP_NODELIST": "node1"}, {"SLURM_JOB_ID": ""},
                                    {"SLURM_STEP_TASKS_PER_NODE": "1(y2)"}, {"SLURM_STEP_TASKS_PER_NODE": "3,1"}])
def test_an_environment_that_contradicts_itself(change):
    with pytest.raises(UserError, match="Start with srun"):
        slurm_cluster({**step(0), **change})


def test_ports_of_neighboring_jobs_do_not_meet():
    taken = [port(job, rank) for job in range(1000, 1320) for rank in range(64)]
    assert len(set(taken)) == len(taken)
    assert min(taken) >= 12_000
    assert max(taken) < 32_768
    assert port(1000, 0) == port(1320, 0)


def test_counts():
    assert tasks_per_node("2(x3),1") == [2, 2, 2, 1]


@pytest.mark.parametrize(("text", "hosts"), [
    ("login", ["login"]),
    ("node[1-3]", ["node1", "node2", "node3"]),
    ("node[9-10]", ["node9", "node10"]),
    ("gpu[08-10,12]", ["gpu08", "gpu09", "gpu10", "gpu12"]),
    ("b2,a[1,3]-ib,c", ["b2", "a1-ib", "a3-ib", "c"]),
    ("r[1-2]n[1-2]", ["r1n1", "r1n2", "r2n1", "r2n2"]),
    ("n[099-101].cluster", ["n099.cluster", "n100.cluster", "n101.cluster"])])
def test_slurms_order_is_kept(text, hosts):
    assert expand_hostlist(text) == hosts


@given(st.lists(st.from_regex(r"[a-z]+[0-9]{0,3}(-ib)?", fullmatch=True), min_size=1, max_size=5))
def test_plain_names_are_themselves(names):
    assert expand_hostlist(",".join(names)) == names


@given(st.integers(0, 300), st.integers(0, 40), st.integers(1, 4))
def test_ranges(first, more, width):
    text = f"n[{first:0{width}d}-{first + more:0{width}d}]"
    assert expand_hostlist(text) == [f"n{number:0{len(f'{first:0{width}d}')}d}" for number in range(first, first + more + 1)]


@pytest.mark.parametrize("text", ["", ",", "node[1-", "node1-2]", "node[2-1]", "node[a-b]", "node[]", "a,,b", "a b",
                                  "n[[1]]"])
def test_not_a_list(text):
    with pytest.raises(UserError, match="a list of hosts"):
        expand_hostlist(text)


@pytest.fixture
def scontrol(tmp_path, monkeypatch):
    def put(script):
        path = tmp_path / "scontrol"
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)
        monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    return put


def test_scontrol_has_the_first_word(scontrol):
    scontrol('[ "$1 $2 $3" = "show hostnames node[1-2]" ] && printf "node1.site\\nnode2.site\\n"')
    assert slurm_hosts("node[1-2]") == ["node1.site", "node2.site"]


def test_without_a_working_scontrol(scontrol, monkeypatch):
    scontrol("exit 1")
    assert slurm_hosts("node[1-2]") == ["node1", "node2"]
    monkeypatch.setenv("PATH", "")
    assert slurm_hosts("node[1-2]") == ["node1", "node2"]


def node(tasks, local=0, gpus=4):
    return {"SLURM_STEP_TASKS_PER_NODE": f"{tasks}(x2)", "SLURM_NODEID": "1", "SLURM_LOCALID": str(local),
            "SLURM_GPUS_ON_NODE": str(gpus)}


@pytest.mark.parametrize(("visible", "environ", "expected"), [
    (2, {}, [0, 1]),
    (4, node(1), [0, 1, 2, 3]),
    (1, node(4, local=3), [0]),
    (4, node(4, local=3), [3]),
    (4, node(2, local=1), [2, 3]),
    (0, node(2, gpus=0), [])],
    ids=["no Slurm", "a task per node", "bound by Slurm", "a task per GPU", "two per task", "CPU"])
def test_own(visible, environ, expected):
    assert list(local_gpus(visible, environ)) == expected


def test_they_cannot_be_shared():
    with pytest.raises(UserError, match="3 tasks can share evenly; received 4"):
        local_gpus(4, node(3))


def test_none_here_or_all_taken_with_growing_memory(monkeypatch):
    taken, growing = [], []
    config = "landmark_zoo.training.distributed.cluster.tf.config"
    monkeypatch.setattr(f"{config}.get_visible_devices", lambda _: ["a", "b", "c", "d"])
    monkeypatch.setattr(f"{config}.set_visible_devices", lambda gpus, _: taken.extend(gpus))
    monkeypatch.setattr(f"{config}.experimental.set_memory_growth", lambda gpu, grows: growing.append((gpu, grows)))
    assert assign_gpus(node(2, local=1)) == 2
    assert taken == ["c", "d"]
    assert growing == [("c", True), ("d", True)]
    monkeypatch.setattr(f"{config}.get_visible_devices", lambda _: [])
    assert assign_gpus({}) == 0
