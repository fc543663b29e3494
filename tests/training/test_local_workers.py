"""Two workers on this machine: what they reach, how they are stopped, how they die."""

import contextlib
import json
import os
import signal
import socket
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from landmark_zoo.training.history import read_history
from landmark_zoo.training.local_workers import LocalWorkers, environment, free_ports, worst

TRAIN = [sys.executable, "-m", "experiments.train", "--model=resnet18_gem", "--alpha=0.125", "--embedding_dim=8",
         "--batch_size=8", "--image_size=32", "--epochs=4", "--learning_rate=1e-3", "--ema_momentum=0.9", "--log_steps=1",
         "--checkpoint_steps=4", "--deterministic"]


def test_the_worst_exit_code():
    assert worst([0, 0]) == 0
    assert worst([42, 0]) == worst([42, 42]) == 42
    assert worst([42, 1]) == 1
    assert worst([3, -9]) == 137


def test_a_worker_finds_the_others_and_neither_slurm_nor_gpus():
    found = environment({"PATH": "/bin", "SLURM_PROCID": "0", "CUDA_VISIBLE_DEVICES": "0"}, ["a:1", "b:2"], 1)
    assert found["CUDA_VISIBLE_DEVICES"] == "-1"
    assert json.loads(found["TF_CONFIG"]) == {"cluster": {"worker": ["a:1", "b:2"]}, "task": {"type": "worker", "index": 1}}
    assert set(found) == {"PATH", "CUDA_VISIBLE_DEVICES", "TF_CONFIG"}


def test_ports_are_free_and_unlike():
    ports = free_ports(3)
    assert len(set(ports)) == 3
    for port in ports:
        socket.create_server(("127.0.0.1", port)).close()


def test_lines_carry_the_rank_and_signals_are_handed_on(capfd, monkeypatch):
    code = ("import os, signal, sys, time; signal.signal(signal.SIGUSR1, lambda *_: sys.exit(42)); "
            "print('here', os.environ['TF_CONFIG'][-2], flush=True); time.sleep(60)")
    workers = LocalWorkers([sys.executable, "-c", code], 2, cores=[{min(os.sched_getaffinity(0))}] * 2)
    said = ""
    while said.count("here") < 2:
        said += capfd.readouterr().out
        time.sleep(0.05)
    assert sorted(line.partition(":")[0] for line in said.splitlines()) == ["0", "1"]
    signal.signal(signal.SIGALRM, lambda *_: os.kill(os.getpid(), signal.SIGUSR1))
    signal.setitimer(signal.ITIMER_REAL, 0.2)
    assert workers.wait() == 42


@pytest.fixture(scope="module")
def start(records, root):
    """Starts training in a folder, with one worker or two; what still runs at the end is killed."""
    started = []

    def workers(folder, num_workers=2, *flags):
        with contextlib.chdir(root):
            started.append(LocalWorkers([*TRAIN, f"--records={records}", f"--workdir={folder}", *flags], num_workers))
        return started[-1]
    yield workers
    for each in started:
        each.send(signal.SIGKILL)


@pytest.fixture(scope="module")
def one(start, tmp_path_factory):
    """The folder of a run of one worker from start to end."""
    folder = tmp_path_factory.mktemp("one") / "run"
    assert start(folder, 1).wait() == 0
    return folder


def when_at_step(folder: Path, step: int, workers: LocalWorkers) -> None:
    while not any(line["step"] >= step for line in read_history(folder / "history.jsonl")):
        time.sleep(0.005)
        assert workers.processes[0].poll() is None, "ended before"


def values(folder):
    reader = tf.train.load_checkpoint(tf.train.latest_checkpoint(str(folder / "checkpoints")))
    found = {name: reader.get_tensor(name) for name in reader.get_variable_to_shape_map()}
    return {name: value for name, value in found.items() if isinstance(value, (np.ndarray, np.generic))}


def assert_alike(folder, other):
    ours, theirs = values(folder), values(other)
    assert set(ours) == set(theirs)
    for name, value in ours.items():
        if "save_counter" not in name:
            np.testing.assert_allclose(value, theirs[name], atol=1e-4, err_msg=name)
    histories = [read_history(each / "history.jsonl") for each in (folder, other)]
    for left, right in zip(*histories, strict=True):
        assert left["step"] == right["step"]
        for key in left.keys() & {"loss", "accuracy", "validation_loss", "validation_accuracy", "learning_rate"}:
            np.testing.assert_allclose(left[key], right[key], rtol=1e-3)
    assert [{path.name for path in (each / "checkpoints").iterdir()} for each in (folder, other)] == [
        {"checkpoint", *(f"ckpt-{step}.{part}" for step in (20, 24) for part in ("index", "data-00000-of-00001"))}] * 2


@pytest.mark.slow
def test_two_workers_told_to_stop_and_started_again_end_where_one_ends(start, one, tmp_path, capfd):
    """SIGUSR1 at one of them: both save the same step; weights, averages and history are those of one worker."""
    workers = start(tmp_path)
    when_at_step(tmp_path, 2, workers)
    workers.processes[1].send_signal(signal.SIGUSR1)
    workers.wait()
    assert [process.returncode for process in workers.processes] == [42, 42]
    assert "Saved at step" in capfd.readouterr().err
    assert start(tmp_path).wait() == 0
    assert "0: Going on from step" in capfd.readouterr().err
    assert_alike(tmp_path, one)


@pytest.mark.slow
@pytest.mark.parametrize("victim", [0, 1])
def test_a_killed_worker_ends_the_other_within_a_minute_and_a_new_start_goes_on(start, one, tmp_path, capfd, victim):
    workers = start(tmp_path)
    when_at_step(tmp_path, 6, workers)
    workers.processes[victim].kill()
    killed = time.monotonic()
    assert workers.wait() == 137
    assert time.monotonic() - killed < 60
    assert workers.processes[1 - victim].returncode == 3
    assert capfd.readouterr().err.count(f"{1 - victim}: Error: Expected worker {victim} (") == 1
    assert start(tmp_path).wait() == 0
    assert_alike(tmp_path, one)


@pytest.mark.slow
def test_a_second_run_in_the_folder_is_refused_on_every_worker(start, tmp_path, capfd):
    from landmark_zoo.core.lock import lock_directory
    with lock_directory(tmp_path):
        assert start(tmp_path).wait() == 2
    said = [line for line in capfd.readouterr().err.splitlines() if "Error:" in line]
    assert len(said) == 2
    assert all("a run that is using it" in line for line in said)
