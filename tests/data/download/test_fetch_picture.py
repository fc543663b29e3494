import threading

import pytest

from landmark_zoo.data.download import fetch_picture as module
from landmark_zoo.data.download.faults import FetchError, PassingFault, Stopped
from landmark_zoo.data.download.fetch_picture import fetch_picture
from landmark_zoo.data.download.picture_address import PictureAddress
from tests.data.download.archives import picture_bytes

PICTURE = picture_bytes(1)


@pytest.fixture
def server(serve):
    return serve({"/a.jpg": PICTURE, "/page": b"<html>gone</html>"})


@pytest.fixture
def get(server, tmp_path, hasty):
    def run(path="/a.jpg", url=None, stop=None):
        fetch_picture(PictureAddress("a", url or server.url + path), tmp_path / "a.jpg", hasty, stop or threading.Event())
    return run


def test_a_picture_arrives_in_spite_of_faults(server, get, tmp_path):
    server.plan("/a.jpg", "503", "cut")
    get()
    assert (tmp_path / "a.jpg").read_bytes() == PICTURE


@pytest.mark.parametrize(("path", "reason"), [("/none", "404"), ("/page", "not a picture")])
def test_dead_links(get, tmp_path, path, reason):
    with pytest.raises(FetchError, match=reason):
        get(path)
    assert list(tmp_path.iterdir()) == []


def test_addresses_of_this_machines_files(get):
    with pytest.raises(FetchError, match="no http address"):
        get(url="file:///etc/passwd")


def test_servers_that_do_not_answer_are_no_dead_links(server, get, tmp_path):
    server.always("503")
    with pytest.raises(PassingFault, match="503"):
        get()
    assert len(server.gets("/a.jpg")) == 3
    stop = threading.Event()
    stop.set()
    with pytest.raises(Stopped):
        get(stop=stop)
    assert list(tmp_path.iterdir()) == []


def test_endless_pictures(get, monkeypatch):
    monkeypatch.setattr(module, "LARGEST_PICTURE", 100)
    with pytest.raises(FetchError, match="more than 100 bytes"):
        get()
