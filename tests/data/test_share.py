import pytest
from hypothesis import given
from hypothesis import strategies as st

from landmark_zoo.data.share import Share


@given(st.integers(1, 6), st.integers(1, 4), st.integers(1, 5))
def test_the_shares_laid_end_to_end_are_the_batch(workers, portions, each):
    batch = workers * portions * each
    shares = [Share(workers, worker, portions) for worker in range(workers)]
    assert [row for share in shares for row in share.rows(batch)] == list(range(batch))
    assert {share.portion(batch) for share in shares} == {each}


def test_alone_it_is_the_whole_batch():
    assert (Share().rows(5), Share().portion(5)) == (range(5), 5)


@pytest.mark.parametrize("numbers", [(0, 0), (2, 2), (2, -1), (1, 0, 0)])
def test_no_such_worker(numbers):
    with pytest.raises(ValueError, match="worker < num_workers"):
        Share(*numbers)


@pytest.mark.parametrize("batch_size", [0, 7])
def test_a_batch_that_does_not_divide(batch_size):
    with pytest.raises(ValueError, match=f"that 4 devices divide; received {batch_size}"):
        Share(2, 0, 2).rows(batch_size)
