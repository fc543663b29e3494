"""Google Landmarks v2, training set."""

from pathlib import Path

from landmark_zoo.data.catalogue import Catalogue
from landmark_zoo.data.gldv2 import read_gldv2
from landmark_zoo.data.tfds_builders.landmark_builder import LandmarkBuilder
from landmark_zoo.data.tfds_builders.landmark_config import LandmarkConfig
from landmark_zoo.data.tfds_builders.train_and_validation import train_and_validation

CLEAN = "clean"


class Gldv2(LandmarkBuilder):
    """Google Landmarks Dataset v2, training set, release 2.1.

    `clean`: 1,580,470 pictures of 81,313 landmarks; `noisy`: 4,132,914 of 203,094.
    """

    HOMEPAGE = "https://github.com/cvdfoundation/google-landmark"
    CITATION = """@inproceedings{weyand2020google,
      title={Google Landmarks Dataset v2: A Large-Scale Benchmark for Instance-Level Recognition and Retrieval},
      author={Weyand, Tobias and Araujo, Andre and Cao, Bingyi and Sim, Jack}, booktitle={CVPR}, year={2020}}"""
    MANUAL_DOWNLOAD_INSTRUCTIONS = "The folder holds train.csv, train_clean.csv and, unpacked, train/a/b/c/<id>.jpg."
    BUILDER_CONFIGS = (LandmarkConfig(name=CLEAN, description="The list train_clean.csv."),
                       LandmarkConfig(name="noisy", description="All of train.csv."))

    def _catalogues(self, photos: Path) -> dict[str, Catalogue]:
        clean = self.builder_config.name.split("-")[0] == CLEAN
        return train_and_validation(read_gldv2(photos, clean=clean), self.builder_config)
