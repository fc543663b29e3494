"""Google Landmarks v1, training set."""

from pathlib import Path

from landmark_zoo.data.catalogue import Catalogue
from landmark_zoo.data.gldv1 import read_gldv1
from landmark_zoo.data.tfds_builders.landmark_builder import LandmarkBuilder
from landmark_zoo.data.tfds_builders.landmark_config import LandmarkConfig
from landmark_zoo.data.tfds_builders.train_and_validation import train_and_validation


class Gldv1(LandmarkBuilder):
    """Google Landmarks Dataset v1, training set: 1,225,029 addresses of 14,951 landmarks, many of them dead today."""

    HOMEPAGE = "https://www.kaggle.com/google/google-landmarks-dataset"
    CITATION = """@inproceedings{noh2017large,
      title={Large-Scale Image Retrieval with Attentive Deep Local Features},
      author={Noh, Hyeonwoo and Araujo, Andre and Sim, Jack and Weyand, Tobias and Han, Bohyung},
      booktitle={ICCV}, year={2017}}"""
    MANUAL_DOWNLOAD_INSTRUCTIONS = "The folder holds train.csv and what could be fetched, train/<id>.jpg."
    BUILDER_CONFIGS = (LandmarkConfig(name="default"),)

    def _catalogues(self, photos: Path) -> dict[str, Catalogue]:
        return train_and_validation(read_gldv1(photos), self.builder_config)
