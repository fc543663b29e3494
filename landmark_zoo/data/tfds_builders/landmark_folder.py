"""Any photographs that lie in one folder per landmark."""

from pathlib import Path

from landmark_zoo.data.catalogue import Catalogue
from landmark_zoo.data.folder import read_folder
from landmark_zoo.data.tfds_builders.landmark_builder import LandmarkBuilder
from landmark_zoo.data.tfds_builders.landmark_config import LandmarkConfig
from landmark_zoo.data.tfds_builders.train_and_validation import train_and_validation


class LandmarkFolder(LandmarkBuilder):
    """Photographs of one's own: whatever folder directly holds pictures is a landmark."""

    MANUAL_DOWNLOAD_INSTRUCTIONS = "The folder holds one folder of pictures per landmark."
    BUILDER_CONFIGS = (LandmarkConfig(name="default"),)

    def _catalogues(self, photos: Path) -> dict[str, Catalogue]:
        return train_and_validation(read_folder([photos]), self.builder_config)
