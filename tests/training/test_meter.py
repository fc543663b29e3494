"""Means between two lines."""

import pytest

from landmark_zoo.training import meter


def test_means_and_speed_since_the_last_reading(monkeypatch):
    now = iter([100.0, 104.0, 106.0])
    monkeypatch.setattr(meter.time, "monotonic", lambda: next(now))
    measure = meter.Meter(batch_size=8)
    measure.add(1.0, 0.0)
    measure.add(3.0, 0.5)
    assert measure.read() == pytest.approx((2.0, 0.25, 4.0))
    measure.add(5.0, 1.0)
    assert measure.read() == pytest.approx((5.0, 1.0, 4.0))
