"""Batches of one shape."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from landmark_zoo.retrieval.at_scale.equal_shapes import equal_shapes


@given(st.lists(st.integers(1, 4), max_size=40), st.integers(1, 5), st.integers(1, 12))
def test_everything_comes_out_once_in_batches_of_one_shape(sizes, batch_size, waiting):
    taken = 0

    def items():
        nonlocal taken
        for number, size in enumerate(sizes):
            taken += 1
            yield number, np.full([size, 2], number)

    seen = []
    for names, batch in equal_shapes(items(), batch_size, waiting):
        assert 1 <= len(names) == len(batch) <= batch_size
        assert batch.shape[1] == sizes[names[0]]
        np.testing.assert_array_equal(batch[:, 0, 0], names)
        assert taken - len(seen) <= waiting + 1
        seen += names
    assert sorted(seen) == list(range(len(sizes)))


def test_full_batches_do_not_wait_for_the_others():
    items = ((number, np.zeros([number % 2 + 1])) for number in range(100))
    assert next(equal_shapes(items, 3, 50))[0] == [0, 2, 4]
