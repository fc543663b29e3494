"""Means with intervals."""

import math

import pytest

from landmark_zoo.evaluation.metric_summaries import metric_summaries


def test_queries_that_do_not_count_are_left_out_of_the_mean():
    summary = metric_summaries({"mAP/Easy": [math.nan, 0.2, 0.4]}, seed=0)["mAP/Easy"]
    assert summary["value"] == pytest.approx(0.3)
    assert summary["queries"] == 2
    assert 0.2 <= summary["low"] <= 0.3 <= summary["high"] <= 0.4


def test_metric_without_queries_is_left_out():
    assert list(metric_summaries({"a": [math.nan], "b": [1.0], "c": []}, seed=0)) == ["b"]


def test_the_seed_decides_the_interval():
    values = {"m": [0.1, 0.5, 0.9, 0.3, 0.77]}
    assert metric_summaries(values, seed=1) == metric_summaries(values, seed=1)
