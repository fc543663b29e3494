"""What Revisited Oxford and Revisited Paris share."""

from pathlib import Path

from landmark_zoo.data.catalogue import Catalogue
from landmark_zoo.data.tfds_builders.building_names import read_revisited
from landmark_zoo.data.tfds_builders.landmark_builder import LandmarkBuilder


class RevisitedBuilder(LandmarkBuilder, skip_registration=True):
    """A revisited benchmark, whose list of images is `gnd_<name>.json` beside the photographs."""

    HOMEPAGE = "http://cmp.felk.cvut.cz/revisitop/"
    CITATION = """@inproceedings{radenovic2018revisiting,
      title={Revisiting Oxford and Paris: Large-Scale Image Retrieval Benchmarking},
      author={Radenovic, Filip and Iscen, Ahmet and Tolias, Giorgos and Avrithis, Yannis and Chum, Ondrej},
      booktitle={CVPR}, year={2018}}"""
    MANUAL_DOWNLOAD_INSTRUCTIONS = (
        "The folder holds gnd_<name>.json, the content of the original .pkl as JSON, and the photographs, at any depth.")
    UPRIGHT = False

    def _catalogues(self, photos: Path) -> dict[str, Catalogue]:
        return read_revisited(photos, self.name)
