"""Which photographs make a batch."""

import dataclasses

from landmark_zoo.core.errors import UserError
from landmark_zoo.data.augmentations import AUGMENTATIONS
from landmark_zoo.training.objectives import OBJECTIVES
from landmark_zoo.training.objectives.config import ObjectiveConfig

SAMPLERS = ("shuffled", "balanced", "classes_by_images", "aspect_groups", "mined_tuples")


@dataclasses.dataclass(frozen=True)
class SamplingConfig:
    """What a recipe says about the order and the views of its photographs.

    Attributes:
        sampler: "shuffled", "balanced" (landmarks with few photographs more often), "classes_by_images" (several photographs
            of each of a few landmarks), "aspect_groups" (batches of like height / width) or "mined_tuples" (hard negatives).
        balance_exponent: A landmark of n photographs is drawn by "balanced" in proportion to n to this power: 0 all
            landmarks alike, 1 all photographs alike.
        images_per_class: Photographs of a landmark in a batch of "classes_by_images".
        query_size: Tuples that "mined_tuples" mines for an epoch.
        pool_size: Among how many random photographs it seeks the negatives.
        negatives: How many a tuple holds, besides query and positive.
        pairs: File of queries and their positives, for "mined_tuples"; see `data.read_sfm_pairs`. Unset for any two
            photographs of a landmark.
        augmentation: A name of `AUGMENTATIONS`: how far a training view is from its photograph.
        steps_per_epoch: After how many batches an epoch ends at the latest; 0 for no limit.
    """

    sampler: str = "shuffled"
    balance_exponent: float = 0.5
    images_per_class: int = 4
    query_size: int = 2000
    pool_size: int = 22000
    negatives: int = 5
    pairs: str | None = None
    augmentation: str = "default"
    steps_per_epoch: int = 0

    def __post_init__(self):
        if self.sampler not in SAMPLERS:
            raise UserError(f"--sampler among {', '.join(SAMPLERS)}", repr(self.sampler), "Choose one of them.")
        if self.augmentation not in AUGMENTATIONS:
            raise UserError(f"--augmentation among {', '.join(AUGMENTATIONS)}", repr(self.augmentation),
                            "Choose one of them.")
        for name, least in (("images_per_class", 2), ("query_size", 1), ("pool_size", 2), ("negatives", 1),
                            ("steps_per_epoch", 0)):
            if getattr(self, name) < least:
                raise UserError(f"--{name} >= {least}", str(getattr(self, name)), f"Raise --{name}.")
        if not 0 <= self.balance_exponent <= 1:
            raise UserError("--balance_exponent from 0 to 1", str(self.balance_exponent), "Mend the flag.")

    def check(self, objective: ObjectiveConfig, batch_size: int) -> None:
        """Raises a `UserError` where objective, sampler and batch size contradict each other.

        Args:
            objective: What the batches are for.
            batch_size: Pictures that the loss sees together: of one replica and one part of an accumulated batch.
        """
        batches = OBJECTIVES[objective.objective].batches
        if self.pairs and self.sampler != "mined_tuples":
            raise UserError("--pairs with --sampler=mined_tuples only", f"--sampler={self.sampler}", "Leave --pairs out.")
        if (batches == "tuples") != (self.sampler == "mined_tuples"):
            raise UserError("--sampler=mined_tuples with an objective on tuples, and only there",
                            f"--sampler={self.sampler} with --objective={objective.objective}", "Change one of them.")
        if batches == "pairs" and self.sampler != "classes_by_images":
            raise UserError(f"--sampler=classes_by_images for --objective={objective.objective}, which needs batches with "
                            "several photographs of a landmark", f"--sampler={self.sampler}", "Change one of them.")
        if batch_size % self.unit or (self.sampler == "classes_by_images" and batch_size == self.unit):
            raise UserError(f"a --batch_size of {self.unit} n for --sampler={self.sampler}"
                            + (", n >= 2" if self.sampler == "classes_by_images" else ""),
                            f"{batch_size} on each replica and in each part of --accumulate",
                            f"Give each e.g. {max(round(batch_size / self.unit), 2) * self.unit}.")
        if 0 < objective.sampled_classes < batch_size:
            raise UserError(f"--sampled_classes >= --batch_size={batch_size}", str(objective.sampled_classes),
                            "Raise --sampled_classes.")

    @property
    def unit(self) -> int:
        """How many pictures of a batch belong together: those of a landmark, a tuple, or one."""
        return {"classes_by_images": self.images_per_class, "mined_tuples": 2 + self.negatives}.get(self.sampler, 1)
