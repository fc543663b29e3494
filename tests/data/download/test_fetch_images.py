import csv
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest

from landmark_zoo.core.errors import UserError
from landmark_zoo.data.download.fetch_images import DeadLinks, FetchedImages, ImageUrl, fetch_image, fetch_images, take_turns
from landmark_zoo.data.download.http import FetchError, Stopped, TransientError
from tests.data.download.archives import picture_bytes


@pytest.fixture
def servers(serve):
    return [serve({f"/{host}/{n}.jpg": picture_bytes(n) for n in range(8)}) for host in range(2)]


def image_urls(servers):
    return [ImageUrl(f"h{host}n{n}", f"{server.url}/{host}/{n}.jpg")
            for host, server in enumerate(servers) for n in range(9)]


def test_images_arrive_and_dead_links_are_listed(servers, tmp_path, hasty):
    servers[0].plan("/0/3.jpg", "503", "cut")
    servers[1].always("503", "/1/5.jpg")
    found = fetch_images(image_urls(servers), tmp_path / "train", tmp_path / "dead.csv", policy=hasty)
    assert found == FetchedImages(here=15, dead=2, unanswered=1)
    assert (tmp_path / "train/h1n4.jpg").read_bytes() == picture_bytes(4)
    with open(tmp_path / "dead.csv", newline="") as file:
        assert sorted((row["id"], row["reason"]) for row in csv.DictReader(file)) == [
            ("h0n8", "404 Not Found"), ("h1n8", "404 Not Found")]

    servers[1].heal()
    before = [len(server.requests) for server in servers]
    found = fetch_images(image_urls(servers), tmp_path / "train", tmp_path / "dead.csv", policy=hasty)
    assert found == FetchedImages(here=16, dead=2, unanswered=0)
    assert [len(server.requests) - count for server, count in zip(servers, before, strict=True)] == [0, 1]


@pytest.mark.parametrize(("at_once", "per_host", "limits"), [
    (16, 3, {"x": 3, "y": 3}), (4, 3, {"x": 3, "y": 3, "": 4}), (1, 3, {"": 1})])
def test_each_host_has_its_limit_and_so_have_all(at_once, per_host, limits):
    now, most, lock = Counter(), Counter(), threading.Lock()

    def work(image):
        for change in (1, -1):
            with lock:
                for key in (image[0], ""):
                    now[key] += change
                    most[key] = max(most[key], now[key])
            time.sleep(0.01)
        return image
    listed = [[f"{host}{n}" for n in range(12)] for host in "xy"]
    lanes = [images[lane::per_host] for lane in range(per_host) for images in listed]
    with ThreadPoolExecutor(at_once) as pool:
        assert sorted(take_turns(work, lanes, pool)) == sorted(listed[0] + listed[1])
    assert all(most[key] <= count for key, count in limits.items())
    assert (most[""] > 1) == (at_once > 1)


def test_a_host_gets_no_more_connections_than_its_limit(serve, tmp_path, hasty):
    server = serve({f"/{n}.jpg": picture_bytes(n) for n in range(12)})
    server.bytes_per_second = 20_000
    listed = [ImageUrl(f"n{n}", f"{server.url}/{n}.jpg") for n in range(12)]
    assert fetch_images(listed, tmp_path / "train", tmp_path / "dead.csv", per_host=3, policy=hasty).here == 12
    assert 1 < server.most_at_once <= 3


def test_an_error_of_one_ends_all():
    def work(item):
        raise OSError(28, "No space left on device")
    with ThreadPoolExecutor(2) as pool, pytest.raises(OSError, match="No space"):
        list(take_turns(work, [[1, 2], [3]], pool))


def test_nothing_listed(tmp_path, hasty):
    assert fetch_images([], tmp_path / "train", tmp_path / "dead.csv", policy=hasty) == FetchedImages(0, 0, 0)


def test_an_unsafe_list(tmp_path, hasty):
    with pytest.raises(UserError):
        fetch_images([ImageUrl("../evil", "http://x/y")], tmp_path / "train", tmp_path / "dead.csv", policy=hasty)


IMAGE = picture_bytes(1)


@pytest.fixture
def server(serve):
    return serve({"/a.jpg": IMAGE, "/page": b"<html>gone</html>"})


@pytest.fixture
def get(server, tmp_path, session):
    def run(path="/a.jpg", url=None, **options):
        fetch_image(ImageUrl("a", url or server.url + path), tmp_path / "a.jpg", session, **options)
    return run


def test_an_image_arrives_in_spite_of_faults(server, get, tmp_path):
    server.plan("/a.jpg", "503", "cut")
    get()
    assert (tmp_path / "a.jpg").read_bytes() == IMAGE


@pytest.mark.parametrize(("path", "reason"), [("/none", "404"), ("/page", "not an image")])
def test_dead_links(get, tmp_path, path, reason):
    with pytest.raises(FetchError, match=reason):
        get(path)
    assert list(tmp_path.iterdir()) == []


def test_addresses_of_this_machines_files(get):
    with pytest.raises(FetchError, match="no http address"):
        get(url="file:///etc/passwd")


def test_servers_that_do_not_answer_are_no_dead_links(server, get, session, tmp_path):
    server.always("503")
    with pytest.raises(TransientError, match="503"):
        get()
    assert len(server.gets("/a.jpg")) == 3
    session.stop.set()
    with pytest.raises(Stopped):
        get()
    assert list(tmp_path.iterdir()) == []


def test_endless_images(get):
    with pytest.raises(FetchError, match="more than 100 bytes"):
        get(max_bytes=100)


def test_lines_stay(tmp_path):
    links = DeadLinks(tmp_path / "dead.csv")
    links.add(ImageUrl("a", "http://x/1,2\n"), '404 "gone"')
    links.add(ImageUrl("b", "http://x/3"), "not an image")
    assert DeadLinks(tmp_path / "dead.csv").ids == links.ids == {"a", "b"}


def test_a_line_that_was_cut_is_dropped(tmp_path):
    (tmp_path / "dead.csv").write_text("id,url,reason\na,http://x,404\nb,http://y,40")
    assert DeadLinks(tmp_path / "dead.csv").ids == {"a"}
    assert (tmp_path / "dead.csv").read_text() == "id,url,reason\na,http://x,404\n"


@pytest.mark.parametrize("line", ["b,http://y", "b,http://y,404,more", 'b,"http://y,404', "b,http://y,\xff"])
def test_a_broken_list_of_dead_links_is_named_and_kept(tmp_path, line):
    data = f"id,url,reason\na,http://x,404\n{line}\n".encode("latin-1")
    (tmp_path / "dead.csv").write_bytes(data)
    with pytest.raises(UserError, match=r"dead\.csv"):
        DeadLinks(tmp_path / "dead.csv")
    assert (tmp_path / "dead.csv").read_bytes() == data


def test_host():
    assert ImageUrl("a", "http://LH4.ggpht.com/x/s1600/").host == "lh4.ggpht.com"
    assert ImageUrl("a", "file:///etc/passwd").host == ""
    assert ImageUrl("a", "http://[broken").host == ""
    assert ImageUrl("a", "None").host == ""


@pytest.mark.parametrize("name", ["../../evil", "", ".hidden", "a/b", "a" * 200, "x\n"])
def test_ids_that_are_no_names(name):
    with pytest.raises(UserError, match="ids of letters"):
        ImageUrl(name, "http://x")
