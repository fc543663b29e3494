"""What is minimised."""

import dataclasses

from landmark_zoo.core.errors import UserError
from landmark_zoo.training.objectives import OBJECTIVES

CLASS_WEIGHTS = ("none", "inverse_log", "inverse")


@dataclasses.dataclass(frozen=True)
class ObjectiveConfig:
    """What a recipe says about its loss.

    Attributes:
        objective: A name of `OBJECTIVES`: "classification" or "delg" (cross-entropy of the head), "contrastive",
            "contrastive_linear", "triplet_semihard" or "triplet_hard" (pairs within a batch), "tuple_contrastive",
            "tuple_triplet" or "tuple_solar" (mined tuples).
        loss_margin: Of a loss on embeddings; unset for the objective's own (.85 for contrastive on distances, .4 for
            contrastive_linear on 1 - cosine, .2 for the batch triplets, .5 and 1.25 for the tuples' squared distances).
        classification_weight: w of w cross-entropy + (1 - w) loss, for the objectives on pairs; 0 builds no head.
        sos_weight: lambda of tuple_solar's second-order similarity.
        label_smoothing: See `losses.softmax_cross_entropy`.
        class_weights: One of `CLASS_WEIGHTS`: how much a landmark's number of pictures takes off its cross-entropy.
        sampled_classes: How many classes a step of "classification" compares with: those of the batch, and a random sample
            of the others; 0 for all.
        attention_weight: alpha, what the attention branch's loss of an Attention Branch Network or DELG is multiplied with.
        perception_weight: beta, the same of an Attention Branch Network's perception branch.
        reconstruction_weight: The same of DELG's autoencoder.
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

    def __post_init__(self):
        kind = OBJECTIVES[self.objective]
        if self.class_weights not in CLASS_WEIGHTS:
            raise UserError(f"--class_weights among {', '.join(CLASS_WEIGHTS)}", repr(self.class_weights),
                            "Choose one of them.")
        for name in ("sos_weight", "attention_weight", "perception_weight", "reconstruction_weight", "sampled_classes"):
            if getattr(self, name) < 0:
                raise UserError(f"--{name} >= 0", str(getattr(self, name)), f"Raise --{name}.")
        if not 0 <= self.label_smoothing < 1 or not 0 <= self.classification_weight <= 1:
            raise UserError("0 <= --label_smoothing < 1 and 0 <= --classification_weight <= 1",
                            f"{self.label_smoothing} and {self.classification_weight}", "Mend the flags.")
        if self.classification_weight and kind.batches != "pairs":
            raise UserError("--classification_weight with an objective on pairs only", f"--objective={self.objective}",
                            "Leave it out, or choose e.g. --objective=contrastive.")
        if self.loss_margin is not None and (kind.loss is None or not self.loss_margin > 0):
            raise UserError("a positive --loss_margin, with an objective on embeddings only",
                            f"{self.loss_margin} with --objective={self.objective}",
                            "Mend it; the margin of a head is --margin.")
        if self.sampled_classes and self.objective != "classification":
            raise UserError("--sampled_classes with --objective=classification only", f"--objective={self.objective}",
                            "Leave --sampled_classes out.")
        if not self.has_head and (self.label_smoothing or self.class_weights != "none"):
            raise UserError("--label_smoothing and --class_weights with cross-entropy only",
                            f"--objective={self.objective} without --classification_weight", "Leave them out.")

    @property
    def has_head(self) -> bool:
        """Whether the model needs logits."""
        return OBJECTIVES[self.objective].loss is None or self.classification_weight > 0
