import json
import socket
import threading
import time

import pytest

from landmark_zoo.training.distributed.cluster import Cluster
from landmark_zoo.training.distributed.worker_group import WORKER_LOST, MessageSocket, WorkerGroup

ADDRESSES = ("a:1", "b:2", "c:3")


@pytest.fixture
def ended(monkeypatch):
    """Exit codes, as processes would have ended."""
    codes = []
    monkeypatch.setattr("landmark_zoo.training.distributed.worker_group.os._exit", codes.append)
    monkeypatch.setattr("landmark_zoo.training.distributed.worker_group.SECONDS_FOR_LAST_WORDS", 0.2)
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
    WorkerGroup(Cluster(ADDRESSES, 0), near)
    far[2].send(line="Expected x; received y. Do z.", code=2, by=2)
    assert far[1].receive(5) == {"line": "Expected x; received y. Do z.", "code": 2, "by": 2}
    soon(lambda: ended)
    assert ended == [2]
    assert capfd.readouterr().err == "Error: Expected x; received y. Do z. (So says worker 2 (c:3).)\n"


def test_a_lost_worker(peers, ended, capfd):
    near, far = peers
    WorkerGroup(Cluster(ADDRESSES, 0), near)
    far[1].close()
    told = far[2].receive(5)
    assert told["code"] == WORKER_LOST
    assert told["line"].startswith("Expected worker 1 (b:2) to stay until the end; received the end of its connection.")
    soon(lambda: ended)
    assert capfd.readouterr().err.count("Error:") == 1


def test_a_lost_chief(peers, ended, capfd):
    near, far = peers
    WorkerGroup(Cluster(ADDRESSES, 2), {0: far[2]})
    near[2].close()
    soon(lambda: ended)
    assert ended == [WORKER_LOST]
    assert "Expected worker 0 (a:1) to stay" in capfd.readouterr().err


def test_own_failure_is_told_and_printed_by_somebody_else(peers, ended, capfd):
    near, far = peers
    group = WorkerGroup(Cluster(ADDRESSES, 0), near)
    group.fail("Mend it.", 2)
    assert [far[rank].receive(5) for rank in (1, 2)] == [{"line": "Mend it.", "code": 2, "by": 0}] * 2
    assert not ended
    assert capfd.readouterr().err == ""


def test_an_echo_waits_for_the_cause(peers, ended, capfd):
    near, far = peers
    group = WorkerGroup(Cluster(ADDRESSES, 0), near)
    threading.Timer(0.2, far[1].close).start()
    group.fail("UnavailableError: collective", 1, others_first=5)
    soon(lambda: ended)
    assert ended == [WORKER_LOST]
    assert "collective" not in capfd.readouterr().err


def test_they_leave_together_the_chief_last(peers, ended):
    near, far = peers
    done = []
    groups = [WorkerGroup(Cluster(ADDRESSES, 0), near),
             *(WorkerGroup(Cluster(ADDRESSES, rank), {0: far[rank]}) for rank in (1, 2))]

    def leave(rank):
        groups[rank].leave()
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


def test_a_worker_that_falls_silent(peers, ended, capfd, monkeypatch):
    monkeypatch.setattr("landmark_zoo.training.distributed.worker_group.HEARTBEAT_SECONDS", 0.02)
    near, far = peers
    WorkerGroup(Cluster(ADDRESSES, 0), near)
    silent_from = time.monotonic() + 0.5
    while time.monotonic() < silent_from:
        assert not ended
        assert all(peer.send(alive=True) for peer in far.values())
        time.sleep(0.01)
    while not ended:
        far[2].send(alive=True)
        time.sleep(0.01)
    assert ended == [WORKER_LOST]
    assert "Error: Expected worker 1 (b:2) to stay until the end; received nothing for 0 seconds" in capfd.readouterr().err
    while "line" not in (told := far[2].receive(5)):
        assert told == {"alive": True}


def test_time_in_which_this_process_is_stopped_is_no_silence(peers, ended, monkeypatch):
    slices = []
    monkeypatch.setattr(MessageSocket, "wait", lambda self, seconds: slices.append(seconds) or len(slices) > 8)
    near, far = peers
    for _ in range(9):
        far[1].send(alive=True)
    WorkerGroup(Cluster(ADDRESSES, 0), {1: near[1]})
    soon(lambda: len(slices) > 12)
    assert not ended
    far[1].close()
    soon(lambda: ended)


@pytest.mark.parametrize("message", [
    {"line": 3, "code": 2, "by": 1}, {"line": "x", "code": "2", "by": 1}, {"line": "x", "code": 0, "by": 1},
    {"line": "x", "code": 2, "by": 9}, {"line": "x", "code": 2}, {"line": "x", "code": True, "by": 1}])
def test_a_message_of_other_types_ends_nobody(peers, ended, message):
    near, far = peers
    WorkerGroup(Cluster(ADDRESSES, 0), near)
    far[1].send(**message)
    time.sleep(0.05)
    assert not ended
    far[1].close()
    soon(lambda: ended)
    assert ended == [WORKER_LOST]


@pytest.fixture
def ends():
    listener = socket.create_server(("127.0.0.1", 0))
    near = socket.create_connection(listener.getsockname())
    far, _ = listener.accept()
    listener.close()
    yield MessageSocket(near), far
    near.close()
    far.close()


def test_messages_in_order_however_they_are_cut(ends):
    near, far = ends
    text = b"".join(json.dumps({"number": number}).encode() + b"\n" for number in range(3))
    far.sendall(text[:7])
    far.sendall(text[7:])
    assert [near.receive(5)["number"] for _ in range(3)] == [0, 1, 2]
    assert near.send(word="ä\n")
    assert json.loads(far.recv(100)) == {"word": "ä\n"}


@pytest.mark.parametrize("noise", [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"[1]\n", b"\xff\xfe\n"])
def test_somebody_who_speaks_otherwise(ends, noise):
    near, far = ends
    far.sendall(noise)
    assert near.receive(5) is None


def test_a_message_that_trickles_in_has_a_total_deadline(ends):
    near, far = ends
    done = threading.Event()

    def trickle():
        while not done.wait(0.02):
            far.sendall(b" ")
    thread = threading.Thread(target=trickle, daemon=True)
    thread.start()
    start = time.monotonic()
    assert near.receive(0.2) is None
    assert time.monotonic() - start < 2
    done.set()
    thread.join()


def test_silence_and_the_end(ends):
    near, far = ends
    start = time.monotonic()
    assert near.receive(0.05) is None
    assert time.monotonic() - start < 5
    far.close()
    assert near.receive() is None
    assert not (near.send(word=1) and near.send(word=2) and near.send(word=3))


def test_a_silent_connection_is_tested_within_30_seconds(ends):
    near, _ = ends
    raw = near._socket
    assert raw.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
    idle, between, tests = (raw.getsockopt(socket.IPPROTO_TCP, option) for option in (
        socket.TCP_KEEPIDLE, socket.TCP_KEEPINTVL, socket.TCP_KEEPCNT))
    assert idle + between * tests <= 30
