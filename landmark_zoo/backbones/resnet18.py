"""ResNet-18, which is not among the Keras applications (He et al., Deep Residual Learning, CVPR 2016, table 1).

As in torchvision: explicit padding, no biases in convolutions, BatchNorm with epsilon 1e-5, RGB normalised by mean and
standard deviation. "v1" and "v1.5" differ in where a bottleneck strides; the basic blocks of this network stride on their
first 3x3 in both.
"""

import tensorflow as tf

layers = tf.keras.layers
STAGES = (64, 128, 256, 512)


def ResNet18(include_top: bool = False, weights: None = None, input_shape=(None, None, 3),  # noqa: N802 (as in Keras)
             alpha: float = 1.0) -> tf.keras.Model:
    """Builds the network without its top.

    Args:
        include_top: Whether to add the classifier; must be False.
        weights: Pretrained weights; must be None: Keras publishes none, files are read by `backbones.load_weights`.
        input_shape: (H, W, 3), unknown sides allowed.
        alpha: Width multiplier of every convolution, ours.

    Returns:
        A model from images [B, H, W, 3] to the last feature map [B, H/32, W/32, 512 alpha]; the stages end in `conv2_out` to
        `conv5_out`.
    """
    if include_top or weights is not None:
        raise ValueError(f"ResNet18: expected include_top=False and weights=None; received {include_top} and {weights!r}.")
    image = tf.keras.Input(input_shape)
    x = layers.ZeroPadding2D(3, name="conv1_pad")(image)
    x = _convolution(x, round(64 * alpha), 7, 2, "conv1")
    x = layers.ReLU(name="conv1_relu")(x)
    x = layers.ZeroPadding2D(1, name="pool1_pad")(x)
    x = layers.MaxPooling2D(3, 2, name="pool1_pool")(x)
    for stage, filters in enumerate(STAGES, start=2):
        for block in (1, 2):
            name = f"conv{stage}_out" if block == 2 else f"conv{stage}_block1_out"
            stride = 2 if stage > 2 and block == 1 else 1
            x = basic_block(x, round(filters * alpha), stride, f"conv{stage}_block{block}", name)
    return tf.keras.Model(image, x, name="resnet18")


def basic_block(x: tf.Tensor, filters: int, stride: int, name: str, output_name: str) -> tf.Tensor:
    """Two 3x3 convolutions beside a shortcut, which is projected where size or width change."""
    shortcut = x
    if stride > 1 or x.shape[-1] != filters:
        shortcut = _convolution(x, filters, 1, stride, f"{name}_0")
    x = layers.ZeroPadding2D(1, name=f"{name}_1_pad")(x)
    x = layers.ReLU(name=f"{name}_1_relu")(_convolution(x, filters, 3, stride, f"{name}_1"))
    x = layers.ZeroPadding2D(1, name=f"{name}_2_pad")(x)
    x = layers.Add(name=f"{name}_add")([_convolution(x, filters, 3, 1, f"{name}_2"), shortcut])
    return layers.ReLU(name=output_name)(x)


def _convolution(x: tf.Tensor, filters: int, size: int, stride: int, name: str) -> tf.Tensor:
    x = layers.Conv2D(filters, size, stride, use_bias=False, kernel_initializer="he_normal", name=f"{name}_conv")(x)
    return layers.BatchNormalization(momentum=0.9, epsilon=1e-5, name=f"{name}_bn")(x)
