"""One HTTP request."""

import contextlib
import http.client
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping

from landmark_zoo.data.download.faults import FetchError, PassingFault

USER_AGENT = "landmark_zoo/0.1 (research; downloads each file once)"
_PASSING = frozenset({408, 425, 429, 500, 502, 503, 504, 520, 521, 522, 523, 524})
_RANGE_NOT_SATISFIABLE = 416


def open_url(url: str, timeout: float, headers: Mapping[str, str] | None = None,
             method: str = "GET") -> http.client.HTTPResponse:
    """Sends one request and follows redirects; http and https only (a proxy of the environment is used).

    Args:
        url: The address.
        timeout: Of each wait for the server, in seconds.
        headers: Beside the user agent.
        method: "GET" or "HEAD".

    Returns:
        The response, to be closed; its status is below 300, or 416 (nothing left of the range that was asked for).

    Raises:
        PassingFault: No connection, a time-out, or a status that says "later" (429, 503, ...).
        FetchError: Any other status.
    """
    request = urllib.request.Request(url, headers={"User-Agent": USER_AGENT, **(headers or {})}, method=method)
    with network_faults():
        try:
            return _opener().open(request, timeout=timeout)
        except urllib.error.HTTPError as error:
            if error.code == _RANGE_NOT_SATISFIABLE:
                return error
            with error:
                reason = f"{error.code} {error.reason}"
                if error.code in _PASSING:
                    raise PassingFault(reason, error.headers.get("Retry-After")) from error
                raise FetchError(url, reason) from error


@contextlib.contextmanager
def network_faults() -> Iterator[None]:
    """Turns whatever a connection can raise into a `PassingFault`; no file may be written inside."""
    try:
        yield
    except urllib.error.URLError as error:
        raise PassingFault(f"no answer ({error.reason})") from error
    except TimeoutError as error:
        raise PassingFault("silent for too long") from error
    except (OSError, http.client.HTTPException) as error:
        raise PassingFault(f"connection lost ({type(error).__name__}: {error})") from error


def _opener() -> urllib.request.OpenerDirector:
    opener = urllib.request.OpenerDirector()
    for handler in (urllib.request.ProxyHandler, urllib.request.HTTPHandler, urllib.request.HTTPSHandler,
                    urllib.request.HTTPDefaultErrorHandler, urllib.request.HTTPRedirectHandler,
                    urllib.request.HTTPErrorProcessor, urllib.request.UnknownHandler):
        opener.add_handler(handler())
    return opener
