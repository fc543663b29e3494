"""Training objectives: the table of their names, their settings, and the callable that a training step minimizes.

`OBJECTIVES` lists what `--objective` may be, `ObjectiveConfig` holds the flags, `build_objective` makes one of the
callables of `batch_losses.py`.
"""

import dataclasses
import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

import tensorflow as tf

from landmark_zoo.core.errors import UserError, check_choice, check_finite, check_range
from landmark_zoo.core.registry import Registry
from landmark_zoo.layers.heads.softmax import Head
from landmark_zoo.losses.cross_entropy import class_weights
from landmark_zoo.losses.listwise_ap import listwise_ap_loss
from landmark_zoo.losses.pairs import batch_triplet_loss, contrastive_loss
from landmark_zoo.losses.tuples import tuple_contrastive_loss, tuple_triplet_loss
from landmark_zoo.training.batch_losses import Classification, Delg, Distillation, EmbeddingPairs, Tuples
from landmark_zoo.training.config import TrainingConfig


@dataclasses.dataclass(frozen=True)
class ObjectiveKind:
    """Entry of `OBJECTIVES`: the batches that an objective needs, and its loss on embeddings.

    Attributes:
        batches: Kind of batches: "any", "pairs" (several images of each landmark) or "tuples" (mined).
        loss: Loss on embeddings; None for cross-entropy alone.
        margin: Default of `--loss_margin`; None for a loss without one.
        arguments: Further arguments of the loss.
        second_order: Whether second-order similarity is added.
    """

    batches: str
    loss: Callable[..., tf.Tensor] | None = None
    margin: float | None = None
    arguments: Mapping[str, object] = dataclasses.field(default_factory=dict)
    second_order: bool = False


OBJECTIVES: Registry[ObjectiveKind] = Registry("objective")
OBJECTIVES.add("classification", ObjectiveKind("any"))
OBJECTIVES.add("delg", ObjectiveKind("any"))
OBJECTIVES.add("contrastive", ObjectiveKind("pairs", contrastive_loss, margin=0.85, arguments={"form": "squared"}))
OBJECTIVES.add("contrastive_linear", ObjectiveKind("pairs", contrastive_loss, margin=0.4, arguments={"form": "linear"}))
OBJECTIVES.add("triplet_semihard", ObjectiveKind("pairs", batch_triplet_loss, margin=0.2, arguments={"mining": "semihard"}))
OBJECTIVES.add("triplet_hard", ObjectiveKind("pairs", batch_triplet_loss, margin=0.2, arguments={"mining": "hard"}))
OBJECTIVES.add("listwise_ap", ObjectiveKind("pairs", listwise_ap_loss))
OBJECTIVES.add("tuple_contrastive", ObjectiveKind("tuples", tuple_contrastive_loss, margin=0.85))
OBJECTIVES.add("tuple_triplet", ObjectiveKind("tuples", tuple_triplet_loss, margin=0.5))
OBJECTIVES.add("tuple_solar", ObjectiveKind("tuples", tuple_triplet_loss, margin=1.25, second_order=True))

CLASS_WEIGHTS = ("none", "inverse_log", "inverse")
DISTILLATIONS = ("none", "embedding", "similarity", "both")


