"""Feature maps of a frozen backbone on disk, read as training batches."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import tensorflow as tf

from landmark_zoo.core.errors import UserError
from landmark_zoo.data.augmentations import AUGMENTATIONS
from landmark_zoo.data.manifest import Manifest


@dataclass(frozen=True)
class Views:
    """What is computed of each photograph.

    Attributes:
        image_size: Side of the square pictures, pixels.
        count: V; view 0 is the evaluation view (the whole picture, stretched), the others are random ones.
        seed: Of the random views.
        augmentation: A name of `AUGMENTATIONS`: their ranges.
        shard_size: Photographs per file.
    """

    image_size: int = 224
    count: int = 4
    seed: int = 0
    augmentation: str = "default"
    shard_size: int = 512

    def __post_init__(self):
        if self.count < 1 or self.shard_size < 1:
            raise ValueError(f"Views: expected count and shard_size of 1 or more; received {self.count} and "
                             f"{self.shard_size}.")
        if self.augmentation not in AUGMENTATIONS:
            raise UserError(f"views among {', '.join(AUGMENTATIONS)}", repr(self.augmentation), "Choose one of them.")


@dataclass(frozen=True)
class FeatureCache:
    """V feature maps of each of N photographs, made by `build_feature_cache`.

    On disk: `features.json` (what they were made from), `view_<v>/<shard>.npy` (float16 [n, h, w, C], read as memory maps)
    and `labels.npy` (int32 [N], written last). Number n is the n-th record of the manifest's files.

    Attributes:
        directory: The folder.
        manifest: Of the records.
        views: What was computed.
        weights: `weights_fingerprint` of the frozen part.
        labels: int32 [N].
    """

    directory: Path
    manifest: Manifest
    views: Views
    weights: str
    labels: np.ndarray

    @cached_property
    def shape(self) -> tuple[int, int, int]:
        """h, w and C."""
        return self._shards[0][0].shape[1:]

    def steps_per_epoch(self, batch_size: int) -> int:
        """Returns how many batches an epoch has; fewer photographs than one batch are a `UserError`."""
        if len(self.labels) < batch_size:
            raise UserError(f"at least one batch of {batch_size:,} photographs in {self.directory}",
                            f"{len(self.labels):,}", "Use a smaller batch size or more photographs.")
        return len(self.labels) // batch_size

    def epoch(self, batch_size: int, seed: int, epoch: int, skip_batches: int = 0) -> tf.data.Dataset:
        """Returns the rest of one epoch: each photograph once, in a random order and a random one of its views.

        Order and views depend on (seed, epoch) alone, so that a resumed epoch goes on as it would have.

        Args:
            batch_size: B.
            seed: Of the run.
            epoch: From 0.
            skip_batches: Leave out the first so many batches.

        Returns:
            (feature maps float32 [B, h, w, C], labels int32 [B]).
        """
        steps = self.steps_per_epoch(batch_size)
        generator = np.random.default_rng([seed, epoch])
        numbers = generator.permutation(len(self.labels))
        views = generator.integers(self.views.count, size=len(numbers))
        places = [np.arange(start, start + batch_size)
                  for start in range(skip_batches * batch_size, steps * batch_size, batch_size)]
        return self._batches([(numbers[rows], views[rows]) for rows in places])

    def evaluation_batches(self, batch_size: int) -> tf.data.Dataset:
        """Returns view 0 of all photographs in order; the last batch may hold fewer."""
        numbers = np.arange(len(self.labels))
        parts = [numbers[start:start + batch_size] for start in range(0, len(numbers), batch_size)]
        return self._batches([(part, np.zeros_like(part)) for part in parts])

    def _batches(self, places: list[tuple[np.ndarray, np.ndarray]]) -> tf.data.Dataset:
        def batches():
            for numbers, views in places:
                yield self._maps(numbers, views), self.labels[numbers]

        signature = (tf.TensorSpec([None, *self.shape], tf.float32), tf.TensorSpec([None], tf.int32))
        return tf.data.Dataset.from_generator(batches, output_signature=signature).prefetch(2)

    def _maps(self, numbers: np.ndarray, views: np.ndarray) -> np.ndarray:
        maps = np.empty((len(numbers), *self.shape), np.float32)
        for row, (number, view) in enumerate(zip(numbers, views, strict=True)):
            shard, place = divmod(int(number), self.views.shard_size)
            maps[row] = self._shards[view][shard][place]
        return maps

    @cached_property
    def _shards(self) -> list[list[np.ndarray]]:
        return [[np.load(shard_path(self.directory, view, shard), mmap_mode="r", allow_pickle=False)
                 for shard in range(-(-len(self.labels) // self.views.shard_size))] for view in range(self.views.count)]


def shard_path(directory: Path, view: int, shard: int) -> Path:
    """Returns where the maps of one view of `shard_size` photographs lie."""
    return directory / f"view_{view}" / f"{shard:05d}.npy"
