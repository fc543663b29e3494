"""The meeting before training; workers are threads here."""

import concurrent.futures
import socket
import threading
import time

import pytest

from landmark_zoo.core.errors import UserError
from landmark_zoo.training.cluster import Cluster
from landmark_zoo.training.local_workers import free_ports
from landmark_zoo.training.roll_call import roll_call

FACTS = {"code": "abc", "--batch_size": 8}


@pytest.fixture
def addresses():
    return tuple(f"127.0.0.1:{port}" for port in free_ports(3))


def dissolve(crews):
    """Lets them part as friends: none ends this process."""
    for crew in crews:
        for event in crew._said_goodbye.values():
            event.set()
    for crew in crews:
        for peer in crew._peers.values():
            peer._socket.shutdown(socket.SHUT_RDWR)


def outcomes(addresses, facts=(FACTS,) * 3, seconds=10.0, delays=(0, 0, 0), ranks=(0, 1, 2), jobs=("7",) * 3):
    """Returns what each worker gets: None, or the line it ends with; and how long it all took."""
    def one(rank):
        time.sleep(delays[rank])
        try:
            crews.append(roll_call(Cluster(addresses, rank, jobs[rank]), facts[rank], seconds))
        except UserError as error:
            return str(error)
        return None
    crews, start = [], time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(3) as pool:
        said = list(pool.map(one, ranks))
    dissolve(crews)
    return said, time.monotonic() - start


@pytest.mark.parametrize("delays", [(0, 0, 0), (0.6, 0, 0), (0, 0.5, 0)])
def test_all_well(addresses, delays):
    assert outcomes(addresses, delays=delays)[0] == [None] * 3


def test_the_port_is_free_for_tensorflow_while_the_connections_last(addresses):
    crews = []
    ends = [threading.Thread(target=lambda rank=rank: crews.append(roll_call(Cluster(addresses, rank), FACTS)))
            for rank in range(3)]
    for end in ends:
        end.start()
    for end in ends:
        end.join(10)
    assert len(crews) == 3
    for rank in range(3):
        socket.create_server(("", Cluster(addresses, rank).place(rank)[1])).close()
    dissolve(crews)


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
    assert all(f"3 workers at the roll call; received nothing from worker 2 ({addresses[2]})" in line or
               "an answer from worker 0" in line for line in said)
    assert seconds < 5


def test_a_chief_that_does_not_come(addresses):
    said, seconds = outcomes(addresses, ranks=(1, 2), seconds=1.0)
    assert all(f"an answer from worker 0 ({addresses[0]}) at the roll call; received none" in line for line in said)
    assert seconds < 5


@pytest.mark.parametrize("rank", [0, 1])
def test_a_port_in_use_is_the_same_line_on_each(addresses, rank):
    with socket.create_server(("", Cluster(addresses, 0).place(rank)[1])):
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
    assert f"the port of worker 0 ({addresses[0]}) to be free; received another program or another job" in said[1]
