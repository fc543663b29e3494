import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from landmark_zoo.core.errors import UserError
from landmark_zoo.data.plans.tuples import tuple_plan


@given(st.integers(1, 30), st.integers(2, 7), st.integers(1, 5), st.integers(0, 9), st.integers(0, 9))
def test_whole_tuples_each_at_most_once(queries, width, batch, seed, epoch):
    tuples = np.arange(queries * width).reshape(queries, width)
    if queries < batch:
        return
    plan = tuple_plan(tuples, batch, seed, epoch)
    assert plan.shape == (queries // batch, batch * width)
    rows = [tuple(row) for row in plan.reshape(-1, width)]
    assert len(set(rows)) == len(rows)
    assert set(rows) <= {tuple(row) for row in tuples}


def test_over_the_epochs_every_tuple_is_used():
    tuples = np.arange(21).reshape(7, 3)
    used = {int(row[0]) for epoch in range(12) for row in tuple_plan(tuples, 3, 0, epoch).reshape(-1, 3)}
    assert used == set(range(0, 21, 3))


def test_depends_on_seed_and_epoch_alone():
    tuples = np.arange(40).reshape(10, 4)
    first = tuple_plan(tuples, 2, 0, 0)
    np.testing.assert_array_equal(first, tuple_plan(tuples, 2, 0, 0))
    assert not np.array_equal(first, tuple_plan(tuples, 2, 0, 1))
    assert not np.array_equal(first, tuple_plan(tuples, 2, 1, 0))


def test_too_few_tuples_is_one_line():
    with pytest.raises(UserError, match=r"batch of 5 tuples; received 4 tuples"):
        tuple_plan(np.zeros((4, 3), int), 5, 0, 0)


@pytest.mark.parametrize("options", [{"tuples": [1, 2]}, {"tuples": [[1], [2]]}, {"tuples_per_batch": 0}, {"epoch": -1}])
def test_impossible_input_is_refused(options):
    with pytest.raises(ValueError, match="received"):
        tuple_plan(**{"tuples": [[0, 1, 2]], "tuples_per_batch": 1, "seed": 0, "epoch": 0} | options)
