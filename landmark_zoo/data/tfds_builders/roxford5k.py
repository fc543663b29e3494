"""Revisited Oxford."""

from landmark_zoo.data.tfds_builders.revisited_builder import RevisitedBuilder


class Roxford5k(RevisitedBuilder):
    """Revisited Oxford: 4,993 index images and 70 queries.

    Pictures keep their bytes, neither turned nor shrunk, so that the boxes of the ground truth hold. The landmark of a
    picture is what was searched for, not the ground truth, which stays in gnd_roxford5k.json.
    """
