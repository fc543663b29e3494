"""Records to batches: what a training epoch and an evaluation read.

The order of the steps is the point: files are shuffled, their records interleaved and shuffled while still encoded (a
photograph takes 60 kB so, ten times that decoded), numbered, and the ones that an interrupted epoch has had already
dropped before anything is decoded. Decoding and augmenting come last and in parallel. Every random choice is drawn from
(seed, epoch, number), never from a state, so that a resumed epoch goes on exactly where it stopped.
"""

import numpy as np
import tensorflow as tf

from landmark_zoo.core.errors import UserError
from landmark_zoo.data.augment import Augmentation, augment
from landmark_zoo.data.decode import decode_image
from landmark_zoo.data.evaluation_views import VIEWS
from landmark_zoo.data.labelled_batches import labelled_batches
from landmark_zoo.data.manifest import Manifest

_READERS = 16


def train_dataset(manifest: Manifest, *, image_size: int, batch_size: int, seed: int, epoch: int,
                  skip_batches: int = 0, num_workers: int = 1, worker: int = 0, shuffle_buffer: int = 4096,
                  augmentation: Augmentation = Augmentation()) -> tf.data.Dataset:  # noqa: B008 (frozen)
    """Returns exactly one epoch: `steps_per_epoch` batches, the same for every worker.

    Of W workers, worker w reads the files w, w + W, ...; with fewer files than workers each reads all files and keeps
    every W-th record. Order and augmentation depend on (seed, epoch, worker, position) alone.

    Args:
        manifest: The training records.
        image_size: Side of the square pictures, in pixels.
        batch_size: Pictures per batch of this worker.
        seed: Of the run.
        epoch: From 0; another epoch, another order and other views.
        skip_batches: Leave out the first so many batches; the rest is as it would have been.
        num_workers: How many read this epoch together.
        worker: Which of them this is, from 0.
        shuffle_buffer: Records shuffled at a time, encoded; up to three times as many are in memory.
        augmentation: The ranges of the random views.

    Returns:
        (images float32 [batch_size, image_size, image_size, 3] of values 0..255, labels int32 [batch_size]).

    Raises:
        UserError: A worker has fewer pictures than one batch.
        tf.errors.InvalidArgumentError: (while reading) a label is outside 0 .. num_classes - 1.
    """
    steps = steps_per_epoch(manifest, batch_size, num_workers)
    if epoch < 0 or not 0 <= worker < num_workers or not 0 <= skip_batches <= steps:
        raise ValueError(f"Expected epoch >= 0, 0 <= worker < {num_workers} and 0 <= skip_batches <= {steps}; "
                         f"received {epoch}, {worker} and {skip_batches}.")
    by_file = len(manifest.files) >= num_workers
    draw = np.random.SeedSequence([seed, epoch, worker if by_file else 0]).generate_state(4).view(np.int32)
    order, views = tf.constant(draw[:2]), tf.constant(draw[2:])

    files = tf.constant(manifest.files[worker::num_workers] if by_file else manifest.files)
    files = tf.random.experimental.stateless_shuffle(files, order)
    records = tf.data.Dataset.from_tensor_slices(files).interleave(
        tf.data.TFRecordDataset, cycle_length=_READERS, block_length=16, num_parallel_calls=tf.data.AUTOTUNE,
        deterministic=True)
    if not by_file:
        records = records.shard(num_workers, worker)
    records = _shuffled(records, shuffle_buffer, order)
    numbered = records.enumerate().take(steps * batch_size).skip(skip_batches * batch_size)

    def picture(number: tf.Tensor, encoded: tf.Tensor) -> tf.Tensor:
        return augment(encoded, image_size, tf.random.fold_in(views, number), augmentation)

    return labelled_batches(numbered, picture, manifest.num_classes, batch_size, drop_remainder=True)


def evaluation_dataset(manifest: Manifest, *, image_size: int, batch_size: int, view: str = "stretch") -> tf.data.Dataset:
    """Returns all records once, in the order of the files, decoded accurately and made square.

    Args:
        manifest: The records.
        image_size: Side of the square pictures, in pixels.
        batch_size: Pictures per batch; the last may hold fewer.
        view: How they become square, one of `VIEWS`.

    Returns:
        (images float32 [B, image_size, image_size, 3] of values 0..255, labels int32 [B]).
    """
    if view not in VIEWS:
        raise ValueError(f"Expected a view among {', '.join(VIEWS)}; received {view!r}.")

    def picture(number: tf.Tensor, encoded: tf.Tensor) -> tf.Tensor:
        return VIEWS[view](decode_image(encoded), image_size, number)

    records = tf.data.TFRecordDataset(manifest.files).enumerate()
    return labelled_batches(records, picture, manifest.num_classes, batch_size)


def steps_per_epoch(manifest: Manifest, batch_size: int, num_workers: int = 1) -> int:
    """Returns how many batches every worker has in an epoch: as many as the one with the fewest pictures can fill.

    Raises:
        UserError: That is none.
    """
    if batch_size < 1 or num_workers < 1:
        raise ValueError(f"Expected batch_size and num_workers of at least 1; received {batch_size} and {num_workers}.")
    if len(manifest.shards) >= num_workers:
        pictures = min(sum(shard.examples for shard in manifest.shards[worker::num_workers])
                       for worker in range(num_workers))
    else:
        pictures = manifest.num_examples // num_workers
    if pictures < batch_size:
        raise UserError(f"at least one batch of {batch_size:,} pictures per worker in {manifest.directory}",
                        f"{pictures:,} pictures", "Use a smaller batch size or more photographs.")
    return pictures // batch_size


def _shuffled(records: tf.data.Dataset, buffer: int, seed: tf.Tensor) -> tf.data.Dataset:
    """Shuffles each run of `buffer` records; the order of `Dataset.shuffle` would depend on the global seed too."""
    def shuffle(number: tf.Tensor, block: tf.Tensor) -> tf.Tensor:
        return tf.random.experimental.stateless_shuffle(block, tf.random.fold_in(seed, number))

    return records.batch(buffer).enumerate().map(shuffle).unbatch()
