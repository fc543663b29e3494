"""The million distractors of Revisited Oxford and Paris."""

from dataclasses import replace
from pathlib import Path

from landmark_zoo.data.catalogue import Catalogue
from landmark_zoo.data.folder import read_folder
from landmark_zoo.data.tfds_builders.landmark_builder import LandmarkBuilder

DISTRACTOR = "distractor"


class Revisitop1m(LandmarkBuilder):
    """R1M: about a million photographs that show none of the landmarks of Oxford and Paris; all are of one label.

    Pictures keep their bytes.
    """

    HOMEPAGE = "http://cmp.felk.cvut.cz/revisitop/"
    CITATION = """@inproceedings{radenovic2018revisiting,
      title={Revisiting Oxford and Paris: Large-Scale Image Retrieval Benchmarking},
      author={Radenovic, Filip and Iscen, Ahmet and Tolias, Giorgos and Avrithis, Yannis and Chum, Ondrej},
      booktitle={CVPR}, year={2018}}"""
    MANUAL_DOWNLOAD_INSTRUCTIONS = "The folder holds the photographs as unpacked from the 100 archives, at any depth."
    UPRIGHT = False

    def _catalogues(self, photos: Path) -> dict[str, Catalogue]:
        catalogue = read_folder([photos])
        return {"index": replace(catalogue, entries=tuple(replace(e, landmark_id=DISTRACTOR) for e in catalogue))}
