"""What must be true of all workers before TensorFlow connects them, found out in seconds instead of a silent wait."""

import select
import socket
import time
from collections.abc import Mapping

from landmark_zoo.core.errors import UserError
from landmark_zoo.training.cluster import Cluster
from landmark_zoo.training.crew import Crew
from landmark_zoo.training.message_socket import MessageSocket

SECONDS_OF_A_TRY, SECONDS_OF_A_MESSAGE, PAUSE = 2.0, 5.0, 0.2


def roll_call(cluster: Cluster, facts: Mapping[str, object], seconds: float = 30.0) -> Crew:
    """Lets the workers meet on the ports that TensorFlow will take, compares them, and returns their lasting connection.

    Every worker resolves all host names and listens on its own port; each calls the chief's port, the chief calls theirs,
    compares what they say of themselves and tells everybody the outcome.

    Args:
        cluster: Who they are.
        facts: What must be the same on every worker: JSON values by name.
        seconds: How long the workers wait for each other.

    Raises:
        UserError: On every worker that can be reached, the same: a name that does not resolve, a port in use or not
            reachable, a worker that does not come, unlike facts.
    """
    end = time.monotonic() + seconds
    listener, problem = None, _unknown_host(cluster)
    try:
        listener = _listener(cluster)
    except UserError as error:
        problem = problem or error
    try:
        if cluster.rank:
            return Crew(cluster, {0: _call_chief(cluster, listener, facts, problem, end)})
        return Crew(cluster, _call_all(cluster, listener, facts, problem, end))
    finally:
        if listener is not None:
            listener.close()


def _call_all(cluster: Cluster, listener: socket.socket | None, facts: Mapping[str, object], problem: UserError | None,
              end: float) -> dict[int, MessageSocket]:
    """The chief's part."""
    if listener is None:
        for rank in range(1, len(cluster.addresses)):
            if worker := _connection(cluster, rank):
                worker.send(**_outcome(problem))
                worker.close()
        raise problem
    peers: dict[int, MessageSocket] = {}
    while len(peers) < len(cluster.addresses) - 1 and (left := end - time.monotonic()) > 0:
        if not select.select([listener], [], [], left)[0]:
            break
        peer = MessageSocket(listener.accept()[0])
        hello = peer.receive(SECONDS_OF_A_MESSAGE)
        if hello is None or hello.get("cluster") != _token(cluster):
            peer.send(**_outcome(_busy(cluster, 0)))
            peer.close()
            continue
        rank = hello["rank"]
        peers[rank] = peer
        problem = problem or _problem(hello) or _difference(cluster, facts, hello["facts"], rank)
    missing = [rank for rank in range(1, len(cluster.addresses)) if rank not in peers]
    if missing:
        problem = problem or UserError(f"{len(cluster.addresses)} workers at the roll call",
                                       f"nothing from {', '.join(map(cluster.name, missing))}",
                                       "Look at their logs: they may have failed before, or a firewall is between.")
    problem = problem or _unreachable(cluster)
    for peer in peers.values():
        peer.send(**_outcome(problem))
    if problem:
        raise problem
    return peers


def _call_chief(cluster: Cluster, listener: socket.socket | None, facts: Mapping[str, object], problem: UserError | None,
                end: float) -> MessageSocket:
    """A worker's part: it calls until the chief answers, and listens whether the chief has something to say first."""
    chief = None
    while (left := end - time.monotonic()) > 0:
        if chief is None:
            chief = _connection(cluster, 0)
            if chief is not None:
                chief.send(cluster=_token(cluster), rank=cluster.rank, facts=dict(facts), **_outcome(problem))
        waiting = [each for each in (chief, listener) if each is not None]
        ready = select.select(waiting, [], [], min(left, PAUSE if chief is None else left))[0] if waiting else []
        if listener in ready:
            caller = MessageSocket(listener.accept()[0])
            said = _problem(caller.receive(SECONDS_OF_A_MESSAGE) or {})
            caller.close()
            if said:
                raise said
        if chief in ready:
            answer = chief.receive(SECONDS_OF_A_MESSAGE)
            if answer is not None and "problem" in answer:
                if said := _problem(answer):
                    raise said
                return chief
            chief = None
            time.sleep(PAUSE)
        elif chief is None and listener is None:
            time.sleep(PAUSE)
    raise problem or UserError(f"an answer from {cluster.name(0)} at the roll call", "none in time",
                               "Look at its log: it may have failed before, or a firewall is between.")


def _listener(cluster: Cluster) -> socket.socket:
    port = cluster.place(cluster.rank)[1]
    try:
        return socket.create_server(("", port), backlog=len(cluster.addresses) + 8)
    except OSError as error:
        raise _busy(cluster, cluster.rank) from error


def _busy(cluster: Cluster, rank: int) -> UserError:
    return UserError(f"the port of {cluster.name(rank)} to be free", "another program or another job on it",
                     "Start again: another job has another port; or end that program.")


def _unknown_host(cluster: Cluster) -> UserError | None:
    for rank in range(len(cluster.addresses)):
        try:
            socket.getaddrinfo(*cluster.place(rank), type=socket.SOCK_STREAM)
        except OSError as error:
            return UserError(f"a host name that resolves for {cluster.name(rank)}",
                             f"{error.strerror or error} on {socket.gethostname()}",
                             "Leave that node out, or mend its name.")
    return None


def _unreachable(cluster: Cluster) -> UserError | None:
    for rank in range(1, len(cluster.addresses)):
        connection = _connection(cluster, rank)
        if connection is None:
            return UserError(f"{cluster.name(rank)} to be reachable from {cluster.name(0)}", "no connection",
                             "Leave that node out, or open the ports between the nodes.")
        connection.close()
    return None


def _connection(cluster: Cluster, rank: int) -> MessageSocket | None:
    try:
        return MessageSocket(socket.create_connection(cluster.place(rank), timeout=SECONDS_OF_A_TRY))
    except OSError:
        return None


def _difference(cluster: Cluster, mine: Mapping[str, object], theirs: Mapping[str, object], rank: int) -> UserError | None:
    for name in sorted({*mine, *theirs}):
        if mine.get(name) != theirs.get(name):
            return UserError(f"the same {name} on every worker", f"{mine.get(name)} on {cluster.name(0)} and "
                             f"{theirs.get(name)} on {cluster.name(rank)}",
                             "Start all with one srun, from one copy of the code, on nodes of one kind.")
    return None


def _token(cluster: Cluster) -> list[object]:
    return [cluster.job, *cluster.addresses]


def _outcome(problem: UserError | None) -> dict[str, object]:
    return {"problem": problem and [problem.expected, problem.received, problem.remedy]}


def _problem(message: Mapping[str, object]) -> UserError | None:
    words = message.get("problem")
    return UserError(*words) if words else None
