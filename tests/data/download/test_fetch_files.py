import pytest

from landmark_zoo.core.errors import UserError
from landmark_zoo.core.files import read_json
from landmark_zoo.data.download.fetch_files import fetch_files
from landmark_zoo.data.download.remote_file import RemoteFile
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
    whole.pop("train/1/x.jpg"), broken.pop("train/1/x.jpg")  # a changed byte in a photograph, and no MD5 is known here
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


def test_a_hostile_archive_is_reported_and_nothing_of_it_kept(server, tmp_path, hasty):
    server.files["/3.tar"] = tar_bytes({"ok.jpg": b"x", "../../../evil.jpg": b"x"})
    with pytest.raises(UserError, match=r"3\.tar: the path '\.\./\.\./\.\./evil\.jpg'"):
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


def test_a_full_disk_ends_it(server, tmp_path, hasty, monkeypatch):
    def full(*_, **__):
        raise OSError(28, "No space left on device")
    monkeypatch.setattr("landmark_zoo.data.download.fetch_files.unpack", full)
    with pytest.raises(OSError, match="No space"):
        fetch_files(files_of(server), tmp_path, 2, hasty)


def test_several_at_once_but_no_more_than_asked(server, tmp_path, hasty):
    server.bytes_per_second = 200_000
    fetch_files(files_of(server)[1:], tmp_path, 3, hasty)
    assert sum(path.stat().st_size for path in (tmp_path / "set/train").rglob("*.jpg")) == 18_000
