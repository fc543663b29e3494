import csv
import threading
import time
from collections import Counter

import pytest

from landmark_zoo.core.errors import UserError
from landmark_zoo.data.download.fetch_pictures import Fetched, fetch_pictures
from landmark_zoo.data.download.picture_address import PictureAddress
from tests.data.download.archives import picture_bytes


@pytest.fixture
def servers(serve):
    return [serve({f"/{host}/{n}.jpg": picture_bytes(n) for n in range(8)}) for host in range(2)]


def addresses(servers):
    return [PictureAddress(f"h{host}n{n}", f"{server.url}/{host}/{n}.jpg")
            for host, server in enumerate(servers) for n in range(9)]


def test_photographs_arrive_and_dead_links_are_listed(servers, tmp_path, hasty):
    servers[0].plan("/0/3.jpg", "503", "cut")
    servers[1].always("503", "/1/5.jpg")
    found = fetch_pictures(addresses(servers), tmp_path / "train", tmp_path / "dead.csv", patience=hasty)
    assert found == Fetched(here=15, dead=2, unanswered=1)
    assert (tmp_path / "train/h1n4.jpg").read_bytes() == picture_bytes(4)
    with open(tmp_path / "dead.csv", newline="") as file:
        assert sorted((row["id"], row["reason"]) for row in csv.DictReader(file)) == [
            ("h0n8", "404 Not Found"), ("h1n8", "404 Not Found")]

    servers[1].heal()
    before = [len(server.requests) for server in servers]
    assert fetch_pictures(addresses(servers), tmp_path / "train", tmp_path / "dead.csv", patience=hasty) == Fetched(16, 2, 0)
    assert [len(server.requests) - count for server, count in zip(servers, before, strict=True)] == [0, 1]


@pytest.fixture
def most_at_once(monkeypatch):
    """Most connections to a host at a time, and ("") in all."""
    now, most, lock = Counter(), Counter(), threading.Lock()

    def counted(address, path, *_):
        for change in (1, -1):
            with lock:
                for key in (address.host, ""):
                    now[key] += change
                    most[key] = max(most[key], now[key])
            time.sleep(0.01)
    monkeypatch.setattr("landmark_zoo.data.download.fetch_pictures.fetch_picture", counted)
    return most


@pytest.mark.parametrize(("at_once", "most"), [(16, {"x": 3, "y": 3}), (4, {"x": 3, "y": 3, "": 4}), (1, {"": 1})])
def test_each_server_has_its_limit_and_so_have_all(tmp_path, most_at_once, at_once, most):
    listed = [PictureAddress(f"{host}{n}", f"http://{host}/{n}") for host in "xy" for n in range(12)]
    found = fetch_pictures(listed, tmp_path / "train", tmp_path / "dead.csv", at_once=at_once, per_host=3)
    assert found.here == 24
    assert all(most_at_once[key] <= count for key, count in most.items())
    assert (most_at_once[""] > 1) == (at_once > 1)


def test_nothing_listed(tmp_path, hasty):
    assert fetch_pictures([], tmp_path / "train", tmp_path / "dead.csv", patience=hasty) == Fetched(0, 0, 0)


def test_a_hostile_list(tmp_path, hasty):
    with pytest.raises(UserError):
        fetch_pictures([PictureAddress("../evil", "http://x/y")], tmp_path / "train", tmp_path / "dead.csv", patience=hasty)
