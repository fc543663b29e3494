"""Environments as srun sets them."""

import pytest

from landmark_zoo.core.errors import UserError
from landmark_zoo.training.cluster import Cluster
from landmark_zoo.training.slurm_step import port, slurm_step, tasks_per_node


def step(rank, hosts="node[9-10]", tasks="1(x2)", **more):
    count = sum(tasks_per_node(tasks))
    return {"SLURM_PROCID": str(rank), "SLURM_STEP_NUM_TASKS": str(count), "SLURM_NTASKS": str(count),
            "SLURM_STEP_NODELIST": hosts, "SLURM_STEP_TASKS_PER_NODE": tasks, "SLURM_JOB_ID": "7", **more}


@pytest.fixture(autouse=True)
def _without_scontrol(monkeypatch):
    monkeypatch.setenv("PATH", "")


def test_ranks_go_with_slurms_order_of_hosts():
    """node9 before node10, which alphabetical order would turn round."""
    assert slurm_step(step(1)) == Cluster((f"node9:{port(7, 0)}", f"node10:{port(7, 1)}"), 1, "7")


def test_several_tasks_on_a_node():
    found = slurm_step(step(2, "gpu[1-2]", "2,1", SLURM_NODEID="1", SLURM_LOCALID="0"))
    assert [found.place(rank)[0] for rank in range(3)] == ["gpu1", "gpu1", "gpu2"]
    assert len({found.place(rank)[1] for rank in range(3)}) == 3
    assert found.rank == 2


@pytest.mark.parametrize("environ", [{}, {"SLURM_JOB_ID": "7"}, step(0, "node1", "1"),
                                     {"SLURM_PROCID": "0", "SLURM_NTASKS": "1"}])
def test_one_task_or_no_slurm(environ):
    assert slurm_step(environ) is None


def test_sbatch_without_srun():
    with pytest.raises(UserError, match=r"a process of srun, one of 2 tasks; .* Write srun before the command"):
        slurm_step({"SLURM_PROCID": "0", "SLURM_NTASKS": "2", "SLURM_JOB_ID": "7"})


def test_tasks_dealt_out_in_turn_are_refused():
    with pytest.raises(UserError, match=r"task 1 to be task 1 of node1; received task 0 of node2\. .*--distribution=block"):
        slurm_step(step(1, "node[1-2]", "2(x2)", SLURM_NODEID="1", SLURM_LOCALID="0"))


@pytest.mark.parametrize("change", [{"SLURM_STEP_NODELIST": ""}, {"SLURM_STEP_NODELIST": "node1"}, {"SLURM_JOB_ID": ""},
                                    {"SLURM_STEP_TASKS_PER_NODE": "1(y2)"}, {"SLURM_STEP_TASKS_PER_NODE": "3,1"}])
def test_an_environment_that_contradicts_itself(change):
    with pytest.raises(UserError, match="Start with srun"):
        slurm_step({**step(0), **change})


def test_ports_of_neighbouring_jobs_do_not_meet():
    taken = [port(job, rank) for job in range(1000, 1320) for rank in range(64)]
    assert len(set(taken)) == len(taken)
    assert min(taken) >= 12_000
    assert max(taken) < 32_768
    assert port(1000, 0) == port(1320, 0)


def test_counts():
    assert tasks_per_node("2(x3),1") == [2, 2, 2, 1]
