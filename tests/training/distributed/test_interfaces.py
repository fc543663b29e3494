"""Interfaces of the workers' ports."""

import socket

import pytest

from landmark_zoo.training.distributed import interfaces
from landmark_zoo.training.distributed.cluster import Cluster
from landmark_zoo.training.distributed.interfaces import close_to_other_machines, create_listener, on_one_machine
from landmark_zoo.training.distributed.local_workers import free_ports


def cluster(*hosts, rank=0):
    return Cluster(tuple(f"{host}:{port}" for host, port in zip(hosts, free_ports(len(hosts)), strict=True)), rank)


@pytest.fixture
def names(monkeypatch):
    """Host names and what they stand for."""
    known = {"node1": "127.0.1.1", "node2": "192.0.2.7", "node3": "127.0.0.1"}

    def addresses(host, port, *_, type=None):
        if host not in known:
            raise socket.gaierror(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (known[host], port))]
    monkeypatch.setattr(interfaces.socket, "getaddrinfo", addresses)
    return known


def test_workers_of_one_machine_listen_on_the_loopback_interface():
    here = cluster("127.0.0.1", "localhost")
    with create_listener(here, 3) as listener:
        assert listener.getsockname() == ("127.0.0.1", here.host_port(0)[1])
    assert on_one_machine(here)


def test_a_name_that_is_loopback_at_home_is_reached_from_elsewhere_by_another_address(names):
    known = cluster("node1", "node2", "unknown")
    assert not on_one_machine(known)
    assert interfaces._own_address(cluster("node1", "node3")) == (socket.AF_INET, "127.0.1.1")
    assert interfaces._own_address(cluster("node2", "node1")) == (socket.AF_INET, "192.0.2.7")
    family, address = interfaces._own_address(known)
    assert family == socket.AF_INET
    assert not interfaces._is_loopback(address)


def test_an_address_of_another_machine_falls_back_to_all_interfaces(names):
    with create_listener(cluster("node2", "node1"), 3) as listener:
        assert listener.getsockname()[0] in ("0.0.0.0", "192.0.2.7")


@pytest.mark.parametrize("address", ["", "127.0.0.1", "127.0.0.2"])
def test_a_port_in_use_on_any_interface(address):
    here = cluster("127.0.0.1", "127.0.0.1")
    with socket.create_server((address, here.host_port(0)[1])), pytest.raises(OSError, match="in use"):
        create_listener(here, 3)


def test_a_listening_socket_is_tied_to_the_loopback_interface():
    with socket.create_server(("::", 0), family=socket.AF_INET6, dualstack_ipv6=True) as listener:
        port = listener.getsockname()[1]
        if not close_to_other_machines(port):
            pytest.skip("the kernel does not allow it")
        assert listener.getsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, 16).rstrip(b"\0") == b"lo"
        socket.create_connection(("127.0.0.1", port), 2).close()
    assert not close_to_other_machines(port)
