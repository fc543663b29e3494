"""Progress."""

import time

from absl import logging

from landmark_zoo.core.progress import progress


def test_yields_everything_and_logs_the_last_line(monkeypatch):
    lines = []
    monkeypatch.setattr(logging, "info", lambda text, *words: lines.append(text % words))
    assert list(progress([1, 2, 3], "counting", unit="number")) == [1, 2, 3]
    assert len(lines) == 1
    assert lines[0].startswith("counting: 3/3 numbers, ")


def test_logs_now_and_then(monkeypatch):
    lines = []
    monkeypatch.setattr(logging, "info", lambda text, *words: lines.append(text % words))
    for _ in progress(iter(range(4)), "waiting", total=4, every_seconds=0.01):
        time.sleep(0.015)
    assert len(lines) == 5
    assert "s left" in lines[0]
