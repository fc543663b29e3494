"""Timing."""

import time

from landmark_zoo.serving import milliseconds_per_picture as module


def test_median_without_the_first_call():
    naps = iter([0.3, *[0.01] * 7])
    shapes = []

    def embed(picture):
        shapes.append(tuple(picture.shape))
        time.sleep(next(naps))
    assert 10 <= module.milliseconds_per_picture(embed, 48, 64) < 200
    assert shapes == [(1, 48, 64, 3)] * 8


def test_stops_when_it_takes_long(monkeypatch):
    monkeypatch.setattr(module, "SECONDS", 0.01)
    calls = []
    module.milliseconds_per_picture(lambda _: (calls.append(1), time.sleep(0.02)), 32, 32)
    assert len(calls) == 2
