import json
import socket
import time

import pytest

from landmark_zoo.training.message_socket import MessageSocket


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
