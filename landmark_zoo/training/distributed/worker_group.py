"""TCP connections between the workers of a run, by which one that fails or is lost ends all of them."""

import json
import os
import select
import socket
import struct
import sys
import threading
import time

from landmark_zoo.core.errors import printable
from landmark_zoo.core.strict_json import parse_json
from landmark_zoo.training.distributed.cluster import Cluster

KEEPALIVE_IDLE_SECONDS, KEEPALIVE_INTERVAL_SECONDS, KEEPALIVE_PROBES = 10, 5, 4
WORKER_LOST = 3  # exit code: another worker is gone
SECONDS_FOR_LAST_WORDS, SECONDS_FOR_FAREWELL = 5, 20
HEARTBEAT_SECONDS, MISSED_HEARTBEATS = 5.0, 9
MAX_MESSAGE, SECONDS_TO_SEND = 2**20, 5


class MessageSocket:
    """TCP connection that carries one JSON object per line and notices within 30 seconds that the other machine is gone.

    Args:
        connection: Open socket, which this object then owns.
    """

    def __init__(self, connection: socket.socket):
        self._socket = connection
        for level, option, value in ((socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),
                                     (socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, KEEPALIVE_IDLE_SECONDS),
                                     (socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, KEEPALIVE_INTERVAL_SECONDS),
                                     (socket.IPPROTO_TCP, socket.TCP_KEEPCNT, KEEPALIVE_PROBES),
                                     (socket.SOL_SOCKET, socket.SO_SNDTIMEO, struct.pack("ll", SECONDS_TO_SEND, 0))):
            connection.setsockopt(level, option, value)
        connection.settimeout(None)
        self._received, self._reading = b"", threading.RLock()

    def fileno(self) -> int:
        """Returns the file descriptor, for `select`."""
        return self._socket.fileno()

    def send(self, **message: object) -> bool:
        """Sends a message; returns whether the connection took it."""
        return self._send_line(json.dumps(message).encode())

    def wait(self, seconds: float) -> bool:
        """Waits so long at most for something to receive, were it the end, and returns whether there is something."""
        return b"\n" in self._received or self._readable(time.monotonic() + seconds)

    def receive(self, seconds: float | None = None) -> dict | None:
        """Returns the next message.

        Args:
            seconds: Seconds to wait for the whole message; None for ever.

        Returns:
            None where the other end has gone, was silent for so long, or sent anything else than a JSON object.
        """
        line = self._read_line(None if seconds is None else time.monotonic() + seconds)
        try:
            message = parse_json(line) if line else None
        except ValueError:
            return None
        return message if isinstance(message, dict) else None

    def close(self) -> None:
        """Closes the connection."""
        self._socket.close()

    def _send_line(self, line: bytes) -> bool:
        try:
            self._socket.sendall(line + b"\n")
        except OSError:
            return False
        return True

    def _read_line(self, end: float | None) -> bytes | None:
        with self._reading:
            try:
                while b"\n" not in self._received:
                    more = self._socket.recv(65536) if self._readable(end) else b""
                    if not more or len(self._received) > MAX_MESSAGE:
                        return None
                    self._received += more
            except (OSError, ValueError):  # ValueError: closed meanwhile
                return None
            line, _, self._received = self._received.partition(b"\n")
            return line

    def _readable(self, end: float | None) -> bool:
        """Waits for something to receive, the end included; `poll`, because `select.select` knows 1,024 open files only."""
        poll = select.poll()
        try:
            poll.register(self._socket, select.POLLIN)
        except (OSError, ValueError):  # closed meanwhile
            return True
        return bool(poll.poll(None if end is None else 1000 * max(0.0, end - time.monotonic())))


