"""Junk taken out of places that are known already."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from landmark_zoo.metrics.ranks import positive_ranks
from landmark_zoo.metrics.ranks_without_junk import ranks_without_junk


def test_published_vector():
    assert ranks_without_junk([4, 1], [0]).tolist() == [0, 3]
    assert ranks_without_junk([], [0, 1]).tolist() == []


@given(st.permutations(range(20)), st.sets(st.integers(0, 19)), st.sets(st.integers(0, 19)))
def test_equal_the_ranks_counted_in_the_list(ranking, positives, junk):
    positives -= junk
    places = {image: place for place, image in enumerate(ranking)}
    found = ranks_without_junk([places[image] for image in positives], [places[image] for image in junk])
    np.testing.assert_array_equal(found, positive_ranks(ranking, positives, junk))


def test_a_place_in_both_is_refused():
    with pytest.raises(ValueError, match="received 3 in both"):
        ranks_without_junk([1, 3], [3])
