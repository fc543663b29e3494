
import hashlib
from dataclasses import replace

import pytest

from landmark_zoo.data.download.fetch import RemoteFile, Source, fetch
from landmark_zoo.data.download.http import FetchError, HttpSession, Stopped

DATA = bytes(range(256)) * 4000
MD5 = hashlib.md5(DATA).hexdigest()


@pytest.fixture
def server(serve):
    return serve({"/a/big.tar": DATA, "/md5/big.txt": f"{MD5.upper()}  big.tar\n".encode(), "/md5/none.txt": b"<html>"})


def remote(server, **changes):
    return RemoteFile(**{"url": f"{server.url}/a/big.tar", "path": "x/big.tar", "about_bytes": 1, "md5": MD5, **changes})


def test_a_file_arrives_whole_and_is_not_asked_for_again(server, tmp_path, session):
    counts = []
    path = fetch(remote(server), tmp_path, session, counts.append)
    assert path == tmp_path / "x/big.tar"
    assert path.read_bytes() == DATA
    assert sum(counts) == len(DATA)
    assert [one.name for one in path.parent.iterdir()] == ["big.tar"]
    before = len(server.requests)
    assert fetch(remote(server), tmp_path, session) == path
    assert len(server.requests) == before


def test_a_known_sha256_goes_before_the_md5(server, tmp_path, session):
    digest = hashlib.sha256(DATA).hexdigest()
    assert fetch(remote(server, md5="0" * 32, sha256=digest), tmp_path, session).read_bytes() == DATA
    with pytest.raises(FetchError, match=f"SHA-256 {digest} instead of {'0' * 64}, twice"):
        fetch(remote(server, path="y", sha256="0" * 64), tmp_path, session)
    assert not (tmp_path / "y").exists()


def test_the_published_md5_is_asked_for_and_compared(server, tmp_path, session):
    assert fetch(remote(server, md5=None, md5_url=f"{server.url}/md5/big.txt"), tmp_path, session).read_bytes() == DATA
    with pytest.raises(FetchError, match="holds no MD5"):
        fetch(remote(server, md5=None, path="y", md5_url=f"{server.url}/md5/none.txt"), tmp_path, session)


@pytest.mark.parametrize("etags", [True, False])
def test_a_cut_connection_is_resumed_where_it_was_cut(server, tmp_path, session, etags):
    server.etags = etags
    server.plan("/a/big.tar", "cut", "cut")
    counts = []
    assert fetch(remote(server), tmp_path, session, counts.append).read_bytes() == DATA
    assert [headers.get("Range") for headers in server.gets("/a/big.tar")] == [None, "bytes=512000-", "bytes=768000-"]
    assert sum(counts) == len(DATA)


def test_a_server_without_ranges_sends_everything_again(server, tmp_path, session):
    server.plan("/a/big.tar", "cut", "whole")
    counts = []
    assert fetch(remote(server), tmp_path, session, counts.append).read_bytes() == DATA
    assert sum(counts) == len(DATA) * 3 // 2


def test_a_server_that_always_cuts_and_knows_no_ranges_is_given_up(server, tmp_path, session):
    server.always("cut")
    server.etags = False
    server.files["/a/big.tar"] = DATA[:60_000]
    with pytest.raises(FetchError, match=r"connection lost .*, 3 times in a row"):
        fetch(remote(server), tmp_path, session)


def test_later_and_silence_and_trickle_are_waited_for(server, tmp_path, session):
    server.plan("/a/big.tar", "503", "silent", "slow")
    assert fetch(remote(server), tmp_path, HttpSession(replace(session.policy, attempts=4))).read_bytes() == DATA


def test_retries_are_bounded(server, tmp_path, session):
    server.always("503")
    with pytest.raises(FetchError, match=r"503 Service Unavailable, 3 times in a row"):
        fetch(remote(server), tmp_path, session)
    assert len(server.gets("/a/big.tar")) == 3


def test_what_is_not_there_is_asked_for_once(server, tmp_path, session):
    with pytest.raises(FetchError, match="404"):
        fetch(remote(server, url=f"{server.url}/a/other.tar"), tmp_path, session)
    assert len(server.gets("/a/other.tar")) == 1


def test_nobody_there(tmp_path, session):
    with pytest.raises(FetchError, match=r"no answer .* 3 times in a row"):
        fetch(RemoteFile("http://127.0.0.1:9/x", "x", 1), tmp_path, session)


def test_a_wrong_checksum_is_fetched_once_again(server, tmp_path, session):
    server.plan("/a/big.tar", "corrupt")
    assert fetch(remote(server), tmp_path, session).read_bytes() == DATA
    assert len(server.gets("/a/big.tar")) == 2


def test_a_wrong_checksum_twice_is_reported_and_nothing_kept(server, tmp_path, session):
    server.always("corrupt", "/a/big.tar")
    with pytest.raises(FetchError, match=f"instead of {MD5}, twice"):
        fetch(remote(server), tmp_path, session)
    assert len(server.gets("/a/big.tar")) == 2
    assert not (tmp_path / "x/big.tar").exists()
    assert not (tmp_path / "x/big.tar.part").exists()


