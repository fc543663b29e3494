"""One photograph from its address."""

import threading
from pathlib import Path

from landmark_zoo.core.files import atomic_write
from landmark_zoo.data.download.faults import FetchError, PassingFault, Stopped
from landmark_zoo.data.download.open_url import network_faults, open_url
from landmark_zoo.data.download.pace import Pace
from landmark_zoo.data.download.patience import Patience
from landmark_zoo.data.download.picture_address import PictureAddress

LARGEST_PICTURE = 1 << 25
_CHUNK = 1 << 16
_MAGIC = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF8", b"RIFF", b"BM", b"II*\0", b"MM\0*")


def fetch_picture(address: PictureAddress, path: Path, patience: Patience, stop: threading.Event) -> None:
    """Fetches one photograph, whole or not at all.

    Args:
        address: Which, and from where.
        path: Where to.
        patience: Time-outs and retries.
        stop: Ends the waiting when set.

    Raises:
        FetchError: The link is dead: the server says so, or what it sends is no picture or has more than 32 MiB.
        PassingFault: The server did not answer properly as often as it was asked; it may tomorrow.
        Stopped: `stop` was set.
    """
    if not address.host:
        raise FetchError(address.url, "no http address")
    for attempt in range(1, patience.attempts + 1):
        try:
            data = _read(address.url, patience)
            break
        except PassingFault as fault:
            if attempt == patience.attempts:
                raise
            if stop.wait(patience.delay(attempt, address.url, fault.retry_after)):
                raise Stopped from fault
    if not data.startswith(_MAGIC):
        raise FetchError(address.url, "not a picture")
    with atomic_write(path, "wb") as file:
        file.write(data)


def _read(url: str, patience: Patience) -> bytes:
    pace, pieces, size = Pace(patience.least_speed, patience.timeout), [], 0
    with open_url(url, patience.timeout) as response, network_faults():
        length = response.headers.get("Content-Length", "")
        while chunk := response.read1(_CHUNK):
            pieces.append(chunk)
            size += len(chunk)
            if size > LARGEST_PICTURE:
                raise FetchError(url, f"more than {LARGEST_PICTURE:,} bytes")
            pace.add(len(chunk))
    if length.isdecimal() and size < int(length):
        raise PassingFault(f"cut after {size:,} of {length} bytes")
    return b"".join(pieces)
