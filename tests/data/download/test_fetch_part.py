"""One file over several connections: what is there is not asked for again, unless it belongs to another file."""

import threading

import numpy as np
import pytest

from landmark_zoo.core.files import read_json
from landmark_zoo.data.download.faults import FetchError, Stopped
from landmark_zoo.data.download.fetch_part import fetch_part, note_path

DATA = np.random.default_rng(0).integers(0, 256, 300_000).astype(np.uint8).tobytes()
HALF = len(DATA) // 2


@pytest.fixture
def fetch(serve, tmp_path, hasty):
    """fetch() -> the file's bytes; `fetch.server`, `fetch.part`, `fetch.came` (bytes over the wire), `fetch.stop`."""
    def run():
        fetch_part(f"{run.server.url}/a.tar", run.part, hasty, run.came.append, run.stop)
        return run.part.read_bytes()
    run.server, run.part, run.came, run.stop = serve({"/a.tar": DATA}), tmp_path / "a.part", [], threading.Event()
    return run


def test_a_cut_file_goes_on_where_it_ended(fetch):
    fetch.server.plan("/a.tar", "cut")
    assert fetch() == DATA
    assert [headers.get("Range") for headers in fetch.server.gets("/a.tar")] == [None, f"bytes={HALF}-"]
    assert sum(fetch.came) == len(DATA)
    assert read_json(note_path(fetch.part))["total"] == len(DATA)


@pytest.mark.parametrize("etags", [True, False])
def test_a_server_that_sends_everything_again(fetch, etags):
    fetch.server.etags = etags
    fetch.server.plan("/a.tar", "cut", "whole")
    assert fetch() == DATA
    assert sum(fetch.came) == HALF + len(DATA)


def test_another_file_at_the_same_address_starts_anew(fetch):
    fetch.server.plan("/a.tar", "cut", "404")
    with pytest.raises(FetchError, match="404"):
        fetch()
    other = DATA[::-1]
    fetch.server.files["/a.tar"] = other
    assert fetch() == other


def test_bytes_without_a_note_are_not_trusted(fetch):
    fetch.part.write_bytes(b"of somebody else")
    assert fetch() == DATA


def test_a_whole_file_is_not_fetched_again(fetch):
    fetch()
    assert fetch() == DATA
    assert sum(fetch.came) == len(DATA)


def test_attempts_that_bring_nothing_come_to_an_end(fetch, hasty):
    fetch.server.always("503")
    with pytest.raises(FetchError, match=f"{hasty.attempts} times in a row"):
        fetch()
    assert len(fetch.server.gets("/a.tar")) == hasty.attempts


def test_the_user_ends_it_and_it_goes_on_later(fetch):
    fetch.server.bytes_per_second = 1_000_000
    fetch.came = Stopping(fetch.stop)
    with pytest.raises(Stopped):
        fetch()
    here = fetch.part.stat().st_size
    assert 0 < here < len(DATA)
    fetch.stop.clear()
    fetch.came = []
    assert fetch() == DATA
    assert sum(fetch.came) == len(DATA) - here


class Stopping(list):
    """Asks for the end after the first bytes."""

    def __init__(self, stop):
        super().__init__()
        self.stop = stop

    def append(self, count):
        super().append(count)
        self.stop.set()
