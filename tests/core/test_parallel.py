import os
import signal
import threading
import time

import pytest
from absl import logging

from landmark_zoo.core.errors import UserError
from landmark_zoo.core.parallel import median_seconds, progress, read_ahead, run_in_child_process


def test_yields_everything_and_logs_the_last_line(monkeypatch):
    lines = []
    monkeypatch.setattr(logging, "info", lambda text, *words: lines.append(text % words))
    assert list(progress([1, 2, 3], "counting", unit="number")) == [1, 2, 3]
    assert len(lines) == 1
    assert lines[0].startswith("counting: 3/3 numbers, ")


def test_logs_now_and_then(monkeypatch):
    lines = []
    monkeypatch.setattr(logging, "info", lambda text, *words: lines.append(text % words))
    for _ in progress(iter(range(4)), "waiting", total=4, every_seconds=0.01):
        time.sleep(0.015)
    assert len(lines) == 5
    assert "s left" in lines[0]


def product_and_process(left, right):
    return left * right, os.getpid()


def mistake():
    raise UserError("a number", "'x'", "Write one.")


def be_killed():
    os.kill(os.getpid(), signal.SIGKILL)


def test_result_of_another_process():
    product, process = run_in_child_process(product_and_process, 6, 7)
    assert product == 42
    assert process != os.getpid()


def test_a_mistake_comes_back_whole():
    with pytest.raises(UserError, match=r"^Expected a number; received 'x'\. Write one\.$") as caught:
        run_in_child_process(mistake)
    assert (caught.value.expected, caught.value.received) == ("a number", "'x'")


def test_a_process_that_is_killed():
    with pytest.raises(UserError, match="be_killed to end; received a process that was killed"):
        run_in_child_process(be_killed)


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


@pytest.mark.parametrize(("settings", "calls"), [
    ({}, 8), ({"warmup": 0, "repeats": 3}, 3), ({"warmup": 2, "limit": 0.0}, 3)])
def test_median_seconds_counts_its_calls(settings, calls):
    called = []
    assert median_seconds(lambda: called.append(0), **settings) >= 0
    assert len(called) == calls


def test_median_seconds_is_neither_the_warmup_nor_an_outlier(monkeypatch):
    ticks = iter([0.0, 1.0, 1.0, 3.0, 3.0, 103.0])
    monkeypatch.setattr(time, "perf_counter", lambda: next(ticks))
    assert median_seconds(lambda: None, warmup=5, repeats=3) == 2.0
