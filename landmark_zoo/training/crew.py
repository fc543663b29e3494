"""The workers of a run, in touch with each other as long as it lasts."""

import os
import sys
import threading
import time

from landmark_zoo.training.cluster import Cluster
from landmark_zoo.training.message_socket import MessageSocket

LOST = 3  # exit code: another worker is gone
SECONDS_FOR_LAST_WORDS, SECONDS_FOR_FAREWELL = 5, 20


class Crew:
    """Ends all workers together: after work, or with one line each when one fails or is lost.

    Each worker holds a TCP connection to the chief. A thread listens; what ends another worker ends this process at once,
    even where it waits for that worker inside TensorFlow: its connection closes when a process dies, and is tested when
    quiet (`MessageSocket`), so that a machine that is gone is missed within 30 seconds.

    Args:
        cluster: Who they are.
        peers: The chief's connections to all others by rank, or a worker's to the chief.
    """

    def __init__(self, cluster: Cluster, peers: dict[int, MessageSocket]):
        self._cluster, self._peers = cluster, peers
        self._said_goodbye, self._gone = ({rank: threading.Event() for rank in peers} for _ in range(2))
        self._first, self._over = threading.Lock(), threading.Event()
        for rank, peer in peers.items():
            threading.Thread(target=self._listen, args=(rank, peer), daemon=True).start()

    def leave(self) -> None:
        """Waits until all have finished; the chief goes last, since TensorFlow's workers report to it."""
        if self._cluster.rank:
            self._tell(goodbye=True)
            self._said_goodbye[0].wait()
            return
        for event in self._said_goodbye.values():
            event.wait()
        self._tell(goodbye=True)
        self._wait_until_gone(SECONDS_FOR_FAREWELL)

    def fail(self, line: str, code: int, others_first: float = 0) -> None:
        """Ends the others with this line, or this process with theirs where they were first.

        Args:
            line: What is wrong here.
            code: Exit code of all.
            others_first: Seconds in which another's word counts more: an error may be the echo of a lost worker.
        """
        self._over.wait(others_first)
        self._end(line, code, by=self._cluster.rank)

    def _listen(self, rank: int, peer: MessageSocket) -> None:
        while (message := peer.receive()) is not None:
            if "line" in message:
                self._gone[rank].set()
                self._end(message["line"], message["code"], by=message["by"], heard_from=rank)
            elif "goodbye" in message:
                self._said_goodbye[rank].set()
        self._gone[rank].set()
        if not self._said_goodbye[rank].is_set():
            self._end(f"Expected {self._cluster.name(rank)} to stay until the end; received the end of its connection. "
                      "Look for its last words; start the same command again: it continues from the last checkpoint.", LOST,
                      by=self._cluster.rank, heard_from=rank)

    def _end(self, line: str, code: int, by: int, heard_from: int | None = None) -> None:
        """The first reason wins: the thread that finds it tells the others, the rest of this process waits for its end."""
        if not self._first.acquire(blocking=False):
            if threading.current_thread() is threading.main_thread():
                time.sleep(2 * SECONDS_FOR_LAST_WORDS)
            return
        self._over.set()
        self._tell(line=line, code=code, by=by, but_not=heard_from)
        if heard_from is None:
            self._wait_until_gone(SECONDS_FOR_LAST_WORDS)
            return
        origin = "" if by == self._cluster.rank else f" (So says {self._cluster.name(by)}.)"
        print(f"Error: {line}{origin}", file=sys.stderr, flush=True)
        if self._cluster.rank == 0:
            self._wait_until_gone(SECONDS_FOR_LAST_WORDS)
        sys.stdout.flush()
        os._exit(code)

    def _tell(self, but_not: int | None = None, **message: object) -> None:
        for rank, peer in self._peers.items():
            if rank != but_not:
                peer.send(**message)

    def _wait_until_gone(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        for event in self._gone.values():
            event.wait(max(0.0, end - time.monotonic()))
