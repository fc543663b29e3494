import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from landmark_zoo.metrics.bootstrap import (
    bootstrap_interval,
    clustered_bootstrap_interval,
    crossed_bootstrap_interval,
    percentile_interval,
)


def test_same_seed_same_interval():
    values = np.linspace(0, 1, 30) ** 2
    assert bootstrap_interval(values, seed=3) == bootstrap_interval(values, seed=3)
    assert bootstrap_interval(values, seed=3) != bootstrap_interval(values, seed=4)


def test_width_is_that_of_the_normal_approximation():
    values = np.random.default_rng(0).uniform(size=400)
    mean, low, high = bootstrap_interval(values)
    expected = 1.96 * values.std() / math.sqrt(400)
    assert (high - mean, mean - low) == pytest.approx((expected, expected), rel=0.1)


def test_queries_without_a_value_are_left_out():
    assert bootstrap_interval([math.nan, 0.2, 0.4, math.nan]) == bootstrap_interval([0.2, 0.4])
    assert bootstrap_interval([math.nan, 0.708333])[0] == 0.708333


def test_no_query_gives_nan():
    assert all(math.isnan(number) for number in bootstrap_interval([math.nan]))


@pytest.mark.parametrize("wrong", [{"resamples": 10}, {"level": 95}])
def test_bad_arguments_are_refused(wrong):
    with pytest.raises(ValueError, match=r"Expected .* received"):
        bootstrap_interval([0.5], **wrong)


@settings(max_examples=20, deadline=None)
@given(st.lists(st.floats(0, 1), min_size=1, max_size=20))
def test_interval_holds_the_mean_and_stays_within_the_values(values):
    mean, low, high = bootstrap_interval(values, resamples=1000)
    assert min(values) - 1e-9 <= low <= mean + 1e-9
    assert mean - 1e-9 <= high <= max(values) + 1e-9


def test_whole_landmarks_are_drawn_as_a_loop_draws_them():
    generator = np.random.default_rng(1)
    clusters = np.repeat(np.arange(12) * 7, np.arange(1, 13))
    values = generator.uniform(size=len(clusters)) + 0.03 * clusters
    groups = [values[clusters == cluster] for cluster in np.unique(clusters)]
    means = [np.concatenate([groups[place] for place in generator.integers(12, size=12)]).mean() for _ in range(4000)]
    shuffled = generator.permutation(len(values))
    mean, low, high = clustered_bootstrap_interval(values[shuffled], clusters[shuffled], resamples=4000)
    assert mean == pytest.approx(values.mean())
    assert (low, high) == pytest.approx(tuple(np.quantile(means, [0.025, 0.975])), abs=0.05)
    _, narrow_low, narrow_high = bootstrap_interval(values)
    assert low < narrow_low < narrow_high < high


def test_landmarks_of_one_query_are_the_bootstrap_over_queries():
    values = np.random.default_rng(0).uniform(size=60)
    assert clustered_bootstrap_interval(values, range(60)) == pytest.approx(bootstrap_interval(values), abs=0.01)
    assert clustered_bootstrap_interval(values, [5] * 60) == pytest.approx((values.mean(),) * 3)


@pytest.mark.parametrize(("values", "clusters"), [([], []), ([0.1, math.nan], [0, 0]), ([0.1, 0.2], [0]), ([[0.1]], [0])])
def test_no_landmarks_to_draw(values, clusters):
    with pytest.raises(ValueError, match="a cluster of each query; received shapes"):
        clustered_bootstrap_interval(values, clusters)


def test_one_run_is_the_bootstrap_over_queries():
    values = np.random.default_rng(0).uniform(size=60)
    crossed = crossed_bootstrap_interval(values[np.newaxis])
    assert crossed == pytest.approx(bootstrap_interval(values), abs=0.01)


def test_it_draws_what_a_loop_draws():
    values = np.random.default_rng(0).uniform(size=(3, 20)) + np.array([[0.0], [0.1], [0.2]])
    generator = np.random.default_rng(1)
    means = [values[generator.integers(3, size=3)][:, generator.integers(20, size=20)].mean() for _ in range(4000)]
    mean, low, high = crossed_bootstrap_interval(values, resamples=4000)
    assert mean == pytest.approx(values.mean())
    assert (low, high) == pytest.approx(tuple(np.quantile(means, [0.025, 0.975])), abs=0.02)


def test_runs_that_differ_widen_it():
    values = np.tile(np.random.default_rng(0).uniform(size=30), [3, 1])
    _, low, high = crossed_bootstrap_interval(values)
    _, wide_low, wide_high = crossed_bootstrap_interval(values + np.array([[-0.2], [0.0], [0.2]]))
    assert wide_low < low < high < wide_high


def test_equal_figures_have_no_width():
    assert crossed_bootstrap_interval(np.full((3, 5), 0.25)) == pytest.approx((0.25,) * 3)


@pytest.mark.parametrize(("values", "options", "said"), [
    (np.zeros((0, 3)), {}, "without NaN"), (np.array([[0.1, np.nan]]), {}, "1 NaN"), (np.zeros(3), {}, r"shape \(3,\)"),
    (np.zeros((1, 2)), {"resamples": 10}, "1000 resamples"), (np.zeros((1, 2)), {"level": 1.5}, "between 0 and 1")])
def test_what_has_no_interval(values, options, said):
    with pytest.raises(ValueError, match=said):
        crossed_bootstrap_interval(values, **options)


def test_the_middle_part_of_the_values():
    values = np.random.default_rng(0).permutation(np.arange(2001.0))
    assert percentile_interval(values, 0.9) == pytest.approx((100, 1900))


def test_resamples_without_a_value_do_not_count():
    values = np.append(np.arange(1001.0), [np.nan] * 500)
    assert percentile_interval(values, 0.5) == pytest.approx((250, 750))


@pytest.mark.parametrize(("count", "level", "message"), [
    (999, 0.95, "1000 resamples or more; received 999"), (1000, 95, "between 0 and 1; received 95"),
    (1000, 0.0, "between 0 and 1; received 0.0")])
def test_too_few_resamples_or_a_level_in_percent(count, level, message):
    with pytest.raises(ValueError, match=message):
        percentile_interval(np.zeros(count), level)
