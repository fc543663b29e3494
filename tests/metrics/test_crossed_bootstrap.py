import numpy as np
import pytest

from landmark_zoo.metrics.bootstrap import bootstrap_interval
from landmark_zoo.metrics.crossed_bootstrap import crossed_bootstrap_interval

RANDOM = np.random.default_rng(0)


def test_one_run_is_the_bootstrap_over_queries():
    values = RANDOM.uniform(size=60)
    crossed = crossed_bootstrap_interval(values[np.newaxis])
    assert crossed == pytest.approx(bootstrap_interval(values), abs=0.01)


def test_it_draws_what_a_loop_draws():
    values = RANDOM.uniform(size=(3, 20)) + np.array([[0.0], [0.3], [0.6]])
    generator = np.random.default_rng(1)
    means = [values[generator.integers(3, size=3)][:, generator.integers(20, size=20)].mean() for _ in range(4000)]
    mean, low, high = crossed_bootstrap_interval(values, resamples=4000)
    assert mean == pytest.approx(values.mean())
    assert (low, high) == pytest.approx(tuple(np.quantile(means, [0.025, 0.975])), abs=0.02)


def test_runs_that_differ_widen_it():
    values = np.tile(RANDOM.uniform(size=30), [3, 1])
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
