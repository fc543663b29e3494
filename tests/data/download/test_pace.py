import pytest

from landmark_zoo.data.download.faults import PassingFault
from landmark_zoo.data.download.pace import Pace


def test_a_trickle_is_given_up_and_a_stream_is_not(monkeypatch):
    clock = [0.0]
    monkeypatch.setattr("landmark_zoo.data.download.pace.time.monotonic", lambda: clock[0])
    fast, slow = Pace(1000, 10), Pace(1000, 10)
    for second in range(1, 10):
        clock[0] = second
        fast.add(1100)
        slow.add(900)
    clock[0] = 10
    fast.add(1100)
    with pytest.raises(PassingFault, match=r"only 9,000 bytes in 10 s"):
        slow.add(900)


def test_each_window_counts_for_itself(monkeypatch):
    clock = [0.0]
    monkeypatch.setattr("landmark_zoo.data.download.pace.time.monotonic", lambda: clock[0])
    pace = Pace(1000, 10)
    clock[0] = 10
    pace.add(1_000_000)
    clock[0] = 20
    with pytest.raises(PassingFault):
        pace.add(5)
