"""What training minimises, by name. A new objective is one row here, one file where no class fits, and tests."""

from landmark_zoo.core.registry import Registry
from landmark_zoo.losses.batch_triplet import batch_triplet_loss
from landmark_zoo.losses.contrastive import contrastive_loss
from landmark_zoo.losses.tuple_contrastive import tuple_contrastive_loss
from landmark_zoo.losses.tuple_triplet import tuple_triplet_loss
from landmark_zoo.training.objectives.kind import ObjectiveKind

OBJECTIVES: Registry[ObjectiveKind] = Registry("objective")
OBJECTIVES.add("classification", ObjectiveKind("any"))
OBJECTIVES.add("delg", ObjectiveKind("any"))
OBJECTIVES.add("contrastive", ObjectiveKind("pairs", contrastive_loss, margin=0.85, arguments={"form": "squared"}))
OBJECTIVES.add("contrastive_linear", ObjectiveKind("pairs", contrastive_loss, margin=0.4, arguments={"form": "linear"}))
OBJECTIVES.add("triplet_semihard", ObjectiveKind("pairs", batch_triplet_loss, margin=0.2, arguments={"mining": "semihard"}))
OBJECTIVES.add("triplet_hard", ObjectiveKind("pairs", batch_triplet_loss, margin=0.2, arguments={"mining": "hard"}))
OBJECTIVES.add("tuple_contrastive", ObjectiveKind("tuples", tuple_contrastive_loss, margin=0.85))
OBJECTIVES.add("tuple_triplet", ObjectiveKind("tuples", tuple_triplet_loss, margin=0.5))
OBJECTIVES.add("tuple_solar", ObjectiveKind("tuples", tuple_triplet_loss, margin=1.25, second_order=True))

__all__ = ["OBJECTIVES", "ObjectiveKind"]
