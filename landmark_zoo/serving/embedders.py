"""Embedders around a network: `MultiScale` embeds at fixed scales and aggregates, `Whitened` applies a fitted whitening;
`embedder_of` composes them.
"""

import dataclasses
from typing import Any

import numpy as np
import tensorflow as tf

from landmark_zoo.core.errors import UserError
from landmark_zoo.data.protocol import Protocol, Scales
from landmark_zoo.data.resampling import rescale
from landmark_zoo.layers.embedding import l2_normalize, power_mean
from landmark_zoo.serving.network import Embedder, Network


class Wrapper(Embedder):
    """Changes the embeddings of another embedder; its local features and maps stay what they are.

    Args:
        inner: The other.
        dimension: D of the changed embeddings.
        name: Name of the module, in snake case.
    """

    def __init__(self, inner: Embedder, dimension: int, name: str):
        super().__init__(name=name)
        self.inner, self.side, self.dimension, self.has_keypoints = inner, inner.side, dimension, inner.has_keypoints
        self.classifier_weights = inner.classifier_weights

    @property
    def protocol(self) -> Protocol:
        return self.inner.protocol

    @property
    def has_local(self) -> bool:
        return self.inner.has_local

    def local(self, images: tf.Tensor) -> dict[str, tf.Tensor]:
        return self.inner.local(images)

    def attention(self, images: tf.Tensor) -> dict[str, tf.Tensor]:
        return self.inner.attention(images)

    def keypoints(self, images: tf.Tensor, count: tf.Tensor) -> dict[str, tf.Tensor]:
        """Returns those of the other."""
        return self.inner.keypoints(images, count)


class MultiScale(Wrapper):
    """Embeds a picture at fixed scales and puts the embeddings together.

    The picture is brought to the model's side once, and every scale is made from that, as in cirtorch and DELG: so bytes
    through `serving_default` and the resized picture through `images` are the same embedding. The loop over the scales is
    unrolled; all share one set of weights.

    Args:
        inner: Embeds one size.
        scales: Scales and their aggregation.
    """

    def __init__(self, inner: Embedder, scales: Scales):
        super().__init__(inner, inner.dimension, name="multi_scale")
        self._scales, self._unit = scales, inner.protocol.whitening_l2

    def __call__(self, images: tf.Tensor) -> tf.Tensor:
        vectors = tf.stack([self.inner(rescale(images, factor, self._scales)) for factor in self._scales.factors])
        greatest = self._scales.pooling == "maximum"  # SuperGlobal (Shao et al., ICCV 2023)
        vector = tf.reduce_max(vectors, axis=0) if greatest else power_mean(vectors, self._scales.power)
        return l2_normalize(vector) if self._unit else vector

    @property
    def protocol(self) -> Protocol:
        return dataclasses.replace(self.inner.protocol, scales=self._scales)

    @property
    def facts(self) -> dict[str, Any]:
        return {**self.inner.facts, **self.protocol.constants, "aggregation": self.protocol.aggregation}

    def multiply_accumulates(self, height: int, width: int) -> int | None:
        counts = [self.inner.multiply_accumulates(round(height * factor), round(width * factor))
                  for factor in self._scales.factors]
        return None if None in counts else sum(counts)


@dataclasses.dataclass(frozen=True)
class WhiteningMap:
    """Numbers of a fitted whitening: x -> (x - mean) projection.

    Attributes:
        mean: Mean to subtract, float32 [D].
        projection: float32 [D, D'].
        description: One line for protocol cards.
        learnt_on: On which photographs, for protocol cards.
    """

    mean: np.ndarray
    projection: np.ndarray
    description: str
    learnt_on: str


class Whitened(Wrapper):
    """Whitens the embeddings of another embedder, after its scales are put together, and brings them to length 1 again.

    Args:
        inner: Gives [B, D].
        whitening: Learnt on such embeddings.

    Raises:
        UserError: A whitening of another dimension.
    """

    def __init__(self, inner: Embedder, whitening: WhiteningMap):
        if len(whitening.mean) != inner.dimension:
            raise UserError(f"a whitening of {inner.dimension} dimensions, as the embedding has",
                            f"one of {len(whitening.mean)}", "Fit it on embeddings of this model.")
        super().__init__(inner, whitening.projection.shape[1], name="whitened")
        self.mean = tf.Variable(whitening.mean, trainable=False, name="mean")
        self.projection = tf.Variable(whitening.projection, trainable=False, name="projection")
        self._description, self._learned_on = whitening.description, whitening.learnt_on

    def __call__(self, images: tf.Tensor) -> tf.Tensor:
        return l2_normalize((self.inner(images) - self.mean) @ self.projection)

    @property
    def facts(self) -> dict[str, Any]:
        facts = self.inner.facts
        before = facts["whitening"]
        description = self._description if before == "none" else f"{before}, then {self._description}"
        return {**facts, "dimension": self.dimension, "whitening": description, "whitening_learnt_on": self._learned_on}

    def multiply_accumulates(self, height: int, width: int) -> int | None:
        before = self.inner.multiply_accumulates(height, width)
        return None if before is None else before + self.projection.shape.num_elements()


def embedder_of(model: tf.keras.Model, protocol: Protocol | int, scales: Scales | None = None, fold: bool = False,
                class_activation: bool | None = None) -> Embedder:
    """Returns the model's network, behind its scales where there are several.

    Without `whitening_l2`, the last L2 normalisation is left to the `Whitened` that must follow.

    Args:
        model: Images [B, H, W, 3] (RGB, 0..255) to a dict with "embedding" [B, D].
        protocol: Test protocol, or the side of the project's own, in pixels.
        scales: Instead of the protocol's.
        fold: See `Network`.
        class_activation: See `Network`.
    """
    protocol = Protocol.of(protocol)
    scales = scales or protocol.scales
    if scales.factors == (1.0,):
        return Network(model, protocol, protocol.whitening_l2, fold, class_activation)
    return MultiScale(Network(model, protocol, scales.unit, fold, class_activation), scales)
