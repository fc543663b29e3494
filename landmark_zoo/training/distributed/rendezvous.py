"""Rendezvous of all workers before TensorFlow connects them.

TensorFlow waits silently for a worker that is missing or runs other code; here every worker ends within seconds with one
line that names the cause.
"""

import contextlib
import os
import queue
import select
import socket
import threading
import time
from collections.abc import Iterator, Mapping

from landmark_zoo.core.errors import UserError
from landmark_zoo.training.distributed.authentication import SECRET, SECRET_FILE, SignedSocket, job_key
from landmark_zoo.training.distributed.cluster import Cluster
from landmark_zoo.training.distributed.interfaces import create_listener
from landmark_zoo.training.distributed.worker_group import WorkerGroup

CONNECT_SECONDS, MESSAGE_SECONDS, RETRY_SECONDS, POLL_SECONDS = 2.0, 5.0, 0.2, 0.1
MAX_CALLERS = 256  # that have not said yet who they are


def rendezvous(cluster: Cluster, facts: Mapping[str, object], seconds: float = 30.0,
               environ: Mapping[str, str] = os.environ) -> WorkerGroup:
    """Waits until all workers have met on the ports that TensorFlow will take, compares them, and connects them for good.

    Every worker resolves all host names and listens on its own port, on the interface that its name stands for. Each
    connects to the chief's port and sends its facts; the chief compares them with its own, connects to every worker's port,
    and tells all of them the outcome. What is not signed with the job's key (`job_key`) is passed over.

    Args:
        cluster: Addresses of the workers.
        facts: JSON values by name that must be the same on every worker.
        seconds: Seconds that the workers wait for each other.
        environ: Environment of the process, which may hold the secret.

    Returns:
        The connections, which stay open until the workers end.

    Raises:
        UserError: On every worker that can be reached, the same: a name that does not resolve, a port in use or not
            reachable, a worker that does not come, unlike facts. On one worker: no secret, or another than the chief's.
    """
    end = time.monotonic() + seconds
    key, problem = job_key(cluster, environ), _unknown_host(cluster)
    callers = None
    try:
        callers = _Callers(cluster, key)
    except UserError as error:
        problem = problem or error
    try:
        if cluster.rank:
            return WorkerGroup(cluster, {0: _join(cluster, key, callers, facts, problem, end)})
        return WorkerGroup(cluster, _gather(cluster, key, callers, facts, problem, end))
    finally:
        if callers is not None:
            callers.close()


class _Callers:
    """Connections to this worker's port that sent a signed message; strangers hold up nobody.

    Raises:
        UserError: The port is in use.
    """

    def __init__(self, cluster: Cluster, key: bytes):
        self._cluster, self._key = cluster, key
        self._listener = _listener(cluster)
        self._found: queue.SimpleQueue[tuple[SignedSocket, dict]] = queue.SimpleQueue()
        self._free, self._closed = threading.BoundedSemaphore(MAX_CALLERS), threading.Event()
        self._unknown: set[socket.socket] = set()  # accepted, and nothing heard from them yet
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    def waiting(self) -> Iterator[tuple[SignedSocket, dict]]:
        """Yields connection and message of those that have come since the last call."""
        while not self._found.empty():
            yield self._found.get()

    def close(self) -> None:
        """Gives the port free, and closes who has not said a word: it may be another worker's TensorFlow, which came early
        and tries again. The threads cannot do that later, as TensorFlow holds Python's lock while it connects."""
        self._closed.set()
        self._thread.join()
        self._listener.close()
        for connection in list(self._unknown):
            with contextlib.suppress(OSError):  # gone already
                connection.shutdown(socket.SHUT_RDWR)
            connection.close()
        for caller, _ in self.waiting():
            caller.close()

    def _accept(self) -> None:
        while not self._closed.is_set():
            if not select.select([self._listener], [], [], POLL_SECONDS)[0]:
                continue
            try:
                connection = self._listener.accept()[0]
            except OSError:  # gone again
                continue
            if self._free.acquire(blocking=False):
                self._unknown.add(connection)
                threading.Thread(target=self._hear, args=(connection,), daemon=True).start()
            else:
                connection.close()

    def _hear(self, connection: socket.socket) -> None:
        try:
            caller = SignedSocket(connection, self._key)
            message = caller.receive(MESSAGE_SECONDS)
            if message is None or not _is_typed(message, len(self._cluster.addresses)) or self._closed.is_set():
                caller.close()
            else:
                self._unknown.discard(connection)
                self._found.put((caller, message))
        except OSError:  # closed meanwhile
            connection.close()
        finally:
            self._unknown.discard(connection)
            self._free.release()


