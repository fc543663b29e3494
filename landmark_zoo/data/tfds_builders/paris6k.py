"""Paris Buildings, the first benchmark."""

from pathlib import Path

from landmark_zoo.data.catalogue import Catalogue
from landmark_zoo.data.tfds_builders.building_names import read_buildings
from landmark_zoo.data.tfds_builders.landmark_builder import LandmarkBuilder


class Paris6k(LandmarkBuilder):
    """Paris Buildings: 6,412 photographs, 20 of them damaged, 11 landmarks with 5 queries each.

    Pictures keep their bytes, neither turned nor shrunk, so that the boxes of the ground truth hold. The landmark of a
    picture is what was searched for, not the ground truth.
    """

    HOMEPAGE = "https://www.robots.ox.ac.uk/~vgg/data/parisbuildings/"
    CITATION = """@inproceedings{philbin2008lost,
      title={Lost in Quantization: Improving Particular Object Retrieval in Large Scale Image Databases},
      author={Philbin, James and Chum, Ondrej and Isard, Michael and Sivic, Josef and Zisserman, Andrew},
      booktitle={CVPR}, year={2008}}"""
    MANUAL_DOWNLOAD_INSTRUCTIONS = "The folder holds the photographs as unpacked, at any depth."
    UPRIGHT = False

    def _catalogues(self, photos: Path) -> dict[str, Catalogue]:
        return {"index": read_buildings(photos)}
