"""A model of the zoo as an embedder."""

from collections.abc import Callable, Mapping
from typing import Any

import tensorflow as tf
from absl import logging

from landmark_zoo.core.errors import UserError
from landmark_zoo.data.resize import MIN_SIDE
from landmark_zoo.layers.embedding import EmbeddingLayer
from landmark_zoo.layers.l2_normalise import L2Normalise, l2_normalise
from landmark_zoo.models.complexity import multiply_accumulates
from landmark_zoo.models.weights_fingerprint import weights_fingerprint
from landmark_zoo.serving.embedders.embedder import Embedder

OUTPUTS = ("embedding", "feature_map", "local_features", "attention/score", "attention/how")


class Network(Embedder):
    """Holds the variables of a model that its embedding needs, and nothing of Keras: no head, no optimizer.

    Args:
        model: Images [B, H, W, 3] to a dict with "embedding" [B, D]; with "feature_map" or "local_features" [B, h, w, C] it
            has local features.
        side: Pixels of the longer side of the pictures.
        unit: False for the embedding before its last L2 normalisation, which only `MultiScale` may want.

    Raises:
        UserError: A side below 32 pixels, or `unit=False` and a model that does not end in a layer of ours.
    """

    def __init__(self, model: tf.keras.Model, side: int, unit: bool = True):
        super().__init__(name="network")
        if side < MIN_SIDE:
            raise UserError(f"a side of {MIN_SIDE} pixels or more", str(side), "Choose a larger one.")
        kept = {key: model.output[key] for key in OUTPUTS if key in model.output}
        layer = None if unit else _last_layer(model)
        inner = tf.keras.Model(model.input, kept if unit else {**kept, "before": layer.input})
        self.side, self.dimension = side, int(inner.output_shape["embedding"][-1])
        self.weights = inner.variables
        self.weights_sha256 = weights_fingerprint(inner)
        self._has_local = not kept.keys().isdisjoint(("feature_map", "local_features"))

        def outputs(images: tf.Tensor) -> dict[str, tf.Tensor]:
            return inner(images, training=False)

        # Plain functions: a Keras model or layer as an attribute would be saved too.
        self._untraced, self._embedding = outputs, _unit if unit else _before_length_one(layer)
        self._outputs = tf.function(outputs, [tf.TensorSpec([None, None, None, 3], tf.float32, name="images")])

    def __call__(self, images: tf.Tensor) -> tf.Tensor:
        return self._embedding(self._outputs(images))

    @property
    def has_local(self) -> bool:
        return self._has_local

    def local(self, images: tf.Tensor) -> dict[str, tf.Tensor]:
        return local_features(self._outputs(images))

    @property
    def facts(self) -> dict[str, Any]:
        return {"dimension": self.dimension, "side": self.side, "scales": [1.0],
                "resize": f"longer side to {self.side} pixels, antialiased", "aggregation": "none", "whitening": "none",
                "whitening_learnt_on": "none", "preprocessing": "inside; RGB 0..255", "weights_sha256": self.weights_sha256}

    def multiply_accumulates(self, height: int, width: int) -> int | None:
        try:
            return multiply_accumulates(self._untraced, tf.TensorSpec([1, height, width, 3]))
        except ValueError as error:
            logging.warning("The multiply-accumulates are not counted: %s", error)
            return None


def local_features(outputs: Mapping[str, tf.Tensor]) -> dict[str, tf.Tensor]:
    """Returns "features" and "scores" of the signature `local`.

    Args:
        outputs: Of a model with "feature_map" or "local_features" [B, h, w, C].
    """
    features = outputs["local_features"] if "local_features" in outputs else outputs["feature_map"]
    attention = outputs.get("attention/score", outputs.get("attention/how"))
    scores = tf.norm(tf.cast(features, tf.float32), axis=-1) if attention is None else tf.cast(attention[..., 0], tf.float32)
    return {"features": l2_normalise(features), "scores": scores}


def _unit(outputs: Mapping[str, tf.Tensor]) -> tf.Tensor:
    return tf.cast(outputs["embedding"], tf.float32)


def _before_length_one(layer: tf.keras.layers.Layer) -> Callable[[Mapping[str, tf.Tensor]], tf.Tensor]:
    if isinstance(layer, EmbeddingLayer):
        return lambda outputs: l2_normalise(outputs["before"]) @ layer.kernel + layer.bias
    return lambda outputs: tf.cast(outputs["before"], tf.float32)


def _last_layer(model: tf.keras.Model) -> tf.keras.layers.Layer:
    layer = next((layer for layer in model.layers if layer.name == "embedding"), None)
    if not isinstance(layer, EmbeddingLayer | L2Normalise):
        raise UserError("a model that ends in an embedding layer of this project for --noscale_l2", type(layer).__name__,
                        "Leave --noscale_l2 out.")
    return layer