@dataclasses.dataclass(frozen=True)
class ObjectiveConfig:
    """Settings of the loss.

    Attributes:
        objective: Training objective: "classification" or "delg" (cross-entropy of the head); "contrastive",
            "contrastive_linear", "triplet_semihard", "triplet_hard" or "listwise_ap" (pairs within a batch);
            "tuple_contrastive", "tuple_triplet" or "tuple_solar" (mined tuples).
        loss_margin: Margin of a loss on embeddings; unset for the objective's own (.85 for contrastive on distances, .4 for
            contrastive_linear on 1 - cosine, .2 for the batch triplets, .85 for tuple_contrastive on distances, .5 and 1.25
            for tuple_triplet and tuple_solar on squared distances).
        classification_weight: Weight w of the cross-entropy in w cross-entropy + (1 - w) loss, for the objectives on pairs;
            0 builds no head.
        sos_weight: Weight lambda of the second-order similarity in objective "tuple_solar".
        label_smoothing: Probability that cross-entropy spreads evenly over all classes, from 0 up to but not 1.
        class_weights: Weights of the landmarks in the cross-entropy by their number of images: none, inverse_log (1 / ln(1
            + n)) or inverse (1 / n) for n images.
        sampled_classes: Number of classes in the softmax of a step of objective "classification": those of the batch and a
            random sample of the others; 0 for all.
        attention_weight: Weight alpha of the attention branch's loss, for an Attention Branch Network or DELG.
        perception_weight: Weight beta of the perception branch's loss, for an Attention Branch Network.
        reconstruction_weight: Weight of the reconstruction error of DELG's autoencoder.
        distillation: Loss on the embeddings of --teacher: "embedding" (1 - cosine to each; the student can then be compared
            with the teacher, reduced to the student's dimension), "similarity" (divergence of the similarities within a
            batch), "both" (their sum) or "none". Validation losses are those of the objective alone.
        distillation_weight: Weight w of the distillation in (1 - w) objective + w distillation; at 1 labels do not count.

    Example:
        >>> ObjectiveConfig("contrastive").has_head, ObjectiveConfig("contrastive", classification_weight=0.5).has_head
        (False, True)
    """

    objective: str = "classification"
    loss_margin: float | None = None
    classification_weight: float = 0.0
    sos_weight: float = 10.0
    label_smoothing: float = 0.0
    class_weights: str = "none"
    sampled_classes: int = 0
    attention_weight: float = 1.0
    perception_weight: float = 1.0
    reconstruction_weight: float = 10.0
    distillation: str = "none"
    distillation_weight: float = 0.5

    def __post_init__(self):
        check_finite(self)
        kind = OBJECTIVES[self.objective]
        check_choice("class_weights", self.class_weights, CLASS_WEIGHTS)
        check_choice("distillation", self.distillation, DISTILLATIONS)
        check_range("distillation_weight", self.distillation_weight, 0, 1)
        for name in ("sos_weight", "attention_weight", "perception_weight", "reconstruction_weight", "sampled_classes"):
            check_range(name, getattr(self, name), 0)
        if not 0 <= self.label_smoothing < 1 or not 0 <= self.classification_weight <= 1:
            raise UserError("0 <= --label_smoothing < 1 and 0 <= --classification_weight <= 1",
                            f"{self.label_smoothing} and {self.classification_weight}", "Mend the flags.")
        if self.classification_weight and kind.batches != "pairs":
            raise UserError("--classification_weight with an objective on pairs only", f"--objective={self.objective}",
                            "Leave it out, or choose e.g. --objective=contrastive.")
        if self.loss_margin is not None and (kind.margin is None or not self.loss_margin > 0):
            raise UserError("a positive --loss_margin, with an objective that has a margin only",
                            f"{self.loss_margin} with --objective={self.objective}",
                            "Mend it; the margin of a head is --margin.")
        if self.distillation != "none" and kind.batches == "tuples":
            raise UserError("--distillation=none with an objective on mined tuples", f"--distillation={self.distillation} "
                            f"with --objective={self.objective}", "Leave it out, or choose e.g. --objective=contrastive.")
        if self.sampled_classes and self.objective != "classification":
            raise UserError("--sampled_classes with --objective=classification only", f"--objective={self.objective}",
                            "Leave --sampled_classes out.")
        if not self.has_head and (self.label_smoothing or self.class_weights != "none"):
            raise UserError("--label_smoothing and --class_weights with cross-entropy only",
                            f"--objective={self.objective} without --classification_weight", "Leave them out.")

    def check(self, config: TrainingConfig, num_replicas: int) -> None:
        """Raises a `UserError` where the loss cannot be computed from the batches of these settings.

        Args:
            config: Settings of training.
            num_replicas: Number of devices.
        """
        if num_replicas > 1 and config.accumulate > 1 and self.compares_images:
            loss = (f"--distillation={self.distillation}" if OBJECTIVES[self.objective].batches == "any" else
                    f"--objective={self.objective}")
            raise UserError(f"--accumulate=1 for {loss} on {num_replicas} devices", str(config.accumulate),
                            "Leave --accumulate out.")
        if self.distillation in ("similarity", "both") and config.batch_size // config.accumulate < 3:
            raise UserError(f"three images or more in a batch for --distillation={self.distillation}",
                            f"{config.batch_size // config.accumulate}", "Raise --batch_size, or lower --accumulate.")
        if self.distillation != "none" and config.cached_views:
            raise UserError(f"--cached_views=0 for --distillation={self.distillation}", str(config.cached_views),
                            "Leave one of them out.")

    @property
    def has_head(self) -> bool:
        """True where the model needs logits."""
        return OBJECTIVES[self.objective].loss is None or self.classification_weight > 0

    @property
    def compares_images(self) -> bool:
        """True where the loss compares the images of a batch with each other."""
        return OBJECTIVES[self.objective].batches != "any" or self.distillation in ("similarity", "both")

    @property
    def distills_embeddings(self) -> bool:
        """True where the student's embeddings shall lie where the teacher's do."""
        return self.distillation in ("embedding", "both")


