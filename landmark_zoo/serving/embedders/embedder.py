"""What every embedder can do."""

import abc
from typing import Any

import tensorflow as tf


class Embedder(tf.Module, abc.ABC):
    """Pictures of one size to embeddings of length 1, with what `info` has to say about it.

    Attributes:
        side: Pixels of the longer side that the pictures have.
        dimension: D, the length of an embedding.
    """

    side: int
    dimension: int

    @abc.abstractmethod
    def __call__(self, images: tf.Tensor) -> tf.Tensor:
        """Returns float32 [B, D], each row of length 1.

        Args:
            images: RGB, 0..255, float32 [B, H, W, 3], the longer side `side`.
        """

    def local(self, images: tf.Tensor) -> dict[str, tf.Tensor] | None:
        """Returns "features" and "scores" of the signature `local`; see `has_local`.

        Raises:
            ValueError: An embedder without them.
        """
        raise ValueError(f"Expected an embedder with a feature map; received {type(self).__name__}.")

    @property
    def has_local(self) -> bool:
        """Whether there is a signature `local`."""
        return False

    @property
    @abc.abstractmethod
    def facts(self) -> dict[str, Any]:
        """What a protocol card must know: side, resize, dimension, scales, aggregation, whitening, ..."""

    @property
    def parameters(self) -> int:
        """How many numbers it holds, statistics of BatchNorm included."""
        return sum(variable.shape.num_elements() for variable in self.variables)

    @abc.abstractmethod
    def multiply_accumulates(self, height: int, width: int) -> int | None:
        """Returns the multiply-accumulates of one picture of height x width pixels; None where they cannot be counted."""
