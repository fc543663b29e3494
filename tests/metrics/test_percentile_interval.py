import numpy as np
import pytest

from landmark_zoo.metrics.percentile_interval import percentile_interval


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