class WorkerGroup:
    """Workers that end together: after work, or with one line each when one of them fails or is lost.

    Each worker holds a TCP connection to the chief, on which a thread listens. An error of another worker ends this process
    at once, even where it waits for that worker inside TensorFlow. The connection closes when a process dies, and is probed
    when quiet (`MessageSocket`), so that a machine that is gone is missed within 30 seconds. Each worker says every five
    seconds that it runs, so that one that is stopped or hangs is missed within a minute; time in which this process
    is stopped itself does not count.

    Args:
        cluster: Addresses of the workers.
        peers: Connections by rank: the chief's to all others, or a worker's to the chief.
    """

    def __init__(self, cluster: Cluster, peers: dict[int, MessageSocket]):
        self._cluster, self._peers = cluster, peers
        self._said_goodbye, self._gone = ({rank: threading.Event() for rank in peers} for _ in range(2))
        self._end_lock, self._ending = threading.Lock(), threading.Event()
        for rank, peer in peers.items():
            threading.Thread(target=self._listen, args=(rank, peer), daemon=True).start()
        threading.Thread(target=self._beat, daemon=True).start()

    def leave(self) -> None:
        """Waits until all workers have finished; the chief goes last, since TensorFlow's workers report to it."""
        if self._cluster.rank:
            self._send_all(goodbye=True)
            self._said_goodbye[0].wait()
            return
        for event in self._said_goodbye.values():
            event.wait()
        self._send_all(goodbye=True)
        self._wait_until_gone(SECONDS_FOR_FAREWELL)

    def fail(self, line: str, code: int, others_first: float = 0) -> None:
        """Ends the other workers with this line, or this process with another's line where that one was first.

        Args:
            line: Error of this worker.
            code: Exit code of all workers.
            others_first: Seconds to wait for another worker's error, of which this one may be a consequence.
        """
        self._ending.wait(others_first)
        self._end(line, code, by=self._cluster.rank)

    def _beat(self) -> None:
        while not self._ending.wait(HEARTBEAT_SECONDS):
            self._send_all(alive=True)

    def _listen(self, rank: int, peer: MessageSocket) -> None:
        silent, found = 0, "the end of its connection"
        while silent < MISSED_HEARTBEATS:
            if not peer.wait(HEARTBEAT_SECONDS):
                silent += 1
                continue
            message, silent = peer.receive(SECONDS_FOR_LAST_WORDS), 0
            if message is None:
                break
            if _is_error(message, len(self._cluster.addresses)):
                self._gone[rank].set()
                self._end(message["line"], message["code"], by=message["by"], heard_from=rank)
            elif "goodbye" in message:
                self._said_goodbye[rank].set()
        else:
            found = f"nothing for {HEARTBEAT_SECONDS * MISSED_HEARTBEATS:.0f} seconds: it is stopped or hangs"
        self._gone[rank].set()
        if not self._said_goodbye[rank].is_set():
            self._end(f"Expected {self._cluster.name(rank)} to stay until the end; received {found}. "
                      "Look for its last words; start the same command again: it continues from the last checkpoint.",
                      WORKER_LOST, by=self._cluster.rank, heard_from=rank)

    def _end(self, line: str, code: int, by: int, heard_from: int | None = None) -> None:
        """Ends all workers for the first reason that any thread finds; later ones wait for the end of this process."""
        if not self._end_lock.acquire(blocking=False):
            if threading.current_thread() is threading.main_thread():
                time.sleep(2 * SECONDS_FOR_LAST_WORDS)
            return
        self._ending.set()
        self._send_all(line=line, code=code, by=by, but_not=heard_from)
        if heard_from is None:
            self._wait_until_gone(SECONDS_FOR_LAST_WORDS)
            return
        origin = "" if by == self._cluster.rank else f" (So says {self._cluster.name(by)}.)"
        print(f"Error: {printable(line)}{origin}", file=sys.stderr, flush=True)
        if self._cluster.rank == 0:
            self._wait_until_gone(SECONDS_FOR_LAST_WORDS)
        sys.stdout.flush()
        os._exit(code)

    def _send_all(self, but_not: int | None = None, **message: object) -> None:
        for rank, peer in self._peers.items():
            if rank != but_not:
                peer.send(**message)

    def _wait_until_gone(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        for event in self._gone.values():
            event.wait(max(0.0, end - time.monotonic()))


def _is_error(message: dict, num_workers: int) -> bool:
    """Returns whether a message is another worker's error: its line, exit code and rank."""
    line, code, by = (message.get(name) for name in ("line", "code", "by"))
    return isinstance(line, str) and type(code) is int and 0 < code < 256 and type(by) is int and 0 <= by < num_workers
