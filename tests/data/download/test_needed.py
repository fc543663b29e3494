import pytest

from landmark_zoo.data.download.faults import PassingFault
from landmark_zoo.data.download.needed import is_done, mark_path, needed
from landmark_zoo.data.download.remote_file import RemoteFile


@pytest.fixture
def files(serve):
    server = serve({"/a.csv": b"x" * 50, "/b.tar": b"y" * 70})
    return [RemoteFile(f"{server.url}/a.csv", "a.csv", 1), RemoteFile(f"{server.url}/b.tar", "s/b.tar", 1, unpack_to="b"),
            RemoteFile("http://127.0.0.1:9/c.csv", "c.csv", 33)]


def test_sizes_come_from_the_server_or_else_from_the_publisher(files, tmp_path):
    assert [(item.bytes, item.here, item.exact) for item in needed(files, tmp_path)] == [
        (50, 0, True), (70, 0, True), (33, 0, False)]


def test_what_is_there_or_begun_or_unpacked(files, tmp_path):
    (tmp_path / "a.csv").write_bytes(b"x" * 50)
    (tmp_path / "s").mkdir()
    (tmp_path / "s/b.tar.part").write_bytes(b"y" * 30)
    assert [(item.file.path, item.here) for item in needed(files, tmp_path)] == [("s/b.tar", 30), ("c.csv", 0)]
    mark_path(files[1], tmp_path).write_text("{}")
    assert is_done(files[1], tmp_path)
    assert [item.file.path for item in needed(files, tmp_path)] == ["c.csv"]


def test_a_server_that_is_down_is_not_asked_for_every_size(serve, tmp_path, monkeypatch):
    asked = []

    def silent(url, *_, **__):
        asked.append(url)
        raise PassingFault("no answer")
    monkeypatch.setattr("landmark_zoo.data.download.needed.open_url", silent)
    files = [RemoteFile(f"http://x/{n}", str(n), 7) for n in range(500)]
    assert sum(item.bytes for item in needed(files, tmp_path)) == 3500
    assert len(asked) < 20
