"""Network interfaces that the workers' ports answer on."""

import errno
import ipaddress
import os
import re
import socket
from pathlib import Path

from landmark_zoo.training.distributed.cluster import Cluster

_LISTENING = "0A"  # state of a socket in /proc/self/net/tcp


def create_listener(cluster: Cluster, backlog: int) -> socket.socket:
    """Returns a socket that listens on this worker's port, on the interface alone that the others reach it by.

    Raises:
        OSError: The port is in use on any interface: TensorFlow will take it on all.
    """
    port = cluster.host_port(cluster.rank)[1]
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(("", port))
    family, address = _own_address(cluster)
    try:
        return socket.create_server((address, port), family=family, backlog=backlog)
    except OSError as error:
        if error.errno != errno.EADDRNOTAVAIL:  # a name that stands for another machine's address, such as a gateway's
            raise
        return socket.create_server(("", port), backlog=backlog)


def _own_address(cluster: Cluster) -> tuple[socket.AddressFamily, str]:
    """Returns what this worker's name stands for or, where that is a loopback address for others too (as in many an
    /etc/hosts), the address from which this machine reaches another worker's."""
    family, _, _, _, (address, *_) = socket.getaddrinfo(*cluster.host_port(cluster.rank), type=socket.SOCK_STREAM)[0]
    if not _is_loopback(address):
        return family, address
    for rank in range(len(cluster.addresses)):
        host, port = cluster.host_port(rank)
        for other_family, other in _addresses(host, port):
            if not _is_loopback(other):
                with socket.socket(other_family, socket.SOCK_DGRAM) as probe:  # connect() only looks up the route
                    probe.connect((other, port))
                    return other_family, probe.getsockname()[0]
    return family, address


def _addresses(host: str, port: int) -> list[tuple[socket.AddressFamily, str]]:
    """Returns family and address of what a name stands for; nothing for an unknown name."""
    try:
        return [(found[0], found[4][0]) for found in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
    except OSError:
        return []


def _is_loopback(address: str) -> bool:
    return ipaddress.ip_address(address.partition("%")[0]).is_loopback


def on_one_machine(cluster: Cluster) -> bool:
    """Returns whether all workers have loopback addresses."""
    return all(_is_loopback(address) for rank in range(len(cluster.addresses))
               for _, address in _addresses(*cluster.host_port(rank)))


def close_to_other_machines(port: int) -> bool:
    """Ties the socket on which this process listens at a port to the loopback interface.

    TensorFlow's server listens on all interfaces and can be told no other.

    Returns:
        Whether there is such a socket and the kernel allowed it (Linux 5.7 and newer do without rights).
    """
    inodes = set()
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/self/net/{table}").read_text(encoding="ascii").splitlines()[1:]:
            _, local, _, state, *_, inode = line.split()[:10]
            if state == _LISTENING and int(local.rpartition(":")[2], 16) == port:
                inodes.add(inode)
    done = 0
    try:
        for name in os.listdir("/proc/self/fd"):
            found = re.fullmatch(r"socket:\[(\d+)\]", _link(f"/proc/self/fd/{name}"))
            if found and found[1] in inodes:
                with socket.socket(fileno=os.dup(int(name))) as listener:
                    listener.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"lo\0")
                done += 1
    except OSError:
        return False
    return done > 0


def _link(path: str) -> str:
    try:
        return os.readlink(path)
    except OSError:  # closed meanwhile
        return ""
