import pytest

from landmark_zoo.data.download.faults import FetchError, PassingFault
from landmark_zoo.data.download.open_url import USER_AGENT, network_faults, open_url


def test_our_name_and_headers_are_sent(serve):
    server = serve({"/a": b"abc"})
    with open_url(f"{server.url}/a", 5, {"Range": "bytes=1-"}) as response:
        assert response.read() == b"bc"
    assert server.gets("/a")[0]["User-Agent"] == USER_AGENT


def test_what_is_over_and_what_may_pass(serve):
    server = serve({"/a": b"abc"})
    with pytest.raises(FetchError, match="404"):
        open_url(f"{server.url}/b", 5)
    server.plan("/a", "503", "silent")
    with pytest.raises(PassingFault, match="503") as fault:
        open_url(f"{server.url}/a", 5)
    assert fault.value.retry_after == "0"
    with pytest.raises(PassingFault):
        open_url(f"{server.url}/a", 0.2)


def test_a_redirect_in_a_ring_ends(serve):
    server = serve({"/a": b"abc"})
    server.always("redirect", "/a")
    with pytest.raises((FetchError, PassingFault)):
        open_url(f"{server.url}/a", 5)
    assert len(server.gets("/a")) < 20


@pytest.mark.parametrize("url", ["file:///etc/hostname", "ftp://127.0.0.1/x", "data:,x"])
def test_files_of_this_machine_cannot_be_asked_for(url):
    with pytest.raises(PassingFault, match="unknown url type"):
        open_url(url, 1)


def test_nothing_listens():
    with pytest.raises(PassingFault, match="no answer"):
        open_url("http://127.0.0.1:9/", 1)


def test_faults_of_a_connection():
    with pytest.raises(PassingFault, match="silent"), network_faults():
        raise TimeoutError
    with pytest.raises(PassingFault, match="ConnectionResetError"), network_faults():
        raise ConnectionResetError("gone")