def test_a_file_that_changed_meanwhile_starts_anew(server, tmp_path, session):
    server.always("cut")
    with pytest.raises(FetchError):
        fetch(remote(server), tmp_path, HttpSession(replace(session.policy, attempts=1, first_delay=0)))
    other = DATA[::-1]
    server.files["/a/big.tar"] = other
    server.heal()
    server.plan("/a/big.tar", "redirect")
    path = fetch(remote(server, md5=hashlib.md5(other).hexdigest()), tmp_path, session)
    assert path.read_bytes() == other


def test_a_whole_part_is_not_fetched_again(server, tmp_path, session):
    fetch(remote(server, path="y"), tmp_path, session)
    (tmp_path / "y").rename(tmp_path / "z.part")
    (tmp_path / "z.part.json").write_text(f'{{"total": {len(DATA)}, "version": null}}')
    counts = []
    assert fetch(remote(server, path="z"), tmp_path, session, counts.append).read_bytes() == DATA
    assert counts == []


def test_bytes_of_unknown_origin_are_not_built_on(server, tmp_path, session):
    (tmp_path / "y.part").write_bytes(b"something else")
    assert fetch(remote(server, path="y", md5=None), tmp_path, session).read_bytes() == DATA
    (tmp_path / "z.part").write_bytes(b"something else")
    (tmp_path / "z.part.json").write_text("{broken")
    assert fetch(remote(server, path="z", md5=None), tmp_path, session).read_bytes() == DATA


class StopsAt:
    """Counts received bytes and sets the session's stop event at the first piece or behind the last byte."""

    def __init__(self, session, size):
        self.session, self.size, self.came = session, size, 0

    def __call__(self, count):
        self.came += count
        if self.came >= self.size:
            self.session.stop.set()


def test_a_stop_in_the_middle_keeps_what_came(server, tmp_path, hasty):
    server.bytes_per_second = 1_000_000
    stopped = HttpSession(hasty)
    with pytest.raises(Stopped):
        fetch(remote(server), tmp_path, stopped, StopsAt(stopped, 1))
    here = (tmp_path / "x/big.tar.part").stat().st_size
    assert 0 < here < len(DATA)
    server.bytes_per_second = None
    counts = []
    assert fetch(remote(server), tmp_path, HttpSession(hasty), counts.append).read_bytes() == DATA
    assert sum(counts) == len(DATA) - here


def test_a_stop_behind_the_last_byte_costs_no_further_request(server, tmp_path, hasty):
    stopped = HttpSession(hasty)
    with pytest.raises(Stopped):
        fetch(remote(server), tmp_path, stopped, StopsAt(stopped, len(DATA)))
    assert fetch(remote(server), tmp_path, HttpSession(hasty)).read_bytes() == DATA
    assert len(server.gets("/a/big.tar")) == 1


def test_attempts_that_bring_something_do_not_count(server, tmp_path, session):
    server.plan("/a/big.tar", "cut", "cut", "cut", "503", "503", "cut")
    server.files["/a/big.tar"] = big = DATA * 4
    path = fetch(remote(server, md5=None), tmp_path, session)
    assert path.read_bytes() == big
    assert len(server.gets("/a/big.tar")) == 7


SOURCE = Source("x", "x", (RemoteFile("http://h/l.csv", "x/l.csv", 1),
                           *(RemoteFile(f"http://h/{n}.tar", f"x/{n}.tar", 1, unpack_to="x/a") for n in range(3)),
                           *(RemoteFile(f"http://h/b{n}.tar", f"x/b{n}.tar", 1, unpack_to="x/b") for n in range(3))))


def test_a_mirror_stands_for_scheme_and_host():
    file = RemoteFile("https://s3.example.com/bucket/a.tar?x=1", "a.tar", 1, md5_url="https://s3.example.com/md5/a.txt")
    moved = file.at_mirror("http://localhost:8000/")
    assert moved.url == "http://localhost:8000/bucket/a.tar?x=1"
    assert moved.md5_url == "http://localhost:8000/md5/a.txt"
    assert moved.path == file.path
    assert RemoteFile("http://x/a", "a", 1).at_mirror("http://localhost/copy").url == "http://localhost/copy/a"


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://x/y", "/etc/passwd"])
def test_other_addresses_are_refused(url):
    with pytest.raises(ValueError, match="http"):
        RemoteFile(url, "a", 1)


@pytest.mark.parametrize("place", [{"path": "../a"}, {"path": "/a"}, {"path": "a", "unpack_to": "b/../../c"}])
def test_paths_stay_below_the_data_folder(place):
    with pytest.raises(ValueError, match="below the data folder"):
        RemoteFile("http://x/a", about_bytes=1, **place)


def test_a_part_has_all_lists_and_the_first_archives_of_each_folder():
    assert [file.path for file in SOURCE.part(1).files] == ["x/l.csv", "x/0.tar", "x/b0.tar"]
    assert SOURCE.part(None) == SOURCE.part(9) == SOURCE


def test_a_source_at_a_mirror():
    assert [file.url for file in SOURCE.at_mirror("http://m").part(1).files] == [
        "http://m/l.csv", "http://m/0.tar", "http://m/b0.tar"]
    assert SOURCE.at_mirror(None) is SOURCE
