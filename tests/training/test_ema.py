"""Running means of weights."""

import numpy as np
import pytest
import tensorflow as tf

from landmark_zoo.training.ema import ExponentialMovingAverage


@pytest.fixture
def model():
    return tf.keras.Sequential([tf.keras.Input([1]), tf.keras.layers.Dense(1, kernel_initializer="ones"),
                                tf.keras.layers.BatchNormalization()])


def kernel(model):
    return model.weights[0].numpy().item()


def test_worked_out_by_hand(model):
    ema, expected = ExponentialMovingAverage(model, 0.25), 1.0
    for step, value in enumerate([3.0, 5.0, -1.0, 2.0, 8.0]):
        model.weights[0].assign([[value]])
        ema.update(tf.constant(step))
        momentum = min(0.25, (1 + step) / (10 + step))
        expected = momentum * expected + (1 - momentum) * value
        assert ema.values[0].numpy().item() == pytest.approx(expected, rel=1e-6)


def test_batchnorm_statistics_too(model):
    ema = ExponentialMovingAverage(model, 0.9)
    model.layers[1].moving_mean.assign([10.0])
    ema.update(tf.constant(0))
    ema.copy_to_model()
    np.testing.assert_allclose(model.layers[1].moving_mean, [9.0])


def test_in_the_model_for_a_while(model):
    ema = ExponentialMovingAverage(model, 0.5)
    model.weights[0].assign([[7.0]])
    with ema.applied_to_model():
        assert kernel(model) == 1
    assert kernel(model) == 7
    with pytest.raises(KeyError), ema.applied_to_model():
        raise KeyError
    assert kernel(model) == 7
    ema.reset()
    with ema.applied_to_model():
        assert kernel(model) == 7
