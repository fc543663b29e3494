"""Interface of embedders, what the signatures of an export stand on, and the embedder of a Keras model alone."""

import abc
import dataclasses
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Any

import tensorflow as tf
from absl import logging

from landmark_zoo.core.errors import UserError
from landmark_zoo.data.protocol import OWN_SCALES, Protocol
from landmark_zoo.layers.attention.how import HOW, l2_attention
from landmark_zoo.layers.embedding import EmbeddingLayer, L2Normalize, l2_normalize
from landmark_zoo.models.delg import SUBSAMPLING
from landmark_zoo.models.inspection import (
    attention_kinds,
    exported_classifier,
    map_sources,
    maps_of,
    multiply_accumulates,
    weights_fingerprint,
)
from landmark_zoo.models.xfeat import detect
from landmark_zoo.serving.fold_batch_norm import fold_kept


class Embedder(tf.Module, abc.ABC):
    """Interface of embedders: images of one size to embeddings of length 1, with facts for `info`.

    Attributes:
        side: Longer side of the images, in pixels.
        dimension: D, the length of an embedding.
        classifier_weights: Variables that only the map of the winning class needs.
        has_keypoints: True where there is a method, and a signature, `keypoints`.
    """

    side: int
    dimension: int
    has_keypoints = False
    classifier_weights: Sequence[tf.Variable] = ()

    @property
    def protocol(self) -> Protocol:
        """Test protocol; by default the project's own at `side`."""
        return Protocol(self.side)

    @abc.abstractmethod
    def __call__(self, images: tf.Tensor) -> tf.Tensor:
        """Returns float32 [B, D], each row of length 1.

        Args:
            images: RGB, 0..255, float32 [B, H, W, 3], of the size to which the protocol brings them.
        """

    def local(self, images: tf.Tensor) -> dict[str, tf.Tensor] | None:
        """Returns "features" and "scores" of the signature `local`; see `has_local`.

        Raises:
            ValueError: An embedder without them.
        """
        raise ValueError(f"Expected an embedder with a feature map; received {type(self).__name__}.")

    @property
    def has_local(self) -> bool:
        """True where there is a signature `local`."""
        return False

    def attention(self, images: tf.Tensor) -> dict[str, tf.Tensor]:
        """Returns the maps of the signature `attention`, float32 [B, 1 or h, 1 or w, 1 or C]; see `has_attention`.

        Raises:
            ValueError: An embedder without them.
        """
        raise ValueError(f"Expected an embedder with attention maps; received {type(self).__name__}.")

    @property
    def has_attention(self) -> bool:
        """True where there is a signature `attention`: the facts list its maps."""
        return "attention_maps" in self.facts

    @property
    @abc.abstractmethod
    def facts(self) -> dict[str, Any]:
        """Facts of the protocol card: side, resize, dimension, scales, aggregation, whitening, ..."""

    @property
    def parameters(self) -> int:
        """Number of values in its variables, statistics of BatchNorm included, without those of a classifier."""
        return (sum(variable.shape.num_elements() for variable in self.variables)
                - sum(variable.shape.num_elements() for variable in self.classifier_weights))

    @abc.abstractmethod
    def multiply_accumulates(self, height: int, width: int) -> int | None:
        """Returns the multiply-accumulates of one picture of height x width pixels; None where they cannot be counted."""


OUTPUTS = ("embedding", "feature_map", "local_features", "attention/score", "attention/how", "keypoint_heat")
PROBE = 128
"""Side of the image whose local features are counted, in pixels."""


