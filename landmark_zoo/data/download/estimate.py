"""How long a download will take, before it is begun."""

import time
from collections.abc import Sequence

from landmark_zoo.data.download.faults import FetchError, PassingFault
from landmark_zoo.data.download.needed import Needed
from landmark_zoo.data.download.open_url import network_faults, open_url

_SAMPLE_BYTES, _SAMPLE_SECONDS, _CHUNK = 1 << 25, 5.0, 1 << 16


def estimate(wanted: Sequence[Needed]) -> str:
    """Returns a line with files, bytes and time; the time from up to 32 MiB or 5 s of the largest file, which are dropped.

    Several connections are often faster together than the one that is measured, so the time is rather too long.
    """
    total = sum(item.bytes - item.here for item in wanted)
    about = "" if all(item.exact for item in wanted) else "about "
    line = f"{len(wanted):,} files to fetch, {about}{_bytes(total)}"
    if not wanted:
        return line
    speed = _speed(max(wanted, key=lambda item: item.bytes).file.url)
    if not speed:
        return f"{line}; the server does not answer, so no time can be told"
    return f"{line}, about {_time(total / speed)} at the {_bytes(speed)}/s of one connection"


def _speed(url: str) -> float:
    """Bytes per second of one connection; 0 where there is none."""
    came, start = 0, time.monotonic()
    try:
        with open_url(url, _SAMPLE_SECONDS) as response, network_faults():
            while came < _SAMPLE_BYTES and time.monotonic() - start < _SAMPLE_SECONDS:
                chunk = response.read1(_CHUNK)
                if not chunk:
                    break
                came += len(chunk)
    except (FetchError, PassingFault):
        return 0.0
    return came / max(time.monotonic() - start, 1e-9)


def _bytes(count: float) -> str:
    for size, unit in ((1e12, "TB"), (1e9, "GB"), (1e6, "MB"), (1e3, "kB")):
        if count >= size:
            return f"{count / size:,.1f} {unit}"
    return f"{count:,.0f} bytes"


def _time(seconds: float) -> str:
    if seconds >= 5400:
        return f"{seconds / 3600:,.1f} hours"
    return f"{seconds / 60:.0f} minutes" if seconds >= 90 else f"{max(seconds, 1):.0f} s"
