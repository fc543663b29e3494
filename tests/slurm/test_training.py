"""Training as the job scripts start it: two workers on two nodes against one, signals, deaths, mistakes."""

import os
import signal
import sys
import time

import numpy as np
import pytest

from landmark_zoo.backbones.resnet_v15 import ResNet18
from landmark_zoo.training.checkpoints import load_weights
from landmark_zoo.training.history import read_history, read_model

pytestmark = pytest.mark.slow
FLAGS = ("--model=resnet18_gem", "--alpha=0.25", "--embedding_dim=8", "--batch_size=4", "--image_size=32", "--epochs=4",
         "--optimizer=sgd", "--learning_rate=1e-3", "--backbone_multiplier=1", "--margin=0.3", "--scale=30",
         "--weight_interpolation=1", "--initial_embedding=random", "--log_steps=1", "--checkpoint_steps=7",
         "--start_seconds=60")
LAST_STEP = 4 * 48 // 4


@pytest.fixture(scope="module")
def submit(slurm, root, records, tmp_path_factory):
    """submit(script, workdir, *flags, gpus=4) -> number; the log is workdir.log."""
    weights = tmp_path_factory.mktemp("weights") / "resnet18.h5"
    ResNet18(alpha=0.25).save_weights(weights)

    def submitted(script, workdir, *flags, gpus=4):
        return slurm.submit("--chdir", root, "--output", workdir.with_suffix(".log"), "--cpus-per-task=1",
                            f"--gpus-per-node={gpus}", root / f"experiments/slurm/{script}.sbatch", *FLAGS,
                            f"--records={records}", f"--workdir={workdir}", f"--weights={weights}", *flags,
                            LANDMARK_ZOO_VENV=sys.prefix)
    return submitted


@pytest.fixture(scope="module")
def alone(slurm, submit, tmp_path_factory):
    """The workdir of an uninterrupted run of one worker."""
    workdir = tmp_path_factory.mktemp("alone") / "run"
    assert slurm.wait(submit("one_gpu", workdir))["JobState"] == "COMPLETED", log(workdir)
    return workdir


def log(workdir):
    return workdir.with_suffix(".log").read_text()


def steps(workdir):
    return [line["step"] for line in read_history(workdir / "history.jsonl") if "loss" in line]


def until_step(slurm, number, workdir, step):
    deadline = time.monotonic() + 600
    while (steps(workdir) or [0])[-1] < step:
        assert slurm.job(number)["JobState"] in ("PENDING", "RUNNING"), log(workdir)
        assert time.monotonic() < deadline, log(workdir)
        time.sleep(0.1)


def weights(workdir):
    config, facts = read_model(workdir)
    model = config.build(facts["num_classes"])
    assert load_weights(model, workdir) == LAST_STEP
    return model.get_weights()


def process_of_worker_1(workdir):
    for process in filter(str.isdecimal, os.listdir("/proc")):
        try:
            with open(f"/proc/{process}/cmdline", "rb") as words, open(f"/proc/{process}/environ", "rb") as environment:
                if f"--workdir={workdir}".encode() in words.read() and b"\0SLURM_PROCID=1\0" in environment.read():
                    return int(process)
        except OSError:  # it ended in between
            continue
    raise AssertionError(f"no worker 1 of {workdir}")


def expect_equal(run, alone):
    assert steps(run) == list(range(1, LAST_STEP + 1))
    for left, right in zip(weights(run), weights(alone), strict=True):
        np.testing.assert_allclose(left, right, atol=1e-4)
    last, expected = (read_history(workdir / "history.jsonl")[-1]["loss"] for workdir in (run, alone))
    assert last == pytest.approx(expected, rel=1e-3)


def test_two_workers_reach_the_weights_of_one(slurm, submit, alone, tmp_path):
    workdir = tmp_path / "run"
    assert slurm.wait(submit("several_nodes", workdir))["JobState"] == "COMPLETED", log(workdir)
    expect_equal(workdir, alone)
    assert "node1:" in log(workdir)
    assert "node2:" in log(workdir)


def test_signalled_and_requeued_it_ends_like_an_uninterrupted_run(slurm, submit, alone, tmp_path):
    workdir = tmp_path / "run"
    number = submit("several_nodes", workdir)
    until_step(slurm, number, workdir, 9)
    slurm.run("scancel", "--signal=USR1", number)
    slurm.wait(number, "PENDING")
    saved = steps(workdir)[-1]
    assert 9 <= saved < LAST_STEP
    job = slurm.wait(number)
    assert (job["JobState"], job["Restarts"]) == ("COMPLETED", "1"), log(workdir)
    assert f"step {saved}" in log(workdir)
    expect_equal(workdir, alone)


def test_a_killed_worker_ends_the_job_and_submitted_again_it_goes_on(slurm, submit, alone, tmp_path):
    workdir = tmp_path / "run"
    number = submit("several_nodes", workdir)
    until_step(slurm, number, workdir, 9)
    os.kill(process_of_worker_1(workdir), signal.SIGKILL)
    killed = time.monotonic()
    job = slurm.wait(number)
    assert time.monotonic() - killed < 60
    assert job["JobState"] == "FAILED"
    lines = [line for line in log(workdir).splitlines() if "Error: Expected worker 1 (node2:" in line]
    assert len(lines) == 1, log(workdir)
    assert slurm.wait(submit("several_nodes", workdir))["JobState"] == "COMPLETED", log(workdir)
    expect_equal(workdir, alone)


def test_mistakes_are_told_by_every_worker_in_one_line(slurm, submit, tmp_path):
    workdir = tmp_path / "run"
    job = slurm.wait(submit("several_nodes", workdir, "--optimizer=lion"))
    assert (job["JobState"], job["ExitCode"]) == ("FAILED", "2:0")
    said = sorted(line.partition(":")[::2] for line in log(workdir).splitlines() if line[:1].isdigit())
    assert [rank for rank, _ in said] == ["0", "1"]
    assert len({line for _, line in said}) == 1
    assert "--optimizer" in said[0][1]
    assert "Traceback" not in log(workdir)
    assert not workdir.exists()


def test_a_second_job_in_the_same_workdir_is_refused(slurm, submit, tmp_path):
    workdir = tmp_path / "run"
    first = submit("one_gpu", workdir, "--epochs=1000", gpus=1)
    until_step(slurm, first, workdir, 1)
    second = submit("several_nodes", workdir, "--epochs=1000", gpus=1)
    job = slurm.wait(second)
    assert (job["JobState"], job["ExitCode"]) == ("FAILED", "2:0")
    assert slurm.job(first)["JobState"] == "RUNNING"
    refusals = [line for line in log(workdir).splitlines() if "a run that is using it" in line]
    assert sorted(line[:2] for line in refusals) == ["0:", "1:"]
    slurm.run("scancel", first)
    slurm.wait(first)
