"""A whitening behind an embedder."""

import dataclasses
from typing import Any

import numpy as np
import tensorflow as tf

from landmark_zoo.core.errors import UserError
from landmark_zoo.layers.l2_normalise import l2_normalise
from landmark_zoo.serving.embedders.embedder import Embedder
from landmark_zoo.serving.embedders.wrapper import Wrapper


@dataclasses.dataclass(frozen=True)
class WhiteningMap:
    """What a fitted whitening does, in numbers: x -> (x - mean) projection.

    Attributes:
        mean: float32 [D].
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
        self._description, self._learnt_on = whitening.description, whitening.learnt_on

    def __call__(self, images: tf.Tensor) -> tf.Tensor:
        return l2_normalise((self.inner(images) - self.mean) @ self.projection)

    @property
    def facts(self) -> dict[str, Any]:
        facts = self.inner.facts
        before = facts["whitening"]
        description = self._description if before == "none" else f"{before}, then {self._description}"
        return {**facts, "dimension": self.dimension, "whitening": description, "whitening_learnt_on": self._learnt_on}

    def multiply_accumulates(self, height: int, width: int) -> int | None:
        before = self.inner.multiply_accumulates(height, width)
        return None if before is None else before + self.projection.shape.num_elements()
