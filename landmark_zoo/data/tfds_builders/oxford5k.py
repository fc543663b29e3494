"""Oxford Buildings, the first benchmark."""

from pathlib import Path

from landmark_zoo.data.catalogue import Catalogue
from landmark_zoo.data.tfds_builders.building_names import read_buildings
from landmark_zoo.data.tfds_builders.landmark_builder import LandmarkBuilder


class Oxford5k(LandmarkBuilder):
    """Oxford Buildings: 5,063 photographs, 11 landmarks with 5 queries each.

    Pictures keep their bytes, neither turned nor shrunk, so that the boxes of the ground truth hold. The landmark of a
    picture is what was searched for, not the ground truth.
    """

    HOMEPAGE = "https://www.robots.ox.ac.uk/~vgg/data/oxbuildings/"
    CITATION = """@inproceedings{philbin2007object,
      title={Object Retrieval with Large Vocabularies and Fast Spatial Matching},
      author={Philbin, James and Chum, Ondrej and Isard, Michael and Sivic, Josef and Zisserman, Andrew},
      booktitle={CVPR}, year={2007}}"""
    MANUAL_DOWNLOAD_INSTRUCTIONS = "The folder holds the photographs as unpacked, at any depth."
    UPRIGHT = False

    def _catalogues(self, photos: Path) -> dict[str, Catalogue]:
        return {"index": read_buildings(photos)}
