"""A row of the table of objectives."""

import dataclasses
from collections.abc import Callable, Mapping

import tensorflow as tf


@dataclasses.dataclass(frozen=True)
class ObjectiveKind:
    """What an objective asks for and consists of.

    Attributes:
        batches: Of what batches it takes: "any", "pairs" (several pictures of each landmark) or "tuples" (mined).
        loss: Of embeddings; None where cross-entropy is all.
        margin: Of the loss, unless `--loss_margin` says otherwise.
        arguments: More for the loss.
        second_order: Whether second-order similarity is added.
    """

    batches: str
    loss: Callable[..., tf.Tensor] | None = None
    margin: float | None = None
    arguments: Mapping[str, object] = dataclasses.field(default_factory=dict)
    second_order: bool = False
