"""A training set in the two splits that training reads."""

from landmark_zoo.data.catalogue import Catalogue
from landmark_zoo.data.split import split
from landmark_zoo.data.tfds_builders.landmark_config import LandmarkConfig


def train_and_validation(catalogue: Catalogue, config: LandmarkConfig) -> dict[str, Catalogue]:
    """Returns "train" and, where any picture is left for it, "validation"; landmarks with one picture are in train."""
    parts = zip(("train", "validation"), split(catalogue, config.validation_fraction, config.seed), strict=True)
    return {name: part for name, part in parts if part is not None}
