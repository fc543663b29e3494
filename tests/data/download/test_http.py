import threading
import time
from email.utils import formatdate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from landmark_zoo.data.download.http import (
    MAX_RETRY_AFTER,
    USER_AGENT,
    FetchError,
    HttpSession,
    RetryPolicy,
    Stopped,
    ThroughputGuard,
    TransientError,
)


def test_our_name_and_headers_are_sent_and_nothing_is_compressed(serve, session):
    server = serve({"/a": b"abc"})
    with session.open(f"{server.url}/a", {"Range": "bytes=1-"}) as response:
        assert b"".join(session.chunks(response)) == b"bc"
    sent = server.gets("/a")[0]
    assert (sent["User-Agent"], sent["Accept-Encoding"]) == (USER_AGENT, "identity")


def test_final_and_transient_errors(serve, session):
    server = serve({"/a": b"abc"})
    with pytest.raises(FetchError, match="404"):
        session.open(f"{server.url}/b")
    server.plan("/a", "503", "silent")
    with pytest.raises(TransientError, match="503 Service Unavailable") as error:
        session.open(f"{server.url}/a")
    assert error.value.retry_after == "0"
    with pytest.raises(TransientError, match="silent for too long"):
        session.open(f"{server.url}/a")


def test_a_redirect_in_a_ring_ends(serve, session):
    server = serve({"/a": b"abc"})
    server.always("redirect", "/a")
    with pytest.raises(FetchError, match="redirects"):
        session.open(f"{server.url}/a")
    assert len(server.gets("/a")) < 40


@pytest.mark.parametrize("url", ["file:///etc/hostname", "ftp://127.0.0.1/x", "data:,x", "http://[broken", "None"])
def test_other_addresses_are_refused(session, url):
    with pytest.raises(FetchError):
        session.open(url)


def test_nothing_listens(session):
    with pytest.raises(TransientError, match=r"no answer \(.*[Rr]efused"):
        session.open("http://127.0.0.1:9/")


@pytest.mark.parametrize(("fault", "reason"), [("cut", "connection lost .*IncompleteRead"), ("slow", "only .* bytes in")])
def test_bodies_that_break_off_or_trickle(serve, session, fault, reason):
    server = serve({"/a": bytes(10_000)})
    server.plan("/a", fault)
    with session.open(f"{server.url}/a") as response, pytest.raises(TransientError, match=reason):
        list(session.chunks(response))


def test_a_reason_is_one_line():
    error = FetchError("http://host/a.tar", "the server\n  says no")
    assert str(error) == "http://host/a.tar: the server says no"
    assert str(TransientError("503\nlater")) == "503 later"


class Pauses(threading.Event):
    """A stop event that is never set and remembers the pauses instead of making them."""

    def __init__(self):
        super().__init__()
        self.seconds = []

    def wait(self, timeout=None):
        self.seconds.append(timeout)
        return False


def test_only_attempts_that_bring_nothing_count():
    received = iter([0, 1 << 16, 1 << 16, 1 << 17, 1 << 17, 1 << 17, 1 << 17])
    session, attempts = HttpSession(RetryPolicy(attempts=3, first_delay=1), Pauses()), []

    def attempt():
        attempts.append(1)
        raise TransientError("cut")
    with pytest.raises(TransientError, match="cut, 3 times in a row"):
        session.retry(attempt, lambda: next(received))
    assert len(attempts) == 6
    for pause, whole in zip(session.stop.seconds, (1, 1, 1, 1, 2), strict=True):
        assert whole / 2 <= pause <= whole


def test_the_servers_pause_is_kept():
    outcomes = [TransientError("503", "7"), TransientError("429", "99999"), "done"]
    session = HttpSession(RetryPolicy(), Pauses())

    def attempt():
        outcome = outcomes.pop(0)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome
    assert session.retry(attempt) == "done"
    assert session.stop.seconds == [7, MAX_RETRY_AFTER]


def test_a_stop_ends_a_pause_and_all_further_requests(serve):
    session = HttpSession(RetryPolicy(first_delay=60))
    server = serve({"/a": b"abc"})
    threading.Timer(0.2, session.stop.set).start()
    start = time.monotonic()

    def attempt():
        raise TransientError("later", "300")
    with pytest.raises(Stopped):
        session.retry(attempt)
    assert time.monotonic() - start < 10
    with pytest.raises(Stopped):
        session.open(f"{server.url}/a")
    assert server.requests == []


@given(st.integers(1, 2000))
def test_the_pause_doubles_with_jitter_up_to_a_bound(attempt):
    whole = min(60.0, 2.0 ** min(attempt - 1, 30))
    assert whole / 2 <= RetryPolicy(first_delay=1.0, max_delay=60.0).delay(attempt) <= whole


@pytest.mark.parametrize(("header", "least", "most"), [
    ("7", 7, 7), ("0", 0, 0), ("99999", MAX_RETRY_AFTER, MAX_RETRY_AFTER), (formatdate(0, usegmt=True), 0, 0),
    ("soon", 0.5, 1), ("", 0.5, 1)])
def test_retry_after(header, least, most):
    assert least <= RetryPolicy().delay(1, header) <= most


def test_retry_after_as_a_date():
    assert 50 < RetryPolicy().delay(1, formatdate(time.time() + 60, usegmt=True)) <= 60


def test_a_trickle_is_given_up_and_a_stream_is_not():
    now = [0.0]
    fast, slow = (ThroughputGuard(1000, 10, clock=lambda: now[0]) for _ in range(2))
    for second in range(1, 10):
        now[0] = second
        fast.add(1100)
        slow.add(900)
    now[0] = 10
    fast.add(1100)
    with pytest.raises(TransientError, match=r"only 9,000 bytes in 10 s"):
        slow.add(900)


def test_each_window_counts_for_itself():
    now = [0.0]
    guard = ThroughputGuard(1000, 10, clock=lambda: now[0])
    now[0] = 10
    guard.add(1_000_000)
    now[0] = 20
    with pytest.raises(TransientError):
        guard.add(5)
