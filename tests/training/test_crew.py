"""How workers end together; the processes are threads here and their end is caught."""

import socket
import threading
import time

import pytest

from landmark_zoo.training.cluster import Cluster
from landmark_zoo.training.crew import LOST, Crew
from landmark_zoo.training.message_socket import MessageSocket

ADDRESSES = ("a:1", "b:2", "c:3")


@pytest.fixture
def ended(monkeypatch):
    """Exit codes, as processes would have ended."""
    codes = []
    monkeypatch.setattr("landmark_zoo.training.crew.os._exit", codes.append)
    monkeypatch.setattr("landmark_zoo.training.crew.SECONDS_FOR_LAST_WORDS", 0.2)
    return codes


@pytest.fixture
def peers():
    """The far ends of the chief's connections to workers 1 and 2, and the near ones."""
    listener = socket.create_server(("127.0.0.1", 0))
    near, far = {}, {}
    for rank in (1, 2):
        far[rank] = MessageSocket(socket.create_connection(listener.getsockname()))
        near[rank] = MessageSocket(listener.accept()[0])
    yield near, far
    listener.close()
    for each in (*near.values(), *far.values()):
        each.close()


def soon(condition):
    end = time.monotonic() + 5
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_a_worker_that_fails_ends_all_with_its_line(peers, ended, capfd):
    near, far = peers
    Crew(Cluster(ADDRESSES, 0), near)
    far[2].send(line="Expected x; received y. Do z.", code=2, by=2)
    assert far[1].receive(5) == {"line": "Expected x; received y. Do z.", "code": 2, "by": 2}
    soon(lambda: ended)
    assert ended == [2]
    assert capfd.readouterr().err == "Error: Expected x; received y. Do z. (So says worker 2 (c:3).)\n"


def test_a_lost_worker(peers, ended, capfd):
    near, far = peers
    Crew(Cluster(ADDRESSES, 0), near)
    far[1].close()
    told = far[2].receive(5)
    assert told["code"] == LOST
    assert told["line"].startswith("Expected worker 1 (b:2) to stay until the end; received the end of its connection.")
    soon(lambda: ended)
    assert capfd.readouterr().err.count("Error:") == 1


def test_a_lost_chief(peers, ended, capfd):
    near, far = peers
    Crew(Cluster(ADDRESSES, 2), {0: far[2]})
    near[2].close()
    soon(lambda: ended)
    assert ended == [LOST]
    assert "Expected worker 0 (a:1) to stay" in capfd.readouterr().err


def test_own_failure_is_told_and_printed_by_somebody_else(peers, ended, capfd):
    near, far = peers
    crew = Crew(Cluster(ADDRESSES, 0), near)
    crew.fail("Mend it.", 2)
    assert [far[rank].receive(5) for rank in (1, 2)] == [{"line": "Mend it.", "code": 2, "by": 0}] * 2
    assert not ended
    assert capfd.readouterr().err == ""


def test_an_echo_waits_for_the_cause(peers, ended, capfd):
    near, far = peers
    crew = Crew(Cluster(ADDRESSES, 0), near)
    threading.Timer(0.2, far[1].close).start()
    crew.fail("UnavailableError: collective", 1, others_first=5)
    soon(lambda: ended)
    assert ended == [LOST]
    assert "collective" not in capfd.readouterr().err


def test_they_leave_together_the_chief_last(peers, ended):
    near, far = peers
    done = []
    crews = [Crew(Cluster(ADDRESSES, 0), near), *(Crew(Cluster(ADDRESSES, rank), {0: far[rank]}) for rank in (1, 2))]

    def leave(rank):
        crews[rank].leave()
        done.append(rank)
        if rank:
            far[rank]._socket.shutdown(socket.SHUT_RDWR)
    threads = [threading.Thread(target=leave, args=(rank,), daemon=True) for rank in range(3)]
    threads[0].start()
    threads[1].start()
    time.sleep(0.1)
    assert not done
    threads[2].start()
    for thread in threads:
        thread.join(5)
    assert sorted(done) == [0, 1, 2]
    assert done[-1] == 0
    assert not ended
