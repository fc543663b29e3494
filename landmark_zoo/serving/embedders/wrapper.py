"""An embedder around another."""

import tensorflow as tf

from landmark_zoo.serving.embedders.embedder import Embedder


class Wrapper(Embedder):
    """Changes the embeddings of another embedder; its local features stay what they are.

    Args:
        inner: The other.
        dimension: D of the changed embeddings.
        name: Of the module, in snake case.
    """

    def __init__(self, inner: Embedder, dimension: int, name: str):
        super().__init__(name=name)
        self.inner, self.side, self.dimension = inner, inner.side, dimension

    @property
    def has_local(self) -> bool:
        return self.inner.has_local

    def local(self, images: tf.Tensor) -> dict[str, tf.Tensor]:
        return self.inner.local(images)
