"""A model with one block on its last feature map."""

import dataclasses
import inspect

import tensorflow as tf

from landmark_zoo.layers.attention import ATTENTION
from landmark_zoo.layers.heads import HEADS
from landmark_zoo.models.build import build_model
from landmark_zoo.models.config import ModelConfig


@dataclasses.dataclass(frozen=True)
class BlockConfig(ModelConfig):
    """`<backbone>_<block>` as the block by itself.

    In the zoo some of these names (SOLAR, DELG, ...) stand for the whole network of the block's paper, with other poolings,
    taps and sizes; in a comparison of blocks everything else must be alike.
    """

    def build(self, num_classes: int | None = None, weights: str | None = None) -> tf.keras.Model:
        """Builds backbone, block, pooling, embedding and head; see `models.build_model`."""
        backbone, _, block = self.model.partition("_")
        wanted = inspect.signature(HEADS[self.head].__init__).parameters
        return build_model(backbone, block if block in ATTENTION else None, embedding_dim=self.embedding_dim,
                           head=self.head, num_classes=num_classes, weights=weights, alpha=self.alpha, name=self.model,
                           head_arguments={key: getattr(self, key) for key in ("margin", "scale") if key in wanted})
