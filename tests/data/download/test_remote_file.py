import pytest

from landmark_zoo.data.download.remote_file import RemoteFile


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
