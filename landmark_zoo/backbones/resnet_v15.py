"""ResNets as torchvision has them, "v1.5" (He et al., Deep Residual Learning, CVPR 2016, table 1), of 18 to 152 layers.

All authors of retrieval networks in PyTorch build on these. Keras' own ResNets differ: they stride in the first 1x1 of a
bottleneck where these stride in its 3x3, have biases in their convolutions, and take other pixels. Here padding is explicit,
convolutions have no bias, and BatchNorm has epsilon 1e-5. In the basic blocks of ResNet-18 and -34, "v1" and "v1.5" are the
same. Layers are named as in Keras: "conv4_block1_2_conv" is the 3x3 of the first block of the third stage.
"""

import tensorflow as tf

layers = tf.keras.layers
STAGES = (64, 128, 256, 512)


def resnet(name: str, blocks: tuple[int, ...], bottleneck: bool, include_top: bool, weights: None, input_shape,
           alpha: float) -> tf.keras.Model:
    """Builds a network without its top.

    Args:
        name: Name of the model.
        blocks: Number of blocks of each of the four stages.
        bottleneck: Blocks of 1x1, 3x3 and 1x1 instead of two 3x3.
        include_top: Whether to add the classifier; must be False.
        weights: Pretrained weights; must be None: Keras publishes none, files are read by `backbones.load_weights`.
        input_shape: (H, W, 3), unknown sides allowed.
        alpha: Width multiplier of every convolution, ours.

    Returns:
        A model from images [B, H, W, 3] to the last feature map [B, H/32, W/32, C], sides rounded up; C is 512 alpha, and
        four times that with bottlenecks.
    """
    if include_top or weights is not None:
        raise ValueError(f"{name}: expected include_top=False and weights=None; received {include_top} and {weights!r}.")
    image = tf.keras.Input(input_shape)
    x = layers.ZeroPadding2D(3, name="conv1_pad")(image)
    x = _convolution(x, round(64 * alpha), 7, 2, "conv1")
    x = layers.ReLU(name="conv1_relu")(x)
    x = layers.ZeroPadding2D(1, name="pool1_pad")(x)
    x = layers.MaxPooling2D(3, 2, name="pool1_pool")(x)
    make = bottleneck_block if bottleneck else basic_block
    for stage, (filters, number) in enumerate(zip(STAGES, blocks, strict=True), start=2):
        for block in range(1, number + 1):
            last = block == number and not bottleneck
            stride = 2 if stage > 2 and block == 1 else 1
            x = make(x, round(filters * alpha), stride, f"conv{stage}_block{block}",
                     f"conv{stage}_out" if last else f"conv{stage}_block{block}_out")
    return tf.keras.Model(image, x, name=name)


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


def bottleneck_block(x: tf.Tensor, filters: int, stride: int, name: str, output_name: str) -> tf.Tensor:
    """A 1x1, a 3x3 that strides, and a 1x1 of four times the filters, beside a shortcut."""
    shortcut = x
    if stride > 1 or x.shape[-1] != 4 * filters:
        shortcut = _convolution(x, 4 * filters, 1, stride, f"{name}_0")
    x = layers.ReLU(name=f"{name}_1_relu")(_convolution(x, filters, 1, 1, f"{name}_1"))
    x = layers.ZeroPadding2D(1, name=f"{name}_2_pad")(x)
    x = layers.ReLU(name=f"{name}_2_relu")(_convolution(x, filters, 3, stride, f"{name}_2"))
    x = layers.Add(name=f"{name}_add")([shortcut, _convolution(x, 4 * filters, 1, 1, f"{name}_3")])
    return layers.ReLU(name=output_name)(x)


def _convolution(x: tf.Tensor, filters: int, size: int, stride: int, name: str) -> tf.Tensor:
    x = layers.Conv2D(filters, size, stride, use_bias=False, kernel_initializer="he_normal", name=f"{name}_conv")(x)
    return layers.BatchNormalization(momentum=0.9, epsilon=1e-5, name=f"{name}_bn")(x)


def ResNet18(include_top: bool = False, weights: None = None, input_shape=(None, None, 3),  # noqa: N802 (as in Keras)
             alpha: float = 1.0) -> tf.keras.Model:
    """Builds ResNet-18, whose stages end in `conv2_out` to `conv5_out`; see `resnet`."""
    return resnet("resnet18", (2, 2, 2, 2), False, include_top, weights, input_shape, alpha)


def ResNet34(include_top: bool = False, weights: None = None, input_shape=(None, None, 3),  # noqa: N802
             alpha: float = 1.0) -> tf.keras.Model:
    """Builds ResNet-34, whose stages end in `conv2_out` to `conv5_out`; see `resnet`."""
    return resnet("resnet34", (3, 4, 6, 3), False, include_top, weights, input_shape, alpha)


def ResNet50V15(include_top: bool = False, weights: None = None, input_shape=(None, None, 3),  # noqa: N802
                alpha: float = 1.0) -> tf.keras.Model:
    """Builds ResNet-50, its layers named as in Keras' `ResNet50`; see `resnet`."""
    return resnet("resnet50v15", (3, 4, 6, 3), True, include_top, weights, input_shape, alpha)


def ResNet101V15(include_top: bool = False, weights: None = None, input_shape=(None, None, 3),  # noqa: N802
                 alpha: float = 1.0) -> tf.keras.Model:
    """Builds ResNet-101, its layers named as in Keras' `ResNet101`; see `resnet`."""
    return resnet("resnet101v15", (3, 4, 23, 3), True, include_top, weights, input_shape, alpha)


def ResNet152V15(include_top: bool = False, weights: None = None, input_shape=(None, None, 3),  # noqa: N802
                 alpha: float = 1.0) -> tf.keras.Model:
    """Builds ResNet-152, its layers named as in Keras' `ResNet152`; see `resnet`."""
    return resnet("resnet152v15", (3, 8, 36, 3), True, include_top, weights, input_shape, alpha)
