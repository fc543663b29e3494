"""A backbone by name."""

from collections.abc import Sequence
from pathlib import Path

import tensorflow as tf

from landmark_zoo.backbones import BACKBONES
from landmark_zoo.backbones.weights import load_weights
from landmark_zoo.core.errors import UserError


def build_backbone(name: str, weights: str | Path | None = None, alpha: float | None = None,
                   taps: Sequence[str] = ("C3", "C4", "C5")) -> tf.keras.Model:
    """Makes a Keras application without its top that returns its taps.

    The preprocessing is not in it: `models.build_model` puts it before.

    Args:
        name: A name of `BACKBONES`.
        weights: None (random), "imagenet", a file, a folder or an address; see `load_weights`.
        alpha: Width multiplier of the MobileNets.
        taps: Which feature maps it shall return; what lies behind the last of them is left out.

    Returns:
        A model named `name`: preprocessed images [B, H, W, 3] to a dict from tap to feature map.
    """
    spec = BACKBONES[name]
    if alpha is not None and not spec.has_width:
        raise UserError(f"no alpha for {name}", f"alpha={alpha}", "Only the MobileNets and ResNet-18 have widths.")
    width = {"alpha": alpha} if alpha is not None else {}
    network = spec.application(include_top=False, weights=None, input_shape=(None, None, 3), **width)
    if any(weight.dtype in (tf.float16, tf.bfloat16) for weight in network.weights):
        network = tf.keras.models.clone_model(network, clone_function=_normalise_in_float32)
    if weights is not None:
        load_weights(network, spec, weights, alpha)
    return tf.keras.Model(network.input, {tap: network.get_layer(spec.taps[tap]).output for tap in taps}, name=name)


def _normalise_in_float32(layer: tf.keras.layers.Layer) -> tf.keras.layers.Layer:
    """Copies a layer; one that subtracts a mean, which Keras keeps in the short format of a mixed policy, in float32."""
    short = isinstance(layer, tf.keras.layers.Normalization)
    return type(layer).from_config({**layer.get_config(), **({"dtype": "float32"} if short else {})})
