import tensorflow as tf

from landmark_zoo.models.weights_fingerprint import weights_fingerprint


def dense(units=3, name=None):
    return tf.keras.Sequential([tf.keras.Input([2]), tf.keras.layers.Dense(units, kernel_initializer="ones", name=name)])


def test_equal_weights_have_one_fingerprint_whatever_their_names():
    assert weights_fingerprint(dense(name="a")) == weights_fingerprint(dense(name="b"))


def test_another_value_or_shape_has_another():
    model = dense()
    before = weights_fingerprint(model)
    model.layers[-1].kernel[0, 0].assign(1.0001)
    assert len({before, weights_fingerprint(model), weights_fingerprint(dense(2))}) == 3
