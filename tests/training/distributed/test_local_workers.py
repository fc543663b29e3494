"""Two workers on this machine: what they reach, how they are stopped, how they die."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from landmark_zoo.backbones.resnet_v15 import ResNet18
from landmark_zoo.training.checkpoints import newest_checkpoint, read_selection
from landmark_zoo.training.distributed.local_workers import LocalWorkers, environment, free_ports, worst
from landmark_zoo.training.history import read_history

TRAIN = [sys.executable, "-m", "experiments.train", "--model=resnet18_gem", "--alpha=0.125", "--embedding_dim=8",
         "--batch_size=8", "--image_size=32", "--epochs=4", "--learning_rate=1e-3", "--ema_momentum=0.9", "--log_steps=1",
         "--backbone_multiplier=1", "--margin=0.3", "--scale=30", "--weight_interpolation=1", "--initial_embedding=random",
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


def test_lines_carry_the_rank_and_the_worst_code_is_returned(capfd):
    code = ("import json, os, sys; rank = json.loads(os.environ['TF_CONFIG'])['task']['index']; print('out'); "
            "print('err', file=sys.stderr); sys.exit([42, 5][rank])")
    assert LocalWorkers([sys.executable, "-c", code], 2, [os.sched_getaffinity(0)] * 2).wait() == 5
    said = capfd.readouterr()
    assert sorted(said.out.splitlines()) == ["0: out", "1: out"]
    assert sorted(said.err.splitlines()) == ["0: err", "1: err"]


@pytest.mark.slow
def test_lines_carry_the_rank_and_signals_are_handed_on(root):
    worker = ("import os, signal, sys, time; signal.signal(signal.SIGUSR1, lambda *_: sys.exit(42)); "
              "print('here', os.environ['TF_CONFIG'][-2], flush=True); time.sleep(60)")
    launcher = ("import os, sys; from landmark_zoo.training.distributed.local_workers import LocalWorkers; "
                "cores = [{min(os.sched_getaffinity(0))}] * 2; "
                "sys.exit(LocalWorkers([sys.executable, '-c', sys.argv[1]], 2, cores).wait())")
    with subprocess.Popen([sys.executable, "-c", launcher, worker], stdout=subprocess.PIPE, text=True, cwd=root) as process:
        said = [process.stdout.readline() for _ in range(2)]
        time.sleep(0.5)
        process.send_signal(signal.SIGUSR1)
        assert process.wait(60) == 42
    assert sorted(line.partition(":")[0] for line in said) == ["0", "1"]


@pytest.fixture(scope="module")
def start(records, root, tmp_path_factory):
    """Starts training in a folder, with one worker or two; what still runs at the end is killed."""
    started, weights = [], tmp_path_factory.mktemp("weights") / "resnet18.h5"
    ResNet18(alpha=0.125).save_weights(weights)

    def workers(folder, num_workers=2, *flags):
        with contextlib.chdir(root):
            started.append(LocalWorkers([*TRAIN, f"--records={records}", f"--workdir={folder}", f"--weights={weights}",
                                         *flags], num_workers))
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
    reader = tf.train.load_checkpoint(newest_checkpoint(folder / "checkpoints"))
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
@pytest.mark.nightly
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
def test_two_workers_choose_what_one_chooses(start, unseen_records, tmp_path):
    """Each embeds half of the images of unseen landmarks; only the chief writes, and patience ends both.

    At the end both interpolate weights. At this rate the runs part within an epoch, and figures with them.
    """
    flags = (f"--records={unseen_records}", "--patience=1", "--learning_rate=0.3", "--weight_interpolation=auto",
             "--layer_decay=0.5")
    for name, workers in (("one", 1), ("two", 2)):
        assert start(tmp_path / name, workers, *flags).wait() == 0
    one, two = (read_selection(tmp_path / name) for name in ("one", "two"))
    assert one["measured_step"] == two["measured_step"]
    assert one["kept"]["step"] == two["kept"]["step"]
    assert one["labels"] == two["labels"]
    np.testing.assert_allclose(one["start"]["average_precision"], two["start"]["average_precision"], atol=0.02)
    between = [[entry["retrieval_map"] for entry in found["interpolation"]["measured"]] for found in (one, two)]
    assert len(between[0]) == 3
    np.testing.assert_allclose(*between, atol=0.08)
    assert one["kept"]["factor"] == two["kept"]["factor"]
    assert sorted(path.name for path in (tmp_path / "one" / "best").iterdir()) == sorted(
        path.name for path in (tmp_path / "two" / "best").iterdir())


@pytest.mark.slow
@pytest.mark.nightly
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
@pytest.mark.parametrize("victim", [0, pytest.param(1, marks=pytest.mark.nightly)])
def test_a_stopped_worker_ends_the_other_and_the_launcher(start, tmp_path, capfd, victim):
    """As a debugger, a full swap or a dead file system may: the process is there, but says nothing."""
    workers = start(tmp_path, 2, "--epochs=100000")
    when_at_step(tmp_path, 6, workers)
    workers.processes[victim].send_signal(signal.SIGSTOP)
    stopped = time.monotonic()
    assert workers.wait() == 3
    assert time.monotonic() - stopped < 150
    said = [line for line in capfd.readouterr().err.splitlines() if "Error" in line or "Traceback" in line]
    assert len(said) == 1
    assert f"{1 - victim}: Error: Expected worker {victim} (" in said[0]


@pytest.mark.slow
def test_the_workers_ports_answer_this_machine_only(start, tmp_path):
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.connect(("192.0.2.1", 9))
            address = probe.getsockname()[0]
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"lo\0")
    except OSError as error:
        pytest.skip(f"no other interface, or no right to tie a socket to one: {error}")
    workers = start(tmp_path, 2, "--epochs=100000")
    when_at_step(tmp_path, 2, workers)
    for process in workers.processes:
        environ = dict(line.partition("=")[::2] for line in Path(f"/proc/{process.pid}/environ").read_text().split("\0"))
        config = json.loads(environ["TF_CONFIG"])
        port = int(config["cluster"]["worker"][config["task"]["index"]].rpartition(":")[2])
        socket.create_connection(("127.0.0.1", port), 2).close()
        with pytest.raises(OSError, match="refused"):
            socket.create_connection((address, port), 2)
    workers.send(signal.SIGKILL)


def test_the_launcher_kills_who_is_stopped_when_another_fails(monkeypatch):
    monkeypatch.setattr("landmark_zoo.training.distributed.local_workers.SECONDS_TO_FOLLOW", 0.2)
    code = ("import json, os, signal, sys; rank = json.loads(os.environ['TF_CONFIG'])['task']['index']; "
            "os.kill(os.getpid(), signal.SIGSTOP) if rank else sys.exit(3)")
    workers = LocalWorkers([sys.executable, "-c", code], 2)
    assert workers.wait() == 3
    assert workers.processes[1].returncode == -signal.SIGKILL


@pytest.mark.slow
def test_a_second_run_in_the_folder_is_refused_on_every_worker(start, tmp_path, capfd):
    from landmark_zoo.core.files import lock_directory
    with lock_directory(tmp_path):
        assert start(tmp_path).wait() == 2
    said = [line for line in capfd.readouterr().err.splitlines() if "Error:" in line]
    assert len(said) == 2
    assert all("a run that is using it" in line for line in said)
