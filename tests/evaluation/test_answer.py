"""One ranking, from scores or from a list."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from landmark_zoo.evaluation.answer import FIRST, Answer
from landmark_zoo.metrics.ranks import positive_ranks

IDS = [f"i{number}" for number in range(12)]


@given(st.lists(st.sampled_from(IDS), max_size=30), st.sets(st.sampled_from(IDS)), st.sets(st.sampled_from(IDS)))
def test_ranks_of_a_list_with_repetitions(ranking, positives, junk):
    junk -= positives
    answer = Answer.of_ranking(ranking, positives | junk)
    np.testing.assert_array_equal(answer.ranks(positives, junk), positive_ranks(ranking, positives, junk))


@given(st.lists(st.sampled_from([0.1, 0.2, 0.3]), min_size=12, max_size=12), st.sets(st.sampled_from(IDS)))
def test_ranks_of_scores_with_ties(scores, positives):
    rows = {image: row for row, image in enumerate(IDS)}
    junk = set(IDS[:3]) - positives
    answer = Answer.of_scores(np.array(scores), IDS, rows, [*positives, *junk, "absent"])
    ranking = [IDS[row] for row in np.argsort(-np.array(scores), kind="stable")]
    np.testing.assert_array_equal(answer.ranks(positives, junk), positive_ranks(ranking, positives, junk))
    assert [image for image, _ in answer.first] == ranking


def test_only_the_first_places_are_kept():
    answer = Answer.of_ranking([str(number) for number in range(200)], {"150"})
    assert len(answer.first) == FIRST
    assert answer.labelled == [("150", 150)]
    assert np.isnan(answer.first[0][1])
