"""The meeting before training; workers are threads here."""

import concurrent.futures
import socket
import threading
import time

import pytest

from landmark_zoo.core.errors import UserError
from landmark_zoo.training.distributed.cluster import Cluster
from landmark_zoo.training.distributed.local_workers import free_ports
from landmark_zoo.training.distributed.rendezvous import _Callers, _is_typed, rendezvous

FACTS = {"code": "abc", "--batch_size": 8}


@pytest.fixture(autouse=True)
def secret(monkeypatch):
    monkeypatch.setenv("LANDMARK_ZOO_SECRET", "s" * 32)


@pytest.fixture
def addresses():
    return tuple(f"127.0.0.1:{port}" for port in free_ports(3))


def dissolve(groups):
    """Lets them part as friends: none ends this process."""
    for group in groups:
        for event in group._said_goodbye.values():
            event.set()
    for group in groups:
        for peer in group._peers.values():
            peer._socket.shutdown(socket.SHUT_RDWR)


def outcomes(addresses, facts=(FACTS,) * 3, seconds=10.0, delays=(0, 0, 0), ranks=(0, 1, 2), jobs=("7",) * 3):
    """Returns what each worker gets: None, or the line it ends with; and how long it all took."""
    def one(rank):
        time.sleep(delays[rank])
        try:
            groups.append(rendezvous(Cluster(addresses, rank, jobs[rank]), facts[rank], seconds))
        except UserError as error:
            return str(error)
        return None
    groups, start = [], time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(3) as pool:
        said = list(pool.map(one, ranks))
    dissolve(groups)
    return said, time.monotonic() - start


@pytest.mark.parametrize("delays", [(0, 0, 0), (0.6, 0, 0), (0, 0.5, 0)])
def test_all_well(addresses, delays):
    assert outcomes(addresses, delays=delays)[0] == [None] * 3


def test_the_port_is_free_for_tensorflow_while_the_connections_last(addresses):
    groups = []
    ends = [threading.Thread(target=lambda rank=rank: groups.append(rendezvous(Cluster(addresses, rank), FACTS)))
            for rank in range(3)]
    for end in ends:
        end.start()
    for end in ends:
        end.join(10)
    assert len(groups) == 3
    for rank in range(3):
        socket.create_server(("", Cluster(addresses, rank).host_port(rank)[1])).close()
    dissolve(groups)


def test_other_flags_on_one_worker_are_the_same_line_on_each(addresses):
    said, seconds = outcomes(addresses, (FACTS, FACTS, {**FACTS, "--batch_size": 16}))
    assert len(set(said)) == 1
    assert said[0].startswith(f"Expected the same --batch_size on every worker; received 8 on worker 0 ({addresses[0]}) and "
                              f"16 on worker 2 ({addresses[2]}).")
    assert seconds < 5


def test_other_code(addresses):
    said, _ = outcomes(addresses, (FACTS, {**FACTS, "code": "xyz"}, FACTS))
    assert all("the same code on every worker; received abc" in line for line in said)


def test_a_worker_that_does_not_come(addresses):
    said, seconds = outcomes(addresses, ranks=(0, 1), seconds=1.0)
    assert all(f"3 workers at the rendezvous; received nothing from worker 2 ({addresses[2]})" in line or
               "an answer from worker 0" in line for line in said)
    assert seconds < 5


def test_a_chief_that_does_not_come(addresses):
    said, seconds = outcomes(addresses, ranks=(1, 2), seconds=1.0)
    assert all(f"an answer from worker 0 ({addresses[0]}) at the rendezvous; received none" in line for line in said)
    assert seconds < 5


@pytest.mark.parametrize("rank", [0, 1])
def test_a_port_in_use_is_the_same_line_on_each(addresses, rank):
    with socket.create_server(("", Cluster(addresses, 0).host_port(rank)[1])):
        said, seconds = outcomes(addresses, seconds=6.0, delays=(0.5, 0, 0))
    assert len(set(said)) == 1
    assert f"the port of worker {rank} ({addresses[rank]}) to be free; received another program" in said[0]
    assert seconds < 10


def test_a_name_that_does_not_resolve(addresses):
    addresses = (*addresses[:2], "no-such-node.invalid:2222")
    said, seconds = outcomes(addresses, ranks=(0, 1), seconds=2.0)
    assert all("a host name that resolves for worker 2 (no-such-node.invalid:2222)" in line for line in said)
    assert seconds < 10


def test_a_worker_of_another_job(addresses):
    said, _ = outcomes(addresses, ranks=(0, 1), seconds=2.0, jobs=("7", "8", "7"))
    assert f"received nothing from worker 1 ({addresses[1]}), worker 2" in said[0]
    assert f"worker 0 ({addresses[0]}) to answer as a worker of this job; received another program, another job" in said[1]


def strangers(address, stop, say):
    """Keeps connections open at an address, as soon as somebody listens, until `stop` is set."""
    host, port = address.rsplit(":", 1)
    held = []
    while not stop.wait(0.02):
        try:
            held.append(socket.create_connection((host, int(port)), timeout=1))
            held[-1].sendall(say)
        except OSError:
            continue
        if len(held) > 20:
            break
    stop.wait(20)
    for each in held:
        each.close()


@pytest.mark.parametrize("say", [
    b"", b"{", b"GET / HTTP/1.1\r\n\r\n", b"0" * 32 + b"\n" + b"0" * 64 + b' {"rank": 1, "facts": {}, "problem": null}\n',
    b'{"problem": ["x", "y", "z"], "rank": 0, "facts": {}}\n'])
@pytest.mark.parametrize("at", [0, 1])
def test_strangers_neither_hold_up_nor_end_the_workers(addresses, say, at):
    stop = threading.Event()
    thread = threading.Thread(target=strangers, args=(addresses[at], stop, say), daemon=True)
    thread.start()
    said, seconds = outcomes(addresses, delays=(0.1, 0, 0.4))
    stop.set()
    thread.join()
    assert said == [None] * 3
    assert seconds < 4


def test_another_secret(addresses, monkeypatch):
    keys = iter("abc")
    monkeypatch.setattr(f"{rendezvous.__module__}.job_key", lambda *_: next(keys).encode())
    said, _ = outcomes(addresses, seconds=1.0)
    assert "received nothing from worker 1" in said[0]
    assert all("another secret" in line and "~/.landmark_zoo/secret" in line for line in said[1:])


@pytest.mark.parametrize("change", [
    {"rank": "1"}, {"rank": 3}, {"rank": -1}, {"rank": True}, {"rank": None}, {"facts": [1]}, {"problem": ["x", "y"]},
    {"problem": "x"}, {"problem": [1, 2, 3]}])
def test_a_message_of_other_types_is_none(change):
    good = {"rank": 1, "facts": {}, "problem": None}
    assert _is_typed(good, 3)
    assert _is_typed(good | {"problem": ["x", "y", "z"]}, 3)
    assert not _is_typed(good | change, 3)
    assert not any(_is_typed({key: value for key, value in good.items() if key != name}, 3) for name in good)


def test_who_has_said_nothing_is_closed_before_tensorflow_starts(addresses):
    """TensorFlow of a quick worker may knock at the chief's port early; it tries again once that is closed."""
    callers = _Callers(Cluster(addresses, 0), b"k" * 32)
    with socket.create_connection(Cluster(addresses, 0).host_port(0)) as early:
        while not callers._unknown:
            time.sleep(0.01)
        callers.close()
        early.settimeout(1)
        said = b""
        while more := early.recv(4096):  # a timeout here would mean that the connection is still open
            said += more
        assert len(said) == 33  # the number that every caller is sent, and the end
