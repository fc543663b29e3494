"""Several workers on this machine, started without Slurm: a rehearsal of a multi-node run on the CPU."""

import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from typing import IO

from landmark_zoo.training.distributed.authentication import MIN_SECRET, SECRET
from landmark_zoo.training.distributed.preemption import SAVED, SIGNALS

SECONDS_TO_FOLLOW, POLL_SECONDS = 30.0, 0.05


class LocalWorkers:
    """Processes on the CPU that train together as the tasks of a Slurm step would, connected over the loopback address.

    They share a secret of their own (see `authentication`), and TensorFlow's ports answer this machine only where the kernel
    allows that. Each line that a worker prints to stdout or stderr is printed here with the worker's rank before it.

    Args:
        command: Command that every worker runs; it finds the others in TF_CONFIG.
        num_workers: Number of processes.
        cores: Processor cores of each worker, by rank; None for all cores.

    Attributes:
        processes: The running commands, by rank.
    """

    def __init__(self, command: Sequence[str], num_workers: int, cores: Sequence[set[int]] | None = None):
        addresses = [f"127.0.0.1:{port}" for port in free_ports(num_workers)]
        secret = {SECRET: secrets.token_hex(MIN_SECRET)}
        self.processes = []
        for rank in range(num_workers):
            process = subprocess.Popen(list(command), env=environment(os.environ, addresses, rank) | secret, text=True,
                                       errors="backslashreplace", stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            if cores is not None:
                os.sched_setaffinity(process.pid, cores[rank])
            self.processes.append(process)
        self._output_threads = [threading.Thread(target=_print_with_rank, args=(stream, target, rank), daemon=True)
                                for rank, process in enumerate(self.processes)
                                for stream, target in ((process.stdout, sys.stdout), (process.stderr, sys.stderr))]
        for thread in self._output_threads:
            thread.start()

    def send(self, number: int) -> None:
        """Sends a signal to all workers that still run."""
        for process in self.processes:
            if process.poll() is None:
                process.send_signal(number)

    def wait(self) -> int:
        """Waits for all workers, hands SIGUSR1, SIGTERM and SIGINT on to them, and returns `worst` of their exit codes.

        Where one fails, those that still run half a minute later, because they are stopped or hang, are killed and do not
        count.
        """
        previous = {number: signal.signal(number, lambda got, _: self.send(got)) for number in (*SIGNALS, signal.SIGINT)}
        try:
            codes = self._exit_codes()
            for thread in self._output_threads:
                thread.join(5)
        finally:
            for number, handler in previous.items():
                signal.signal(number, handler)
        return worst(codes)


    def _exit_codes(self) -> list[int]:
        running, deadline, codes = list(self.processes), None, []
        while running:
            time.sleep(POLL_SECONDS)
            codes += [process.returncode for process in running if process.poll() is not None]
            running = [process for process in running if process.returncode is None]
            if deadline is None and any(code not in (0, SAVED) for code in codes):
                deadline = time.monotonic() + SECONDS_TO_FOLLOW
            if deadline is not None and time.monotonic() > deadline:
                for process in running:
                    process.kill()
                    process.wait()
                break
        return codes


def worst(codes: Sequence[int]) -> int:
    """Returns the worst exit code of several workers, as a shell counts them.

    Args:
        codes: Exit codes as `subprocess.Popen.returncode` gives them: -n where signal n ended a worker.

    Returns:
        The largest failure (128 + n for a signal), else 42 ("saved as asked") where a worker ended with it, else 0.

    Example:
        >>> worst([0, 42]), worst([42, 1]), worst([-9, 0])
        (42, 1, 137)
    """
    shell_codes = [128 - code if code < 0 else code for code in codes]
    return max([code for code in shell_codes if code not in (0, SAVED)] or shell_codes)


def environment(environ: dict[str, str], addresses: Sequence[str], rank: int) -> dict[str, str]:
    """Returns a worker's environment: TF_CONFIG added, GPUs hidden, Slurm's variables removed."""
    kept = {name: value for name, value in environ.items() if not name.startswith("SLURM_")}
    config = {"cluster": {"worker": list(addresses)}, "task": {"type": "worker", "index": rank}}
    return {**kept, "TF_CONFIG": json.dumps(config), "CUDA_VISIBLE_DEVICES": "-1"}


def free_ports(count: int) -> list[int]:
    """Returns ports of the loopback address on which no program listens now."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    try:
        return [each.getsockname()[1] for each in sockets]
    finally:
        for each in sockets:
            each.close()


def _print_with_rank(stream: IO[str], target: IO[str], rank: int) -> None:
    for line in stream:
        print(f"{rank}: {line}", end="", file=target, flush=True)