def _gather(cluster: Cluster, key: bytes, callers: _Callers | None, facts: Mapping[str, object], problem: UserError | None,
            end: float) -> dict[int, SignedSocket]:
    """Does the chief's part: hears all workers, compares them and tells them the outcome."""
    if callers is None:
        for rank in range(1, len(cluster.addresses)):
            if worker := _connect(cluster, rank, key):
                worker.send(rank=0, facts={}, **_outcome(problem))
                worker.close()
        raise problem
    peers: dict[int, SignedSocket] = {}
    while len(peers) < len(cluster.addresses) - 1 and time.monotonic() < end:
        for peer, hello in callers.waiting():
            if (rank := hello["rank"]) in peers:
                peers[rank].close()
            if not rank:
                continue
            peers[rank] = peer
            problem = problem or _problem(hello) or _difference(cluster, facts, hello["facts"], rank)
        time.sleep(POLL_SECONDS / 5)
    missing = [rank for rank in range(1, len(cluster.addresses)) if rank not in peers]
    if missing:
        problem = problem or UserError(f"{len(cluster.addresses)} workers at the rendezvous",
                                       f"nothing from {', '.join(map(cluster.name, missing))}",
                                       "Look at their logs: they may have failed before, or a firewall is between.")
    problem = problem or _unreachable(cluster)
    for peer in peers.values():
        peer.send(rank=0, facts={}, **_outcome(problem))
    if problem:
        raise problem
    return peers


def _join(cluster: Cluster, key: bytes, callers: _Callers | None, facts: Mapping[str, object], problem: UserError | None,
          end: float) -> SignedSocket:
    """Does a worker's part: connects until the chief answers, and hears a chief that cannot listen itself."""
    chief, strange = None, False
    while time.monotonic() < end:
        if chief is None:
            chief = _connect(cluster, 0, key)
            if chief is not None and not chief.send(rank=cluster.rank, facts=dict(facts), **_outcome(problem)):
                chief.close()
                chief = None
        if chief is not None and chief.wait(POLL_SECONDS):
            answer = chief.receive(MESSAGE_SECONDS)
            if answer is not None and _is_typed(answer, len(cluster.addresses)):
                if error := _problem(answer):
                    raise error
                return chief
            chief.close()
            chief, strange = None, True
        for caller, message in callers.waiting() if callers else ():
            caller.close()
            if error := _problem(message):
                raise error
        if chief is None:
            time.sleep(RETRY_SECONDS)
    if problem:
        raise problem
    if strange:
        raise UserError(f"{cluster.name(0)} to answer as a worker of this job", "another program, another job or another "
                        "secret", "Start again: another job has another port. Machines without a common home folder need "
                        f"the same {SECRET_FILE}, or the same {SECRET} in the environment.")
    raise UserError(f"an answer from {cluster.name(0)} at the rendezvous", "none in time",
                    "Look at its log: it may have failed before, or a firewall is between.")


def _is_typed(message: Mapping[str, object], num_workers: int) -> bool:
    """Returns whether a message of the rendezvous has a rank, facts, and a problem or none."""
    rank, facts, words = (message.get(name, "") for name in ("rank", "facts", "problem"))
    return (type(rank) is int and 0 <= rank < num_workers and isinstance(facts, dict) and
            (words is None or (isinstance(words, list) and len(words) == 3 and all(isinstance(one, str) for one in words))))


def _listener(cluster: Cluster) -> socket.socket:
    try:
        return create_listener(cluster, backlog=len(cluster.addresses) + 8)
    except OSError as error:
        raise _port_in_use(cluster, cluster.rank) from error


def _port_in_use(cluster: Cluster, rank: int) -> UserError:
    return UserError(f"the port of {cluster.name(rank)} to be free", "another program or another job on it",
                     "Start again: another job has another port; or end that program.")


def _unknown_host(cluster: Cluster) -> UserError | None:
    for rank in range(len(cluster.addresses)):
        try:
            socket.getaddrinfo(*cluster.host_port(rank), type=socket.SOCK_STREAM)
        except OSError as error:
            return UserError(f"a host name that resolves for {cluster.name(rank)}",
                             f"{error.strerror or error} on {socket.gethostname()}",
                             "Leave that node out, or mend its name.")
    return None


def _unreachable(cluster: Cluster) -> UserError | None:
    for rank in range(1, len(cluster.addresses)):
        try:
            socket.create_connection(cluster.host_port(rank), timeout=CONNECT_SECONDS).close()
        except OSError:
            return UserError(f"{cluster.name(rank)} to be reachable from {cluster.name(0)}", "no connection",
                             "Leave that node out, or open the ports between the nodes.")
    return None


def _connect(cluster: Cluster, rank: int, key: bytes) -> SignedSocket | None:
    try:
        return SignedSocket(socket.create_connection(cluster.host_port(rank), timeout=CONNECT_SECONDS), key)
    except OSError:
        return None


def _difference(cluster: Cluster, mine: Mapping[str, object], theirs: Mapping[str, object], rank: int) -> UserError | None:
    for name in sorted({*mine, *theirs}):
        if mine.get(name) != theirs.get(name):
            return UserError(f"the same {name} on every worker", f"{mine.get(name)} on {cluster.name(0)} and "
                             f"{theirs.get(name)} on {cluster.name(rank)}",
                             "Start all with one srun, from one copy of the code, on nodes of one kind.")
    return None


def _outcome(problem: UserError | None) -> dict[str, object]:
    return {"problem": problem and [problem.expected, problem.received, problem.remedy]}


def _problem(message: Mapping[str, object]) -> UserError | None:
    words = message.get("problem")
    return UserError(*words) if words else None
