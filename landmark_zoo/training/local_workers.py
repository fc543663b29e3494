"""Several workers on this machine, without Slurm."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Sequence
from typing import IO

from landmark_zoo.training.stop_signal import SAVED, SIGNALS


class LocalWorkers:
    """Processes on the CPU that train together as the tasks of a Slurm step would, connected over the loopback address.

    Their lines on stdout and stderr come out here, each with the worker's rank before it.

    Args:
        command: What each of them runs; it finds the others in TF_CONFIG.
        num_workers: How many.
        cores: On which processor cores each may run; None for all.

    Attributes:
        processes: Them, by rank.
    """

    def __init__(self, command: Sequence[str], num_workers: int, cores: Sequence[set[int]] | None = None):
        addresses = [f"127.0.0.1:{port}" for port in free_ports(num_workers)]
        self.processes = []
        for rank in range(num_workers):
            process = subprocess.Popen(list(command), env=environment(os.environ, addresses, rank), text=True,
                                       stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            if cores is not None:
                os.sched_setaffinity(process.pid, cores[rank])
            self.processes.append(process)
        self._echoes = [threading.Thread(target=_echo, args=(stream, target, rank), daemon=True)
                        for rank, process in enumerate(self.processes)
                        for stream, target in ((process.stdout, sys.stdout), (process.stderr, sys.stderr))]
        for echo in self._echoes:
            echo.start()

    def send(self, number: int) -> None:
        """Sends a signal to all that still run."""
        for process in self.processes:
            if process.poll() is None:
                process.send_signal(number)

    def wait(self) -> int:
        """Waits for all, handing on SIGUSR1, SIGTERM and SIGINT; returns 0, 42 where that is the worst, or what failed."""
        before = {number: signal.signal(number, lambda got, _: self.send(got)) for number in (*SIGNALS, signal.SIGINT)}
        try:
            codes = [process.wait() for process in self.processes]
            for echo in self._echoes:
                echo.join(5)
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
        return worst(codes)


def worst(codes: Sequence[int]) -> int:
    """Returns the exit code of several workers as a shell says it: the largest, 42 counting as the least bad after 0."""
    shell = [128 - code if code < 0 else code for code in codes]
    return max([code for code in shell if code not in (0, SAVED)] or shell)


def environment(environ: dict[str, str], addresses: Sequence[str], rank: int) -> dict[str, str]:
    """Returns a worker's environment: TF_CONFIG added, GPUs and Slurm's variables out of sight."""
    kept = {name: value for name, value in environ.items() if not name.startswith("SLURM_")}
    config = {"cluster": {"worker": list(addresses)}, "task": {"type": "worker", "index": rank}}
    return {**kept, "TF_CONFIG": json.dumps(config), "CUDA_VISIBLE_DEVICES": "-1"}


def free_ports(count: int) -> list[int]:
    """Returns ports of the loopback address that nobody listens on now."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    try:
        return [each.getsockname()[1] for each in sockets]
    finally:
        for each in sockets:
            each.close()


def _echo(stream: IO[str], target: IO[str], rank: int) -> None:
    for line in stream:
        print(f"{rank}: {line}", end="", file=target, flush=True)
