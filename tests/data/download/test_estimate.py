import re

import pytest

from landmark_zoo.data.download.estimate import estimate
from landmark_zoo.data.download.needed import Needed
from landmark_zoo.data.download.remote_file import RemoteFile


def wanted(url, size, here=0, exact=True):
    return Needed(RemoteFile(url, "x", 1), size, here, exact)


def test_bytes_and_time(serve):
    server = serve({"/a.tar": bytes(2_000_000)})
    server.bytes_per_second = 2_000_000
    line = estimate([wanted(f"{server.url}/a.tar", 600_000_000_000, 100_000_000_000),
                     wanted(f"{server.url}/b.csv", 1000, exact=False)])
    found = re.fullmatch(r"2 files to fetch, about 500\.0 GB, about ([\d.]+) hours at the ([\d.]+) MB/s of one connection",
                         line)
    assert found, line
    assert float(found[1]) * float(found[2]) * 3600 == pytest.approx(500_000, rel=0.1)
    assert 0.3 < float(found[2]) < 2.2


def test_nothing_to_do_and_nobody_there():
    assert estimate([]) == "0 files to fetch, 0 bytes"
    assert estimate([wanted("http://127.0.0.1:9/x", 2_500_000)]) == (
        "1 files to fetch, 2.5 MB; the server does not answer, so no time can be told")
