"""Base of the tensorflow-datasets builders, and the Apache Beam writer of record files."""

import abc
import dataclasses
import inspect
import os
import shutil
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

import apache_beam as beam
import numpy as np
import tensorflow_datasets as tfds
from absl import logging
from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.runners.portability.fn_api_runner import FnApiRunner
from apache_beam.runners.runner import PipelineRunner
from tensorflow_datasets.core.dataset_builder import FileReaderBuilder

from landmark_zoo.core.errors import UserError
from landmark_zoo.core.files import lock_directory, read_csv, write_csv
from landmark_zoo.data.datasets.image_list import ImageEntry, ImageList, train_validation_split
from landmark_zoo.data.datasets.images import InvalidImageError
from landmark_zoo.data.datasets.selection import keep_out_landmarks
from landmark_zoo.data.examples import MadeRecord, make_record
from landmark_zoo.data.manifest import VALIDATION_LANDMARKS, LabelMap, Manifest
from landmark_zoo.data.shard_plan import PROGRESS, ShardInfo, ShardPlan
from landmark_zoo.data.writer import write_records, write_shard

LABEL = "image/class/label"
KEPT_OUT_VERSION = tfds.core.Version("2.0.0")  # of the training sets that keep landmarks out
KEPT_OUT_NOTES = {"2.0.0": "15 % of the landmarks are kept out of training."}
IMAGES_PER_SHARD, MIN_SHARDS = 2000, 8
_COLUMNS = ("id", "path", "landmark_id", "label")
_TEMPLATE = "{SPLIT}/{SPLIT}-{SHARD_X_OF_Y}.{FILEFORMAT}"
_SEED = 0


def record_features() -> tfds.features.FeaturesDict:
    """Returns the tfds features of the record format: tfds decodes with them what `parse_example` parses."""
    return tfds.features.FeaturesDict({
        "image/encoded": tfds.features.Image(encoding_format="jpeg"),
        "image/id": tfds.features.Text(),
        "image/height": np.int64,
        "image/width": np.int64,
        LABEL: tfds.features.ClassLabel(),
        "image/class/landmark_id": tfds.features.Text(),
    })


def label_names(landmark_ids: Sequence[str]) -> list[str]:
    """Returns a name of each label that survives the one-name-per-line list of tfds."""
    return [name if name == name.strip() and name.isprintable() else repr(name) for name in landmark_ids]


def shards_by_beam(directory: Path, plan: ShardPlan, todo: Sequence[tuple[str, list[ImageEntry]]], *,
                   runner: PipelineRunner | str | None = None, options: PipelineOptions | None = None) -> None:
    """Writes record files with Apache Beam, one worker a file; the bytes do not depend on the runner.

    Only file names pass through Beam. A worker reads the list of its file's images from the folder of records and holds
    one image at a time, so memory grows with neither images nor files, also on runners that keep grouped data in memory.
    Workers must see folder and images under the same paths.

    Args:
        directory: Folder of records.
        plan: Plan of the folder.
        todo: Name and images of each file to write.
        runner: Beam runner; by default the one in the options, or this machine.
        options: Options of the pipeline.
    """
    directory = Path(directory).absolute()
    for name, entries in todo:
        write_csv(_shard_list(directory, name), _COLUMNS, (
            (entry.id, entry.path, entry.landmark_id, plan.labels[entry.landmark_id]) for entry in entries))
    options = options or PipelineOptions([])
    if runner is None and "runner" not in options.get_all_options(drop_default=True):
        runner = FnApiRunner()
    logging.info("writing %s: %d images in %d files", plan.split, sum(len(entries) for _, entries in todo), len(todo))
    with beam.Pipeline(runner=runner, options=options) as pipeline:
        names = pipeline | f"{plan.split} files" >> beam.Create([name for name, _ in todo])
        _ = names | f"write {plan.split}" >> beam.Map(_write_shard, str(directory), plan.max_side, plan.upright)


def _write_shard(name: str, directory: str, max_side: int | None, upright: bool) -> None:
    if ShardInfo.load(directory, name) is not None:  # written by an earlier try of the same work
        return
    rows = read_csv(_shard_list(directory, name), _COLUMNS)
    note = write_shard(directory, name, _make_records(rows, max_side, upright))
    beam.metrics.Metrics.counter("records", "written").inc(note.shard.examples)
    beam.metrics.Metrics.counter("records", "skipped").inc(len(note.skipped))


def _make_records(rows: Iterator[dict[str, str]], max_side: int | None,
          upright: bool) -> Iterator[tuple[ImageEntry, MadeRecord | InvalidImageError]]:
    for row in rows:
        entry = ImageEntry(row["id"], row["path"], row["landmark_id"])
        try:
            yield entry, make_record(entry, int(row["label"]), max_side=max_side, upright=upright)
        except InvalidImageError as bad:
            yield entry, bad


def _shard_list(directory: str | Path, name: str) -> Path:
    return Path(directory, PROGRESS, f"{name}.csv")


