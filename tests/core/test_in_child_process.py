import os
import signal

import pytest

from landmark_zoo.core.errors import UserError
from landmark_zoo.core.in_child_process import in_child_process


def product_and_process(left, right):
    return left * right, os.getpid()


def mistake():
    raise UserError("a number", "'x'", "Write one.")


def be_killed():
    os.kill(os.getpid(), signal.SIGKILL)


def test_result_of_another_process():
    product, process = in_child_process(product_and_process, 6, 7)
    assert product == 42
    assert process != os.getpid()


def test_a_mistake_comes_back_whole():
    with pytest.raises(UserError, match=r"^Expected a number; received 'x'\. Write one\.$") as caught:
        in_child_process(mistake)
    assert (caught.value.expected, caught.value.received) == ("a number", "'x'")


def test_a_process_that_is_killed():
    with pytest.raises(UserError, match="be_killed to end; received a process that was killed"):
        in_child_process(be_killed)
