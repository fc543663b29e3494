import time
from email.utils import formatdate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from landmark_zoo.data.download.patience import LONGEST_RETRY_AFTER, Patience


@given(st.integers(1, 200), st.text(max_size=20))
def test_the_pause_grows_has_jitter_and_an_end_and_is_the_same_again(attempt, seed):
    patience = Patience(first_delay=1.0, longest_delay=60.0)
    whole = min(60.0, 2.0 ** min(attempt - 1, 30))
    assert whole / 2 <= patience.delay(attempt, seed) <= whole
    assert patience.delay(attempt, seed) == patience.delay(attempt, seed)


def test_seeds_part_the_clients():
    assert len({Patience().delay(3, f"url {number}") for number in range(20)}) == 20


@pytest.mark.parametrize(("header", "least", "most"), [
    ("7", 7, 7), ("0", 0, 0), ("99999", LONGEST_RETRY_AFTER, LONGEST_RETRY_AFTER), (formatdate(0, usegmt=True), 0, 0),
    ("soon", 0.5, 1), ("", 0.5, 1)])
def test_retry_after(header, least, most):
    assert least <= Patience().delay(1, "x", header) <= most


def test_retry_after_as_a_date():
    assert 50 < Patience().delay(1, "x", formatdate(time.time() + 60, usegmt=True)) <= 60
