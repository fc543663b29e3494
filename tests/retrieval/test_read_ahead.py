"""Reading in advance."""

import threading
import time

import pytest

from landmark_zoo.retrieval.read_ahead import read_ahead


def test_order_is_kept_though_reads_take_unlike_times():
    def slow_if_even(number):
        time.sleep(0.01 if number % 2 == 0 else 0)
        return number * 10
    assert list(read_ahead(slow_if_even, range(9), ahead=4)) == list(range(0, 90, 10))


def test_no_more_than_ahead_are_read_in_advance():
    read = []
    stream = read_ahead(lambda number: read.append(number) or number, range(100), ahead=3)
    assert next(stream) == 0
    time.sleep(0.05)
    assert len(read) <= 4
    stream.close()
    assert len(read) <= 4


def test_an_error_comes_at_its_place():
    def fail_at_two(number):
        if number == 2:
            raise RuntimeError("two")
        return number
    stream = read_ahead(fail_at_two, range(5), ahead=5)
    assert [next(stream), next(stream)] == [0, 1]
    with pytest.raises(RuntimeError, match="two"):
        next(stream)


def test_reads_happen_in_other_threads():
    threads = set(read_ahead(lambda _: threading.current_thread().name, range(4), ahead=2))
    assert threading.current_thread().name not in threads


def test_nothing_to_read():
    assert list(read_ahead(str, [], ahead=2)) == []
