"""ResNet-18 against torchvision's counts and a forward pass by hand."""

import numpy as np
import pytest
import tensorflow as tf

from landmark_zoo.backbones.resnet18 import ResNet18, basic_block


def test_parameters_are_torchvisions():
    model = ResNet18()
    assert sum(int(np.prod(v.shape)) for v in model.trainable_variables) == 11_176_512
    assert len([layer for layer in model.layers if isinstance(layer, tf.keras.layers.Conv2D)]) == 20


def test_width():
    assert ResNet18(alpha=0.25).output_shape == (None, None, None, 128)


def test_block_by_hand():
    """All kernels zero but the centre taps of an identity: relu(relu(x) + x)."""
    image = tf.keras.Input([6, 4, 3])
    model = tf.keras.Model(image, basic_block(image, 3, 1, "block", "out"))
    for layer in model.layers:
        if isinstance(layer, tf.keras.layers.Conv2D):
            kernel = np.zeros(layer.kernel.shape, np.float32)
            kernel[1, 1] = np.eye(3)
            layer.kernel.assign(kernel)
    x = np.random.default_rng(0).standard_normal((2, 6, 4, 3)).astype(np.float32)
    np.testing.assert_allclose(model(x), np.maximum(np.maximum(x, 0) + x, 0), rtol=1e-4, atol=1e-4)


def test_no_top_and_no_weights():
    with pytest.raises(ValueError, match="expected include_top=False"):
        ResNet18(include_top=True)