class Objective(Protocol):
    """Callable that holds a model and gives the losses of a batch, whose mean a training step minimizes.

    Where batches have a third part, a teacher's embeddings, it is the fourth argument (`batch_losses.Distillation`).
    """

    def __call__(self, images: tf.Tensor, labels: tf.Tensor, training: bool) -> tuple[tf.Tensor, tf.Tensor]:
        """Returns the losses of a batch, and whether each answer is correct.

        Args:
            images: float32 [B, H, W, 3], values 0..255.
            labels: int32 [B].
            training: Whether the model is trained, or evaluated without dropout and margins.

        Returns:
            (losses, correct), both float32 [B]; the step minimizes the mean of the first and reports that of the second. A
            loss that does not split by image is repeated B times.
        """


def build_objective(config: ObjectiveConfig, model: tf.keras.Model, head: Head | None, class_counts: Sequence[int],
                    negatives: int) -> Objective:
    """Makes the objective of a training step.

    Args:
        config: Settings of the loss.
        model: Model that is trained; see `models.build_model`.
        head: Head of the model; None where `config.has_head` is False.
        class_counts: Number of training images of each class [N].
        negatives: Number of negatives in a mined tuple.

    Raises:
        UserError: The model lacks an output that the objective needs.
    """
    if config.distillation != "none":
        undistilled = build_objective(dataclasses.replace(config, distillation="none"), model, head, class_counts, negatives)
        return Distillation(undistilled, config.distillation, config.distillation_weight)
    kind, outputs = OBJECTIVES[config.objective], model.output_shape
    _check_outputs(config, outputs)
    classification = head and Classification(
        model, head, config.label_smoothing, (config.attention_weight, config.perception_weight),
        None if config.class_weights == "none" else class_weights(class_counts, config.class_weights),
        config.sampled_classes if config.sampled_classes < len(class_counts) else 0)
    if kind.loss is None:
        if config.objective == "delg":
            return Delg(model, classification, config.attention_weight, config.reconstruction_weight)
        return classification
    margin = kind.margin if config.loss_margin is None else config.loss_margin
    margins = {} if margin is None else {"margin": margin}
    loss = functools.partial(kind.loss, **margins, **kind.arguments)
    if kind.batches == "pairs":
        return EmbeddingPairs(model, loss, classification, config.classification_weight)
    return Tuples(model, loss, negatives, config.sos_weight if kind.second_order else 0.0)


def _check_outputs(config: ObjectiveConfig, outputs: dict) -> None:
    reconstructs = "reconstruction_error" in outputs
    if reconstructs != (config.objective == "delg") and config.has_head:
        raise UserError("--objective=delg with a <backbone>_delg, and only there",
                        f"--objective={config.objective} with another" if not reconstructs else
                        f"--objective={config.objective}", "Change --objective or --model.")
    if config.sampled_classes and "attention_logits" in outputs:
        raise UserError("--sampled_classes=0 for an Attention Branch Network, whose branch sees all classes",
                        str(config.sampled_classes), "Leave --sampled_classes out.")
