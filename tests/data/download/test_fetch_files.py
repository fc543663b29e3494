import re
from collections import namedtuple

import pytest

from landmark_zoo.core.errors import UserError
from landmark_zoo.core.files import read_json
from landmark_zoo.data.download.fetch import RemoteFile
from landmark_zoo.data.download.fetch_files import PendingFile, check_disk_space, estimate, fetch_files, mark_path, pending
from landmark_zoo.data.download.http import HttpSession, TransientError
from tests.data.download.archives import tar_bytes

LIST = b"id\n" * 10


@pytest.fixture
def server(serve):
    return serve({"/a.csv": LIST, **{f"/{n}.tar": tar_bytes({f"{n}/x.jpg": bytes([n]) * 3000}) for n in range(6)}})


def files_of(server):
    return [RemoteFile(f"{server.url}/a.csv", "set/a.csv", 1),
            *(RemoteFile(f"{server.url}/{n}.tar", f"set/.archives/{n}.tar", 1, unpack_to="set/train") for n in range(6))]


def unpacked(root):
    return {str(path.relative_to(root / "set")): path.read_bytes() for path in (root / "set").rglob("*")
            if path.is_file() and ".archives" not in path.parts}


WHOLE = {"a.csv": LIST, **{f"train/{n}/x.jpg": bytes([n]) * 3000 for n in range(6)}}


def test_everything_arrives_and_archives_are_removed(server, tmp_path, hasty):
    fetch_files(files_of(server), tmp_path, 3, hasty)
    assert unpacked(tmp_path) == WHOLE
    marks = sorted(path.name for path in (tmp_path / "set/.archives").iterdir())
    assert marks == [f"{n}.tar.unpacked.json" for n in range(6)]
    mark = read_json(tmp_path / "set/.archives/0.tar.unpacked.json")
    assert mark == {"url": f"{server.url}/0.tar", "bytes": len(server.files["/0.tar"]), "files": 1}
    before = len(server.requests)
    fetch_files(files_of(server), tmp_path, 3, hasty)
    assert len(server.requests) == before


def test_every_fault_once(server, tmp_path, hasty):
    for number, fault in enumerate(("cut", "corrupt", "503", "slow", "silent", "html")):
        server.plan(f"/{number}.tar", fault)
    fetch_files(files_of(server), tmp_path, 3, hasty)
    whole = dict(WHOLE)
    broken = unpacked(tmp_path)
    whole.pop("train/1/x.jpg"), broken.pop("train/1/x.jpg")  # a changed byte in an image, and no MD5 is known here
    assert broken == whole
    assert len(server.gets("/5.tar")) == 2


def test_one_failure_does_not_stop_the_others(server, tmp_path, hasty):
    server.always("404", "/2.tar")
    server.always("html", "/4.tar")
    with pytest.raises(UserError, match=r"all of 7 files; received 2 failures, first .*\. Start the same command again"):
        fetch_files(files_of(server), tmp_path, 2, hasty)
    assert len(unpacked(tmp_path)) == 5
    server.heal()
    fetch_files(files_of(server), tmp_path, 2, hasty)
    assert unpacked(tmp_path) == WHOLE


def test_an_unsafe_archive_is_reported_and_nothing_of_it_kept(server, tmp_path, hasty):
    server.files["/3.tar"] = tar_bytes({"ok.jpg": b"x", "../../../evil.jpg": b"x"})
    with pytest.raises(UserError, match=r"3\.tar of .*: the path '\.\./\.\./\.\./evil\.jpg'"):
        fetch_files(files_of(server), tmp_path / "data", 2, hasty)
    assert len(server.gets("/3.tar")) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["data"]
    assert not list(tmp_path.rglob("ok.jpg"))
    assert not list(tmp_path.rglob("evil*"))


def test_an_archive_that_was_fetched_but_not_unpacked(server, tmp_path, hasty):
    (tmp_path / "set/.archives").mkdir(parents=True)
    (tmp_path / "set/.archives/0.tar").write_bytes(server.files["/0.tar"])
    (tmp_path / "set/.archives/1.tar").write_bytes(server.files["/1.tar"][:2000])
    fetch_files(files_of(server), tmp_path, 2, hasty)
    assert unpacked(tmp_path) == WHOLE
    assert server.gets("/0.tar") == []
    assert len(server.gets("/1.tar")) == 1


def test_too_little_space_is_noticed_before(server, tmp_path, hasty):
    files = [RemoteFile("http://127.0.0.1:9/x.tar", "x.tar", 10**18, unpack_to="x")]
    with pytest.raises(UserError, match="of free space"):
        fetch_files(files, tmp_path / "data", 2, hasty)
    assert not (tmp_path / "data").exists()


