"""What all data sets for tensorflow-datasets share."""

import abc
import inspect
import os
import shutil
from functools import partial
from pathlib import Path

import tensorflow_datasets as tfds
from tensorflow_datasets.core.dataset_builder import FileReaderBuilder

from landmark_zoo.core.errors import UserError
from landmark_zoo.core.lock import lock_directory
from landmark_zoo.data.catalogue import Catalogue
from landmark_zoo.data.label_map import LabelMap
from landmark_zoo.data.manifest import Manifest
from landmark_zoo.data.shards import write_records
from landmark_zoo.data.tfds_builders.features import LABEL, label_names, record_features
from landmark_zoo.data.tfds_builders.shards_by_beam import shards_by_beam

PICTURES_PER_SHARD, LEAST_SHARDS = 2000, 8
_TEMPLATE = "{SPLIT}/{SPLIT}-{SHARD_X_OF_Y}.{FILEFORMAT}"
_SEED = 0


class LandmarkBuilder(FileReaderBuilder, skip_registration=True):
    """A data set whose folder is both: records of this project, and a data set of tfds.

    Each split is a folder as `write_records` makes it (record files, manifest, lists), with the same bytes, so that
    `experiments.train --records=<the folder>` reads it; tfds' own description lies beside. The photographs are read from
    `manual_dir`. tfds' writer for Beam is passed by, because it groups the encoded pictures in the runner, which on one
    machine keeps all of them in memory.

    Subclasses give `_catalogues`, `HOMEPAGE` and `CITATION`; their docstring is the description.
    """

    VERSION = tfds.core.Version("1.0.0")
    HOMEPAGE: str | None = None
    CITATION: str | None = None
    UPRIGHT = True
    code_path = None  # where tfds would look for checksums of what it downloads, which is nothing

    @abc.abstractmethod
    def _catalogues(self, photos: Path) -> dict[str, Catalogue]:
        """Returns the photographs of each split; `photos` is `manual_dir`."""

    def _photos(self, dl_manager: tfds.download.DownloadManager) -> Path:
        return Path(dl_manager.manual_dir)

    def _info(self) -> tfds.core.DatasetInfo:
        return tfds.core.DatasetInfo(builder=self, description=inspect.cleandoc(self.__doc__), homepage=self.HOMEPAGE,
                                     citation=self.CITATION, features=record_features())

    def _download_and_prepare(self, dl_manager: tfds.download.DownloadManager,
                              download_config: tfds.download.DownloadConfig) -> None:
        if "://" in str(self.data_dir):
            raise UserError("a data_dir that is a folder", str(self.data_dir), "Mount the storage and name the folder.")
        catalogues = self._catalogues(self._photos(dl_manager))
        label_map = LabelMap(landmark for catalogue in catalogues.values() for landmark in catalogue.landmark_counts)
        write_shards = partial(shards_by_beam, runner=download_config.beam_runner, options=download_config.beam_options)
        building = Path(self.data_dir_root, f".building-{self.info.full_name.replace('/', '-')}")
        with lock_directory(building):
            manifests = [write_records(
                catalogue, building / split, split=split, num_shards=download_config.num_shards or _shards(catalogue),
                seed=getattr(self.builder_config, "seed", _SEED), label_map=label_map, upright=self.UPRIGHT,
                max_side=getattr(self.builder_config, "max_side", None), write_shards=write_shards)
                for split, catalogue in catalogues.items()]
            for manifest in manifests:
                os.replace(manifest.directory, Path(self.data_dir, manifest.split))
        shutil.rmtree(building)
        self.info.features[LABEL].names = label_names(label_map.landmark_ids)
        self.info.set_splits(tfds.core.SplitDict([self._split_info(manifest) for manifest in manifests]))

    def _split_info(self, manifest: Manifest) -> tfds.core.SplitInfo:
        template = tfds.core.ShardedFileTemplate(
            template=_TEMPLATE, data_dir=self.data_path, dataset_name=self.name, split=manifest.split,
            filetype_suffix="tfrecord")
        return tfds.core.SplitInfo(
            name=manifest.split, shard_lengths=[shard.examples for shard in manifest.shards],
            num_bytes=sum(shard.bytes for shard in manifest.shards), filename_template=template)


def _shards(catalogue: Catalogue) -> int:
    return max(LEAST_SHARDS, -(-len(catalogue) // PICTURES_PER_SHARD))