class LandmarkBuilder(FileReaderBuilder, skip_registration=True):
    """Dataset builder whose folder is both a tfds dataset and a folder of this project's records.

    Each split is a folder as `write_records` makes it (record files, manifest, lists), with the same bytes, so that
    `experiments.train --records=<the folder>` reads it; the metadata of tfds lie beside. Landmarks kept out of training are
    a folder too, but no split of tfds, which has one table of labels for all of a dataset's splits. The images are read from
    `manual_dir`. The Beam writer of tfds is bypassed, because it groups the encoded images in the runner, which on one
    machine keeps all of them in memory.

    Subclasses give `_image_lists`, `HOMEPAGE` and `CITATION`; their docstring is the description.
    """

    VERSION = tfds.core.Version("1.0.0")
    HOMEPAGE: str | None = None
    CITATION: str | None = None
    UPRIGHT = True
    code_path = None  # where tfds would look for checksums of what it downloads, which is nothing

    @abc.abstractmethod
    def _image_lists(self, photos: Path) -> dict[str, ImageList]:
        """Returns the images of each split; `photos` is `manual_dir`."""

    def _photos(self, dl_manager: tfds.download.DownloadManager) -> Path:
        return Path(dl_manager.manual_dir)

    def _info(self) -> tfds.core.DatasetInfo:
        return tfds.core.DatasetInfo(builder=self, description=inspect.cleandoc(self.__doc__), homepage=self.HOMEPAGE,
                                     citation=self.CITATION, features=record_features())

    def _download_and_prepare(self, dl_manager: tfds.download.DownloadManager,
                              download_config: tfds.download.DownloadConfig) -> None:
        if "://" in str(self.data_dir):
            raise UserError("a data_dir that is a folder", str(self.data_dir), "Mount the storage and name the folder.")
        image_lists = self._image_lists(self._photos(dl_manager))
        label_map = LabelMap(landmark for split, image_list in image_lists.items() if split != VALIDATION_LANDMARKS
                             for landmark in image_list.landmark_counts)
        write_shards = partial(shards_by_beam, runner=download_config.beam_runner, options=download_config.beam_options)
        building = Path(self.data_dir_root, f".building-{self.info.full_name.replace('/', '-')}")
        with lock_directory(building):
            manifests = [write_records(
                image_list, building / split, split=split, num_shards=download_config.num_shards or _num_shards(image_list),
                seed=getattr(self.builder_config, "seed", _SEED), upright=self.UPRIGHT,
                max_side=getattr(self.builder_config, "max_side", None), write_shards=write_shards,
                label_map=LabelMap(image_list.landmark_counts) if split == VALIDATION_LANDMARKS else label_map)
                for split, image_list in image_lists.items()]
            for manifest in manifests:
                if manifest.split == "train":
                    fraction = getattr(self.builder_config, "validation_landmarks", None)
                    dataclasses.replace(manifest, validation_landmarks=fraction).save()
                os.replace(manifest.directory, Path(self.data_dir, manifest.split))
        shutil.rmtree(building)
        self.info.features[LABEL].names = label_names(label_map.landmark_ids)
        self.info.set_splits(tfds.core.SplitDict([self._split_info(manifest) for manifest in manifests
                                                 if manifest.split != VALIDATION_LANDMARKS]))

    def _split_info(self, manifest: Manifest) -> tfds.core.SplitInfo:
        template = tfds.core.ShardedFileTemplate(
            template=_TEMPLATE, data_dir=self.data_path, dataset_name=self.name, split=manifest.split,
            filetype_suffix="tfrecord")
        return tfds.core.SplitInfo(
            name=manifest.split, shard_lengths=[shard.examples for shard in manifest.shards],
            num_bytes=sum(shard.bytes for shard in manifest.shards), filename_template=template)


def _num_shards(image_list: ImageList) -> int:
    return max(MIN_SHARDS, -(-len(image_list) // IMAGES_PER_SHARD))


@dataclasses.dataclass(eq=False, kw_only=True)
class LandmarkConfig(tfds.core.BuilderConfig):
    """Builder config of a training set; its name is the name of its folder.

    Attributes:
        max_side: Longest side of the stored images, in pixels.
        validation_fraction: Fraction of each landmark's images for validation.
        validation_landmarks: Fraction of the landmarks that are kept out of training, as by `experiments.prepare`; None
            for a set that has a split of its own.
        seed: Random seed of the split and of the order.
    """

    max_side: int = 512
    validation_fraction: float = 0.1
    validation_landmarks: float | None = 0.15
    seed: int = 0

    def with_max_side(self, max_side: int) -> "LandmarkConfig":
        """Returns this config with another size, which then is part of the name: "clean-256"."""
        if max_side == self.max_side:
            return self
        return dataclasses.replace(self, name=f"{self.name}-{max_side}", max_side=max_side)

    def with_validation_landmarks(self, fraction: float) -> "LandmarkConfig":
        """Returns this config with another fraction, which then is part of the name: "clean-landmarks0"."""
        if self.validation_landmarks is None or fraction == self.validation_landmarks:
            return self
        return dataclasses.replace(self, name=f"{self.name}-landmarks{fraction:g}", validation_landmarks=fraction)


def train_and_validation(images: ImageList, config: LandmarkConfig) -> dict[str, ImageList]:
    """Returns "train" and, if any image is left for them, "validation" and the landmarks kept out of training.

    Landmarks with one image are in train.
    """
    images, unseen = keep_out_landmarks(images, config.validation_landmarks or 0, config.seed)
    train, validation = train_validation_split(images, config.validation_fraction, config.seed)
    return {"train": train} | ({"validation": validation} if validation else {}) | (
        {VALIDATION_LANDMARKS: unseen} if unseen else {})
