"""The cluster that the other tests of this folder stand on."""

import pytest

from tests.slurm.local_slurm import LocalSlurm


@pytest.mark.slow
def test_two_nodes_run_a_job_and_know_each_other(slurm, tmp_path):
    number = slurm.submit("--nodes=2", "--ntasks-per-node=1", f"--output={tmp_path}/out",
                          "--wrap", "srun sh -c 'echo $SLURM_PROCID $SLURMD_NODENAME $(getent hosts node2)'")
    assert slurm.wait(number)["JobState"] == "COMPLETED"
    assert sorted((tmp_path / "out").read_text().splitlines()) == [
        "0 node1 127.0.0.1 node1 node2", "1 node2 127.0.0.1 node1 node2"]


def test_why_there_is_none(monkeypatch):
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.setattr("tests.slurm.local_slurm._path", lambda: "/nowhere")
    assert LocalSlurm.hindrance().startswith("no munged, slurmctld, slurmd")
