"""HTTP for downloads: sessions, retry policy, throughput guard, transient and final errors."""

import contextlib
import random
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from http.cookiejar import DefaultCookiePolicy
from typing import TypeVar

import requests
from requests.adapters import HTTPAdapter
from urllib3.exceptions import HTTPError, InvalidHeader
from urllib3.util import Retry

USER_AGENT = "landmark_zoo/0.1 (research; downloads each file once)"
MAX_RETRY_AFTER = 600
_TRANSIENT_STATUSES = frozenset({408, 425, 429, 500, 502, 503, 504, 520, 521, 522, 523, 524})
_CHUNK = 1 << 20
_MIN_GAIN = 1 << 16
_Result = TypeVar("_Result")


class FetchError(Exception):
    """A file that cannot be fetched, with its address and the reason in one line."""

    def __init__(self, url: str, reason: str):
        self.url, self.reason = url, " ".join(reason.split())
        super().__init__(f"{url}: {self.reason}")


class TransientError(Exception):
    """A failure after which the same request may succeed, with the server's Retry-After header where it sent one."""

    def __init__(self, reason: str, retry_after: str | None = None):
        self.reason, self.retry_after = " ".join(reason.split()), retry_after
        super().__init__(self.reason)


class Stopped(Exception):  # noqa: N818
    """The end of the work because of the user or a failure elsewhere; what is there stays and is used again."""


@dataclass(frozen=True)
class RetryPolicy:
    """Time-outs and retries; times in seconds.

    Attributes:
        attempts: Attempts in a row that bring nothing new before a file is given up.
        first_delay: Pause after the first of them; it doubles with each.
        max_delay: Upper bound of the pause.
        timeout: A connection that is silent for so long, or slower than `min_speed` over so long, is given up.
        min_speed: In bytes per second.
    """

    attempts: int = 6
    first_delay: float = 1.0
    max_delay: float = 60.0
    timeout: float = 30.0
    min_speed: float = 1024.0

    def delay(self, attempt: int, retry_after: str | None = None) -> float:
        """Returns the pause after the `attempt`-th fruitless attempt (from 1): exponential back-off with jitter.

        A server's Retry-After (seconds or an HTTP date) goes first, up to ten minutes.
        """
        with contextlib.suppress(InvalidHeader):
            if retry_after:
                return Retry(retry_after_max=MAX_RETRY_AFTER).parse_retry_after(retry_after)
        return min(self.max_delay, self.first_delay * 2.0 ** min(attempt - 1, 30)) * random.uniform(0.5, 1.0)


class ThroughputGuard:
    """Detector of connections slower than `min_speed` bytes/s over `window` s: a trickle never runs into a time-out."""

    def __init__(self, min_speed: float, window: float, clock: Callable[[], float] = time.monotonic):
        self._min_speed, self._window, self._clock = min_speed, window, clock
        self._start, self._bytes = clock(), 0

    def add(self, count: int) -> None:
        """Counts received bytes; raises a `TransientError` at the end of a window with too few."""
        self._bytes += count
        seconds = self._clock() - self._start
        if seconds < self._window:
            return
        if self._bytes < self._min_speed * seconds:
            raise TransientError(f"only {self._bytes:,} bytes in {seconds:.0f} s")
        self._start, self._bytes = self._clock(), 0


class HttpSession:
    """Connections of one download, shared by its threads; setting `stop` ends requests, reading and pauses with `Stopped`.

    Retries are driven here and not by the adapter: urllib3's sleep cannot be interrupted, and its counts know nothing of
    the bytes that a failed attempt brought.
    """

    def __init__(self, policy: RetryPolicy | None = None, stop: threading.Event | None = None):
        self.policy, self.stop = policy or RetryPolicy(), stop or threading.Event()
        self._session = requests.Session()
        self._session.headers.update({"User-Agent": USER_AGENT, "Accept-Encoding": "identity"})
        self._session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=()))
        for scheme in ("http://", "https://"):
            self._session.mount(scheme, HTTPAdapter(pool_maxsize=64))

    def open(self, url: str, headers: Mapping[str, str] | None = None, method: str = "GET") -> requests.Response:
        """Sends one request, follows redirects and returns the response, to be read and closed.

        Its status is below 300, or 416 (nothing left of the range that was asked for). No connection, a time-out, or a
        status that says "later" (429, 503, ...) is a `TransientError`, any other status or address a `FetchError`.
        """
        self._check()
        with _transient_errors("no answer"):
            try:
                response = self._session.request(method, url, headers=headers, stream=True, timeout=self.policy.timeout)
            except (requests.TooManyRedirects, ValueError) as error:  # requests' errors of an address are ValueErrors
                raise FetchError(url, str(error)) from error
        if response.status_code < 300 or response.status_code == requests.codes.range_not_satisfiable:
            return response
        response.close()
        reason = f"{response.status_code} {response.reason}"
        if response.status_code in _TRANSIENT_STATUSES:
            raise TransientError(reason, response.headers.get("Retry-After"))
        raise FetchError(url, reason)

    def chunks(self, response: requests.Response) -> Iterator[bytes]:
        """Yields the body as it comes; a lost, silent or slow connection is a `TransientError`."""
        guard = ThroughputGuard(self.policy.min_speed, self.policy.timeout)
        with _transient_errors("connection lost"):
            while chunk := response.raw.read1(_CHUNK):
                yield chunk
                self._check()
                guard.add(len(chunk))

    def read(self, url: str, max_bytes: int) -> bytes:
        """Returns a small file, asked for as often as the policy says; a larger one is a `FetchError`."""
        def attempt() -> bytes:
            data = bytearray()
            with self.open(url) as response:
                for chunk in self.chunks(response):
                    data += chunk
                    if len(data) > max_bytes:
                        raise FetchError(url, f"more than {max_bytes:,} bytes")
            return bytes(data)
        return self.retry(attempt)

    def retry(self, attempt: Callable[[], _Result], received: Callable[[], int] = lambda: 0) -> _Result:
        """Returns `attempt()`, repeated after each `TransientError` as the policy says; the last one is raised.

        Attempts that bring `received()` at least 64 KiB beyond the most so far do not count.
        """
        most, fruitless = received(), 0
        while True:
            try:
                return attempt()
            except TransientError as error:
                size = received()
                fruitless = 0 if size >= most + _MIN_GAIN else fruitless + 1
                most = max(most, size)
                if fruitless >= self.policy.attempts:
                    raise TransientError(f"{error.reason}, {fruitless} times in a row") from error
                self.stop.wait(self.policy.delay(max(fruitless, 1), error.retry_after))
                self._check()

    def _check(self) -> None:
        if self.stop.is_set():
            raise Stopped


def content_length(response: requests.Response) -> int | None:
    """Returns the size that the server tells; None where it tells none."""
    length = response.headers.get("Content-Length", "")
    return int(length) if length.isdecimal() else None


@contextlib.contextmanager
def _transient_errors(what: str) -> Iterator[None]:
    try:
        yield
    except (requests.RequestException, HTTPError) as error:
        cause: BaseException = error
        while cause.__context__ is not None:
            cause = cause.__context__
        raise TransientError("silent for too long" if isinstance(cause, TimeoutError) else f"{what} ({cause!r})") from error
