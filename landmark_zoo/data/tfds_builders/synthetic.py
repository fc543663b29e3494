"""The landmarks that are drawn."""

import dataclasses
from pathlib import Path

import tensorflow_datasets as tfds

from landmark_zoo.data.catalogue import Catalogue
from landmark_zoo.data.gldv2 import read_gldv2
from landmark_zoo.data.synthetic.collection import draw_collection
from landmark_zoo.data.synthetic.size import Size
from landmark_zoo.data.tfds_builders.landmark_builder import LandmarkBuilder
from landmark_zoo.data.tfds_builders.landmark_config import LandmarkConfig
from landmark_zoo.data.tfds_builders.train_and_validation import train_and_validation


@dataclasses.dataclass(eq=False, kw_only=True)
class SyntheticConfig(LandmarkConfig):
    """Settings of the drawn set.

    Attributes:
        size: How much is drawn.
    """

    size: Size = dataclasses.field(default_factory=Size)


class Synthetic(LandmarkBuilder):
    """Drawn landmarks, the training part: nothing to download, the pictures are drawn first."""

    BUILDER_CONFIGS = (
        SyntheticConfig(name="default", description="80 landmarks."),
        SyntheticConfig(name="tiny", description="4 landmarks, to try things out.", size=Size(
            train_landmarks=4, train_views=5, benchmark_landmarks=1, index_views=1, query_views=1, distractors=0,
            long_side=64)),
    )

    def _photos(self, dl_manager: tfds.download.DownloadManager) -> Path:
        config = self.builder_config
        photos = Path(self.data_dir_root, "drawn", f"{config.name}-{config.seed}")
        draw_collection(photos, seed=config.seed, workers=1, **dataclasses.asdict(config.size))
        return photos

    def _catalogues(self, photos: Path) -> dict[str, Catalogue]:
        return train_and_validation(read_gldv2(photos, clean=True), self.builder_config)
