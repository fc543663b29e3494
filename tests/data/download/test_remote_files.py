import pytest

from landmark_zoo.data.download.remote_files import RemoteFile, Source

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
