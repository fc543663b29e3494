"""The job's key, and connections of which each end knows the other for a worker of the job."""

import socket
import stat

import pytest

from landmark_zoo.core.errors import UserError
from landmark_zoo.training.distributed import authentication
from landmark_zoo.training.distributed.authentication import SECRET, SignedSocket, job_key
from landmark_zoo.training.distributed.cluster import Cluster

CLUSTER = Cluster(("a:1", "b:2"), 0, "7")


@pytest.fixture
def path(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr(authentication, "SECONDS_FOR_SECRET", 0.1)
    return tmp_path / ".landmark_zoo" / "secret"


def test_the_secret_is_made_once_and_for_the_user_alone(path):
    key = job_key(CLUSTER, {})
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert key == job_key(Cluster(CLUSTER.addresses, 1, "7"), {})
    others = [Cluster(CLUSTER.addresses, 0, "8"), Cluster(("a:1", "b:3"), 0, "7")]
    assert len({key, *(job_key(other, {}) for other in others), job_key(CLUSTER, {SECRET: "x" * 32})}) == 4
    path.unlink()
    assert job_key(CLUSTER, {}) != key


@pytest.mark.parametrize(("spoil", "received"), [
    (lambda path: path.chmod(0o640), "mode 640"), (lambda path: path.write_text(""), "0"),
    (lambda path: (path.unlink(), path.mkdir()), "Is a directory"), (lambda path: path.write_bytes(b"\xff" * 64), "ascii")])
def test_a_secret_that_is_none(path, spoil, received):
    job_key(CLUSTER, {})
    spoil(path)
    with pytest.raises(UserError, match=f"received .*{received}"):
        job_key(CLUSTER, {})


def test_a_secret_that_is_too_short(path):
    with pytest.raises(UserError, match=f"at least 32 characters in {SECRET}; received 5"):
        job_key(CLUSTER, {SECRET: "short"})
    assert not path.exists()


@pytest.fixture
def ends():
    made = []

    def make(first=b"k", second=b"k"):
        listener = socket.create_server(("127.0.0.1", 0))
        left, right = socket.create_connection(listener.getsockname()), listener.accept()[0]
        listener.close()
        made.extend((SignedSocket(left, first) if first else left, SignedSocket(right, second) if second else right))
        return made[-2:]
    yield make
    for each in made:
        each.close()


def test_both_ends_speak(ends):
    near, far = ends()
    for number in range(3):
        assert near.send(number=number)
        assert far.send(word="ä\n", number=-number)
    assert [far.receive(5) for _ in range(3)] == [{"number": number} for number in range(3)]
    assert [near.receive(5)["number"] for _ in range(3)] == [0, -1, -2]


def test_another_key(ends):
    near, far = ends(b"k", b"other")
    assert near.send(word=1)
    assert far.receive(5) is None


def number_of(raw):
    return raw.recv(100).strip()


def test_who_sends_back_what_it_hears_is_not_believed(ends):
    near, raw = ends(second=None)
    raw.sendall(number_of(raw) + b"\n")
    assert not near.send(word=1)
    assert near.receive(0.1) is None


@pytest.mark.parametrize("change", [
    lambda line: line.replace(b": 1", b": 2"), lambda line: line + line, lambda line: b"0" * 64 + line[64:],
    lambda line: b"{}\n"])
def test_a_message_that_was_changed_or_comes_twice(ends, change):
    near, raw_near = ends(second=None)
    raw_far, far = ends(first=None)
    raw_near.sendall(number_of(raw_far) + b"\n")
    raw_far.sendall(number_of(raw_near) + b"\n")
    assert near.send(word=1)
    line = raw_near.recv(1000)
    raw_far.sendall(change(line))
    got = [far.receive(0.2), far.receive(0.2)]
    assert got == ([{"word": 1}, None] if change(line) == line + line else [None, None])


def test_a_message_without_signature(ends):
    near, raw = ends(second=None)
    number_of(raw)
    raw.sendall(b"0" * 32 + b"\n" + b'{"line": "x", "code": 1, "by": 0}\n')
    assert near.receive(1) is None


def test_silence_has_a_total_deadline(ends):
    near, raw = ends(second=None)
    raw.sendall(b"0")
    assert near.wait(1)
    assert near.receive(0.05) is None
