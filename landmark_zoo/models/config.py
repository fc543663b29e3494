"""What is trained: everything that is needed to build a model again."""

import dataclasses
import inspect

import tensorflow as tf

from landmark_zoo.core.errors import UserError
from landmark_zoo.layers.heads import HEADS
from landmark_zoo.models.build import build_model
from landmark_zoo.models.zoo import MODELS, create_model


@dataclasses.dataclass(frozen=True)
class ModelConfig:
    """A named model and its sizes, as written to `model.json` beside the checkpoints.

    Attributes:
        model: `<backbone>_<block>`, a name of the zoo; see python -m experiments.summary --list="*".
        embedding_dim: Length of the embedding; 0 leaves the embedding layer out.
        alpha: Width multiplier of the MobileNets and ResNet-18; unset for 1.
        placement: Where attention stands: "end" (on the last feature map), "stages" (on C3, C4 and C5), "blocks" (on
            every residual branch) or "convolutions" (in the place of 3x3 convolutions; aa and san only).
        pooling: In place of the pooling that the name stands for, e.g. "netvlad".
        mechanism: Of an Attention Branch Network: "residual" or "product".
        bottleneck: Of one too: response maps in place of one per landmark, needed past 10,000 landmarks.
        dense_units: Of a classifier with dense layers on a flattened map: their width, in place of 4096.
        head: What turns embeddings into logits while training; "none" for an objective that needs no logits.
        margin: Of a margin head, e.g. radians of ArcFace.
        scale: What the head multiplies cosines with.
    """

    model: str = "mobilenetv2_se"
    embedding_dim: int = 512
    alpha: float | None = None
    placement: str = "end"
    pooling: str | None = None
    mechanism: str | None = None
    bottleneck: int | None = None
    dense_units: int | None = None
    head: str = "arcface"
    margin: float = 0.3
    scale: float = 30.0

    def build(self, num_classes: int | None = None, weights: str | None = None) -> tf.keras.Model:
        """Builds the model; see `models.build_model`.

        Raises:
            UserError: A setting that this model does not have.
        """
        settings = {"embedding_dim": self.embedding_dim, "alpha": self.alpha, "placement": self.placement,
                    "weights": weights, **self._particular()}
        if self.head == "none":
            return create_model(self.model, **settings)
        wanted = inspect.signature(HEADS[self.head].__init__).parameters
        arguments = {key: getattr(self, key) for key in ("margin", "scale") if key in wanted}
        return create_model(self.model, head=self.head, num_classes=num_classes, head_arguments=arguments, **settings)

    def _particular(self) -> dict[str, object]:
        """Returns the settings that not every model has, where they are given."""
        row = MODELS[self.model]
        known = set(inspect.signature(row.get("builder", build_model)).parameters) - row.keys()
        given = {name: getattr(self, name) for name in ("pooling", "mechanism", "bottleneck", "dense_units")
                 if getattr(self, name) is not None}
        for name in given.keys() - known:
            raise UserError(f"no --{name} for {self.model}, whose name or paper settles it", repr(given[name]),
                            f"Leave --{name} out, or choose another --model.")
        return given
