import io

import pytest

from landmark_zoo.data.download.bounded_reader import LARGEST_READ, BoundedReader


def test_reads_like_its_stream():
    reader = BoundedReader(io.BytesIO(b"abcdef"), 100)
    assert (reader.read(2), reader.last, reader.tell()) == (b"ab", b"ab", 2)
    assert reader.seek(4) == 4
    assert reader.read(10) == b"ef"
    assert reader.read(10) == b""
    assert reader.readable()
    assert reader.seekable()


def test_no_further_than_the_limit():
    reader = BoundedReader(io.BytesIO(bytes(3 * LARGEST_READ)), LARGEST_READ)
    reader.read(LARGEST_READ)
    with pytest.raises(OverflowError, match="more than"):
        reader.seek(2 * LARGEST_READ + 1)
    reader.read(LARGEST_READ)
    with pytest.raises(OverflowError, match="more than"):
        reader.read(1)


@pytest.mark.parametrize("size", [-1, LARGEST_READ + 1])
def test_no_single_giant_read(size):
    with pytest.raises(OverflowError, match="a single read"):
        BoundedReader(io.BytesIO(b""), 1 << 60).read(size)


def test_the_end_is_not_known():
    with pytest.raises(io.UnsupportedOperation):
        BoundedReader(io.BytesIO(b"abc"), 100).seek(0, io.SEEK_END)
