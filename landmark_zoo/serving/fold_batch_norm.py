"""Batch normalization folded into the weights of the convolution or dense layer before it."""

from collections import Counter

import numpy as np
import tensorflow as tf
from absl import logging

FOLDED_DISTANCE, FOLDED_DISTANCE_IN_16_BITS = 1e-5, 1e-3
"""By how much, as 1 - cosine, folding BatchNorm may move an embedding."""
_LINEAR = (tf.keras.layers.Conv2D, tf.keras.layers.DepthwiseConv2D, tf.keras.layers.Dense)


def fold_kept(model: tf.keras.Model, side: int) -> tf.keras.Model:
    """Returns the folded model, or the model itself where an image of noise gets another embedding from it.

    Args:
        model: Images [B, H, W, 3] to a dict with "embedding" [B, D].
        side: Sides of the image of noise, in pixels.
    """
    folded = fold_batch_norm(model)
    image = tf.random.stateless_uniform([1, side, side, 3], [0, 0], maxval=255.0)
    expected, found = (tf.cast(each(image, training=False)["embedding"], tf.float32) for each in (model, folded))
    short = any(layer.compute_dtype in ("bfloat16", "float16") for layer in model.submodules
                if isinstance(layer, tf.keras.layers.Layer))
    distance = float(1 - tf.reduce_sum(expected * found))
    if distance <= (FOLDED_DISTANCE_IN_16_BITS if short else FOLDED_DISTANCE):
        return folded
    logging.warning("BatchNorm is not folded: the embedding would move by a cosine of %.2g.", distance)
    return model


def fold_batch_norm(model: tf.keras.Model) -> tf.keras.Model:
    """Returns a model that computes the same in inference with fewer normalizations; `model` stays as it was.

    `gamma (W x + b - mean) / sqrt(variance + epsilon) + beta` is a layer with the kernel `W s` and the bias
    `(b - mean) s + beta`, where `s = gamma / sqrt(variance + epsilon)`. Folded is every BatchNormalization over channels
    whose input is a Conv2D, DepthwiseConv2D or Dense layer without activation that nothing else reads; an identity of the
    same name takes its place. Functional models inside the model are folded too, other layers are shared with `model`.

    Args:
        model: Functional and built.
    """
    pairs = _pairs(model)
    normalizations = {normalization.name for normalization in pairs.values()}

    def replaced(layer: tf.keras.layers.Layer) -> tf.keras.layers.Layer:
        if layer.name in pairs:
            return type(layer).from_config({**layer.get_config(), "use_bias": True})
        if layer.name in normalizations:
            return tf.keras.layers.Activation("linear", name=layer.name, dtype=layer.get_config()["dtype"])
        return fold_batch_norm(layer) if type(layer) is type(model) else layer

    folded = tf.keras.models.clone_model(model, clone_function=replaced)
    for name, normalization in pairs.items():
        folded.get_layer(name).set_weights(folded_weights(model.get_layer(name), normalization))
    return folded


def folded_weights(layer: tf.keras.layers.Layer, normalization: tf.keras.layers.BatchNormalization) -> list[np.ndarray]:
    """Returns kernel and bias of the layer that does both; float64.

    Args:
        layer: Conv2D (kernel [h, w, C, D]), DepthwiseConv2D ([h, w, C, multiplier]) or Dense ([C, D]), with or without bias.
        normalization: Of its D, or C x multiplier, channels.
    """
    kernel, *bias = (weight.astype(np.float64) for weight in layer.get_weights())
    mean, variance = (weight.numpy().astype(np.float64) for weight in
                      (normalization.moving_mean, normalization.moving_variance))
    gamma = 1 if normalization.gamma is None else normalization.gamma.numpy()
    beta = 0 if normalization.beta is None else normalization.beta.numpy()
    scale = gamma / np.sqrt(variance + normalization.epsilon)
    depthwise = isinstance(layer, tf.keras.layers.DepthwiseConv2D)
    return [kernel * (scale.reshape(kernel.shape[2:]) if depthwise else scale),
            ((bias[0] if bias else 0) - mean) * scale + beta]


def _pairs(model: tf.keras.Model) -> dict[str, tf.keras.layers.BatchNormalization]:
    """Returns the normalizations that can be folded, by the name of the layer that takes each in."""
    config = model.get_config()
    inbound = {layer["name"]: layer["inbound_nodes"] for layer in config["layers"]}
    readers = Counter(word for word in tf.nest.flatten([list(inbound.values()), config["output_layers"]])
                      if isinstance(word, str))
    pairs = {}
    for layer in model.layers:
        if not isinstance(layer, tf.keras.layers.BatchNormalization) or len(inbound[layer.name]) != 1:
            continue
        before = model.get_layer(inbound[layer.name][0][0][0])
        if (type(before) in _LINEAR and before.activation is tf.keras.activations.linear
                and len(inbound[before.name]) == readers[before.name] == 1
                and getattr(before, "data_format", "channels_last") == "channels_last"
                and list(layer.axis) == [layer.input_spec.ndim - 1]):
            pairs[before.name] = layer
    return pairs
