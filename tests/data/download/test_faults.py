from landmark_zoo.data.download.faults import FetchError, PassingFault


def test_a_reason_is_one_line():
    error = FetchError("http://host/a.tar", "the server\n  says no")
    assert str(error) == "http://host/a.tar: the server says no"
    assert (error.url, error.reason) == ("http://host/a.tar", "the server says no")


def test_what_the_server_asks_for_is_kept():
    fault = PassingFault("503\nlater", retry_after="7")
    assert (str(fault), fault.retry_after, PassingFault("cut").retry_after) == ("503 later", "7", None)