class Network(Embedder):
    """Holds the variables of a model that its embedding and its maps need, and nothing of Keras: no optimizer.

    Args:
        model: Images [B, H, W, 3] to a dict with "embedding" [B, D]; with "feature_map" or "local_features" [B, h, w, C] it
            has local features.
        protocol: Test protocol, or the side of the project's own; its scales are `MultiScale`'s.
        unit: False for the embedding before its last L2 normalisation, which only `MultiScale` and `Whitened` may want.
        fold: Make BatchNorm part of the convolutions before it (`fold_kept`), where the embedding stays.
            `weights_sha256` is that of the model's own weights either way.
        class_activation: Keep the head for the map of the winning class; see `inspection.exported_classifier`.

    Raises:
        UserError: A side below 32 pixels, `unit=False` and a model that does not end in a layer of ours, or
            `class_activation=True` and no such head.
    """

    def __init__(self, model: tf.keras.Model, protocol: Protocol | int, unit: bool = True, fold: bool = False,
                 class_activation: bool | None = None):
        super().__init__(name="network")
        self._protocol = dataclasses.replace(Protocol.of(protocol), scales=OWN_SCALES)
        side = self._protocol.side
        kept = {key: model.output[key] for key in OUTPUTS if key in model.output}
        how = next((layer for layer in model.layers if isinstance(layer, HOW)), None)
        if "attention/how" in kept and how is not None:
            kept["how_features"] = how.get_input_at(-1)
        layer = None if unit else _last_layer(model)
        self.weights_sha256 = weights_fingerprint(tf.keras.Model(model.input, kept))
        self._classifier = exported_classifier(model, class_activation)
        self._kinds = attention_kinds(model, self._classifier)
        kept |= map_sources(model, self._classifier)
        inner = tf.keras.Model(model.input, kept if unit else {**kept, "before": layer.input})
        self.side, self.dimension = side, int(inner.output_shape["embedding"][-1])
        inner = fold_kept(inner, side) if fold else inner
        self.weights = inner.variables
        self.classifier_weights = self._classifier.head.variables if self._classifier else []
        self._has_local = not kept.keys().isdisjoint(("feature_map", "local_features"))
        self.has_keypoints = "keypoint_heat" in kept
        self._subsampled = any(layer.name == SUBSAMPLING for layer in model.layers)

        def outputs(images: tf.Tensor) -> dict[str, tf.Tensor]:
            return inner(images, training=False)

        # Plain functions: a Keras model or layer as an attribute would be saved too.
        self._untraced, self._embedding = outputs, _embedding_of if unit else _before_length_one(layer)
        self._outputs = tf.function(outputs, [tf.TensorSpec([None, None, None, 3], tf.float32, name="images")])

    def __call__(self, images: tf.Tensor) -> tf.Tensor:
        return self._embedding(self._outputs(images))

    @property
    def protocol(self) -> Protocol:
        return self._protocol

    @property
    def has_local(self) -> bool:
        return self._has_local

    def local(self, images: tf.Tensor) -> dict[str, tf.Tensor]:
        return local_features(self._outputs(images))

    def attention(self, images: tf.Tensor) -> dict[str, tf.Tensor]:
        return maps_of(self._outputs(images), self._classifier)

    def keypoints(self, images: tf.Tensor, count: tf.Tensor) -> dict[str, tf.Tensor]:
        """Returns "keypoints", "descriptors" and "scores" of the signature `keypoints`."""
        return detect(self._outputs(images), tf.shape(images)[1:3], count)

    @property
    def facts(self) -> dict[str, Any]:
        facts = {"dimension": self.dimension, **self._protocol.constants, "resize": self._protocol.words,
                 "aggregation": self._protocol.aggregation, "whitening": "none",
                 "whitening_learnt_on": "none", "preprocessing": "inside; RGB 0..255", "weights_sha256": self.weights_sha256}
        maps = {"attention_maps": list(self._kinds), "attention_kinds": list(self._kinds.values())} if self._kinds else {}
        return {**facts, **(self._local_facts if self._has_local else {}), **maps}

    @cached_property
    def _local_facts(self) -> dict[str, Any]:
        """Whether local features have length 1, the pixels between two of them, and those before the first one's center.

        A subsampled map takes the first of two cells: the center of that cell is half a step of the finer map away. XFeat
        lowers the sides of an image to multiples of 32 first, so that its cells divide every image evenly.
        """
        outputs = self._outputs(tf.zeros([1, PROBE, PROBE, 3]))
        unit, rows = {"local_unit": not _is_how(outputs)}, local_features(outputs)["features"].shape[1]
        if PROBE % rows:  # a foreign network without padding
            return unit
        stride = PROBE // rows
        even = {"local_even": True} if self.has_keypoints else {}
        return {**unit, **even, "local_stride": stride, "local_offset": stride / 4 if self._subsampled else stride / 2}

    def multiply_accumulates(self, height: int, width: int) -> int | None:
        try:
            return multiply_accumulates(self._untraced, tf.TensorSpec([1, height, width, 3]))
        except ValueError as error:
            logging.warning("The multiply-accumulates are not counted: %s", error)
            return None


def local_features(outputs: Mapping[str, tf.Tensor]) -> dict[str, tf.Tensor]:
    """Returns "features" and "scores" of the signature `local`.

    HOW's features keep their lengths, which ASMK counts, and its scores are the lengths of the features before smoothing,
    not divided by their maximum: so scores of several scales can be compared.

    Args:
        outputs: Outputs of a model with "feature_map" or "local_features" [B, h, w, C]; "how_features" is what HOW's
            attention is computed from.
    """
    features = tf.cast(outputs["local_features"] if "local_features" in outputs else outputs["feature_map"], tf.float32)
    attention = outputs.get("attention/score", outputs.get("attention/how"))
    if "how_features" in outputs:
        attention = l2_attention(outputs["how_features"])
    scores = tf.norm(features, axis=-1) if attention is None else tf.cast(attention[..., 0], tf.float32)
    return {"features": features if _is_how(outputs) else l2_normalize(features), "scores": scores}


def _is_how(outputs: Mapping[str, tf.Tensor]) -> bool:
    return {"local_features", "attention/how"} <= outputs.keys()


def _embedding_of(outputs: Mapping[str, tf.Tensor]) -> tf.Tensor:
    return tf.cast(outputs["embedding"], tf.float32)


def _before_length_one(layer: tf.keras.layers.Layer) -> Callable[[Mapping[str, tf.Tensor]], tf.Tensor]:
    if isinstance(layer, EmbeddingLayer):
        return lambda outputs: l2_normalize(outputs["before"]) @ layer.kernel + layer.bias
    return lambda outputs: tf.cast(outputs["before"], tf.float32)


def _last_layer(model: tf.keras.Model) -> tf.keras.layers.Layer:
    layer = next((layer for layer in model.layers if layer.name == "embedding"), None)
    if not isinstance(layer, EmbeddingLayer | L2Normalize):
        raise UserError("a model that ends in an embedding layer of this project for --noscale_l2 or --nowhitening_l2",
                        type(layer).__name__, "Leave --noscale_l2 out, and --nowhitening_l2.")
    return layer
