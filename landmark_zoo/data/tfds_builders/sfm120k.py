"""retrieval-SfM-120k."""

from pathlib import Path

from landmark_zoo.data.catalogue import Catalogue
from landmark_zoo.data.sfm import read_sfm
from landmark_zoo.data.tfds_builders.landmark_builder import LandmarkBuilder
from landmark_zoo.data.tfds_builders.landmark_config import LandmarkConfig

_LIST = "retrieval-SfM-120k.json"


class Sfm120k(LandmarkBuilder):
    """retrieval-SfM-120k: 117,369 photographs in 713 clusters, 551 of them for training and 162 for validation.

    A cluster is a landmark here; no landmark is in both splits.
    """

    HOMEPAGE = "http://cmp.felk.cvut.cz/cnnimageretrieval"
    CITATION = """@article{radenovic2018fine, title={Fine-tuning CNN Image Retrieval with No Human Annotation},
      author={Radenovic, Filip and Tolias, Giorgos and Chum, Ondrej}, journal={TPAMI}, year={2018}}"""
    MANUAL_DOWNLOAD_INSTRUCTIONS = (
        f"The folder holds {_LIST}, the content of the original .pkl as JSON, and the photographs in ims/, as unpacked.")
    BUILDER_CONFIGS = (LandmarkConfig(name="default"),)

    def _catalogues(self, photos: Path) -> dict[str, Catalogue]:
        return {name: read_sfm(photos / _LIST, photos / "ims", split=part)
                for name, part in (("train", "train"), ("validation", "val"))}
