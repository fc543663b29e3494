"""One million distractors for Revisited Oxford and Paris."""

from landmark_zoo.data.download.remote_file import RemoteFile
from landmark_zoo.data.sources.source import Source

_BASE = "http://ptak.felk.cvut.cz/revisitop/revisitop1m"
_FOLDER = "revisitop1m"
_ARCHIVES = 100


def revisitop1m(name: str = "revisitop1m") -> Source:
    """Returns `jpg/revisitop1m.1.tar.gz` to `.100.tar.gz` and the list whose lines are the paths in them.

    Addresses and number are those of revisitop's `download.py`; the size of 4.4 GB each is rough and no checksum is
    published, so gzip's own has to do.
    """
    listing = RemoteFile(f"{_BASE}/revisitop1m.txt", f"{_FOLDER}/revisitop1m.txt", 45_000_000)
    return Source(name, _FOLDER, (listing, *(
        RemoteFile(f"{_BASE}/jpg/revisitop1m.{number}.tar.gz", f"{_FOLDER}/.archives/revisitop1m.{number}.tar.gz",
                   4_400_000_000, unpack_to=f"{_FOLDER}/jpg") for number in range(1, _ARCHIVES + 1))))
