"""Without a strategy; two devices are in two_devices.py."""

import tensorflow as tf

from landmark_zoo.training.local_result import local_result


def test_alone_it_is_the_call():
    total, product = local_result(lambda a, b: (a + b, a * b), tf.constant(2.0), tf.constant(3.0))
    assert (float(total), float(product)) == (5, 6)
