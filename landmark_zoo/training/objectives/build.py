"""From a recipe to its objective."""

import functools
from collections.abc import Sequence

import tensorflow as tf

from landmark_zoo.core.errors import UserError
from landmark_zoo.layers.heads import Head
from landmark_zoo.losses.class_weights import class_weights
from landmark_zoo.training.objectives import OBJECTIVES
from landmark_zoo.training.objectives.base import Objective
from landmark_zoo.training.objectives.classification import Classification
from landmark_zoo.training.objectives.config import ObjectiveConfig
from landmark_zoo.training.objectives.delg import Delg
from landmark_zoo.training.objectives.embedding_pairs import EmbeddingPairs
from landmark_zoo.training.objectives.tuples import Tuples


def build_objective(config: ObjectiveConfig, model: tf.keras.Model, head: Head | None, class_counts: Sequence[int],
                    negatives: int) -> Objective:
    """Makes what a training step minimises.

    Args:
        config: Which.
        model: What is trained.
        head: Its head; None where `config.has_head` is not.
        class_counts: Pictures of each class [N].
        negatives: How many a mined tuple holds.

    Raises:
        UserError: The model does not give what the objective needs.
    """
    kind, outputs = OBJECTIVES[config.objective], model.output_shape
    _check(config, outputs)
    classification = head and Classification(
        model, head, config.label_smoothing, (config.attention_weight, config.perception_weight),
        None if config.class_weights == "none" else class_weights(class_counts, config.class_weights),
        config.sampled_classes if config.sampled_classes < len(class_counts) else 0)
    if kind.loss is None:
        if config.objective == "delg":
            return Delg(model, classification, config.attention_weight, config.reconstruction_weight)
        return classification
    margin = kind.margin if config.loss_margin is None else config.loss_margin
    loss = functools.partial(kind.loss, margin=margin, **kind.arguments)
    if kind.batches == "pairs":
        return EmbeddingPairs(model, loss, classification, config.classification_weight)
    return Tuples(model, loss, negatives, config.sos_weight if kind.second_order else 0.0)


def _check(config: ObjectiveConfig, outputs: dict) -> None:
    reconstructs = "reconstruction_error" in outputs
    if reconstructs != (config.objective == "delg") and config.has_head:
        raise UserError("--objective=delg with a <backbone>_delg, and only there",
                        f"--objective={config.objective} with another" if not reconstructs else
                        f"--objective={config.objective}", "Change --objective or --model.")
    if config.sampled_classes and "attention_logits" in outputs:
        raise UserError("--sampled_classes=0 for an Attention Branch Network, whose branch sees all classes",
                        str(config.sampled_classes), "Leave --sampled_classes out.")