def test_a_folder_that_cannot_be_written_ends_it(server, tmp_path, hasty):
    (tmp_path / "set").mkdir()
    (tmp_path / "set/train").write_bytes(b"a file where the folder should be")
    with pytest.raises(OSError, match="set/train"):
        fetch_files(files_of(server), tmp_path, 2, hasty)


def test_several_at_once_but_no_more_than_asked(server, tmp_path, hasty):
    server.bytes_per_second = 200_000
    fetch_files(files_of(server)[1:], tmp_path, 3, hasty)
    assert sum(path.stat().st_size for path in (tmp_path / "set/train").rglob("*.jpg")) == 18_000


@pytest.fixture
def some_files(serve):
    server = serve({"/a.csv": b"x" * 50, "/b.tar": b"y" * 70})
    return [RemoteFile(f"{server.url}/a.csv", "a.csv", 1), RemoteFile(f"{server.url}/b.tar", "s/b.tar", 1, unpack_to="b"),
            RemoteFile("http://127.0.0.1:9/c.csv", "c.csv", 33)]


def test_sizes_come_from_the_server_or_else_from_the_publisher(some_files, tmp_path):
    assert [(item.bytes, item.here) for item in pending(some_files, tmp_path)] == [(50, 0), (70, 0), (33, 0)]


def test_what_is_there_or_begun_or_unpacked(some_files, tmp_path):
    (tmp_path / "a.csv").write_bytes(b"x" * 50)
    (tmp_path / "s").mkdir()
    (tmp_path / "s/b.tar.part").write_bytes(b"y" * 30)
    assert [(item.file.path, item.here) for item in pending(some_files, tmp_path)] == [("s/b.tar", 30), ("c.csv", 0)]
    mark_path(some_files[1], tmp_path).write_text("{}")
    assert [item.file.path for item in pending(some_files, tmp_path)] == ["c.csv"]


def test_a_server_that_is_down_is_not_asked_for_every_size(tmp_path):
    class Silent(HttpSession):
        asked = 0

        def open(self, *_, **__):
            self.asked += 1
            raise TransientError("no answer")
    files, session = [RemoteFile(f"http://x/{n}", str(n), 7) for n in range(500)], Silent()
    assert sum(item.bytes for item in pending(files, tmp_path, session)) == 3500
    assert session.asked < 20


GB = 10**9
WANTED = [PendingFile(RemoteFile("http://x/a.csv", "a.csv", 1), 3 * GB, GB),
          *(PendingFile(RemoteFile(f"http://x/{n}.tar", f"{n}.tar", 1, unpack_to="x"), n * GB, 0) for n in (1, 5, 2))]


def test_archives_need_room_twice_as_far_as_they_are_worked_on_together(tmp_path):
    usage = namedtuple("usage", "total used free")
    folder = tmp_path / "not" / "yet"
    assert check_disk_space(WANTED, folder, 2, lambda _: usage(0, 0, 17 * GB)) == (2 + 8 + 7) * GB
    with pytest.raises(UserError, match=r"17\.0 GB of free space .* --data_dir"):
        check_disk_space(WANTED, folder, 2, lambda _: usage(0, 0, 17 * GB - 1))
    assert check_disk_space(WANTED, tmp_path, 1, lambda _: usage(0, 0, 17 * GB)) == 15 * GB


def wanted(url, size, here=0):
    return PendingFile(RemoteFile(url, "x", 1), size, here)


def test_an_estimate_of_bytes_and_time(serve):
    server = serve({"/a.tar": bytes(2_000_000)})
    server.bytes_per_second = 2_000_000
    line = estimate([wanted(f"{server.url}/a.tar", 600 * GB, 100 * GB), wanted(f"{server.url}/b.csv", 1000)])
    found = re.fullmatch(r"2 files to fetch, about 500GB, about (\d+):\d\d:\d\d at the ([\d.]+)MB/s of one connection", line)
    assert found, line
    assert float(found[1]) * float(found[2]) * 3600 == pytest.approx(500_000, rel=0.1)
    assert 0.3 < float(found[2]) < 2.2


def test_an_estimate_of_nothing_and_of_a_server_that_is_down():
    assert estimate([]) == "0 files to fetch, about 0.00B"
    line = estimate([wanted("http://127.0.0.1:9/x", 2_500_000)])
    assert line.startswith("1 files to fetch, about 2.50MB; no time can be told: no answer")
