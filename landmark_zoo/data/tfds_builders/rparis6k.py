"""Revisited Paris."""

from pathlib import Path

from landmark_zoo.data.catalogue import Catalogue
from landmark_zoo.data.tfds_builders.building_names import read_revisited
from landmark_zoo.data.tfds_builders.landmark_builder import LandmarkBuilder


class Rparis6k(LandmarkBuilder):
    """Revisited Paris: 6,322 index images and 70 queries.

    Pictures keep their bytes, neither turned nor shrunk, so that the boxes of the ground truth hold. The landmark of a
    picture is what was searched for, not the ground truth, which stays in gnd_rparis6k.json.
    """

    HOMEPAGE = "http://cmp.felk.cvut.cz/revisitop/"
    CITATION = """@inproceedings{radenovic2018revisiting,
      title={Revisiting Oxford and Paris: Large-Scale Image Retrieval Benchmarking},
      author={Radenovic, Filip and Iscen, Ahmet and Tolias, Giorgos and Avrithis, Yannis and Chum, Ondrej},
      booktitle={CVPR}, year={2018}}"""
    MANUAL_DOWNLOAD_INSTRUCTIONS = (
        "The folder holds gnd_rparis6k.json, the content of the original .pkl as JSON, and the photographs, at any depth.")
    UPRIGHT = False

    def _catalogues(self, photos: Path) -> dict[str, Catalogue]:
        return read_revisited(photos, "rparis6k")
