"""What is trained: everything that is needed to build a model again."""

import dataclasses
import inspect

import tensorflow as tf

from landmark_zoo.layers.heads import HEADS
from landmark_zoo.models.zoo import create_model


@dataclasses.dataclass(frozen=True)
class ModelConfig:
    """A named model and its sizes, as written to `model.json` beside the checkpoints.

    Attributes:
        model: `<backbone>_<block>`, a name of the zoo; see python -m experiments.summary --list="*".
        embedding_dim: Length of the embedding; 0 leaves the embedding layer out.
        alpha: Width multiplier of the MobileNets and ResNet-18; unset for 1.
        placement: Where attention stands: "end" (on the last feature map), "stages" (on C3, C4 and C5) or "blocks" (on
            every residual branch).
        head: What turns embeddings into logits while training.
        margin: Of a margin head, e.g. radians of ArcFace.
        scale: What the head multiplies cosines with.
    """

    model: str = "mobilenetv2_se"
    embedding_dim: int = 512
    alpha: float | None = None
    placement: str = "end"
    head: str = "arcface"
    margin: float = 0.3
    scale: float = 30.0

    def build(self, num_classes: int | None = None, weights: str | None = None) -> tf.keras.Model:
        """Builds the model; see `models.build_model`."""
        wanted = inspect.signature(HEADS[self.head].__init__).parameters
        arguments = {key: getattr(self, key) for key in ("margin", "scale") if key in wanted}
        return create_model(self.model, embedding_dim=self.embedding_dim, alpha=self.alpha,
                            placement=self.placement, head=self.head, num_classes=num_classes, weights=weights,
                            head_arguments=arguments)
