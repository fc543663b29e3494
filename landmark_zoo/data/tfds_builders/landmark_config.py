"""How a training set is built."""

import dataclasses

import tensorflow_datasets as tfds


@dataclasses.dataclass(eq=False, kw_only=True)
class LandmarkConfig(tfds.core.BuilderConfig):
    """Settings of a training set; one folder of tfds holds one such setting, under its name.

    Attributes:
        max_side: The longest side of the stored pictures, in pixels.
        validation_fraction: The part of each landmark's pictures for validation.
        seed: Of the split and of the order.
    """

    max_side: int = 512
    validation_fraction: float = 0.1
    seed: int = 0

    def with_max_side(self, max_side: int) -> "LandmarkConfig":
        """Returns these settings with another size, which then stands in the name: "clean-256"."""
        if max_side == self.max_side:
            return self
        return dataclasses.replace(self, name=f"{self.name}-{max_side}", max_side=max_side)
