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
from landmark_zoo.data.share import Share

_READERS = 16


def train_dataset(manifest: Manifest, *, image_size: int, batch_size: int, seed: int, epoch: int, skip_batches: int = 0,
                  share: Share = Share(), shuffle_buffer: int = 4096,  # noqa: B008 (frozen)
                  augmentation: Augmentation = Augmentation()) -> tf.data.Dataset:  # noqa: B008
    """Returns exactly one epoch of `steps_per_epoch` batches, or a worker's rows of each of them.

    Order and augmentation depend on (seed, epoch, position) alone, not on the number of workers. A worker reads all files
    and passes over the records that are not its own before they are decoded.

    Args:
        manifest: The training records.
        image_size: Side of the square pictures, in pixels.
        batch_size: Pictures per batch, over all workers.
        seed: Of the run.
        epoch: From 0; another epoch, another order and other views.
        skip_batches: Leave out the first so many batches; the rest is as it would have been.
        share: Which rows, in what portions.
        shuffle_buffer: Records shuffled at a time, encoded; up to three times as many are in memory.
        augmentation: The ranges of the random views.

    Returns:
        (images float32 [b, image_size, image_size, 3] of values 0..255, labels int32 [b]), b = share.portion(batch_size).

    Raises:
        UserError: Fewer pictures than one batch.
        tf.errors.InvalidArgumentError: (while reading) a label is outside 0 .. num_classes - 1.
    """
    steps, rows = steps_per_epoch(manifest, batch_size), share.rows(batch_size)
    if epoch < 0 or not 0 <= skip_batches <= steps:
        raise ValueError(f"Expected epoch >= 0 and 0 <= skip_batches <= {steps}; received {epoch} and {skip_batches}.")
    draw = np.random.SeedSequence([seed, epoch, 0]).generate_state(4).view(np.int32)
    order, views = tf.constant(draw[:2]), tf.constant(draw[2:])

    files = tf.random.experimental.stateless_shuffle(tf.constant(manifest.files), order)
    records = tf.data.Dataset.from_tensor_slices(files).interleave(
        tf.data.TFRecordDataset, cycle_length=_READERS, block_length=16, num_parallel_calls=tf.data.AUTOTUNE,
        deterministic=True)
    numbered = _shuffled(records, shuffle_buffer, order).enumerate().take(steps * batch_size)
    numbered = numbered.skip(skip_batches * batch_size)
    if share.num_workers > 1:
        numbered = numbered.filter(
            lambda number, _: (number % batch_size >= rows.start) & (number % batch_size < rows.stop))

    def picture(number: tf.Tensor, encoded: tf.Tensor) -> tf.Tensor:
        return augment(encoded, image_size, tf.random.fold_in(views, number), augmentation)

    return labelled_batches(numbered, picture, manifest.num_classes, share.portion(batch_size), drop_remainder=True)


def evaluation_dataset(manifest: Manifest, *, image_size: int, batch_size: int, view: str = "stretch", num_workers: int = 1,
                       worker: int = 0) -> tf.data.Dataset:
    """Returns all records once, in the order of the files, decoded accurately and made square.

    Args:
        manifest: The records.
        image_size: Side of the square pictures, in pixels.
        batch_size: Pictures per batch; the last may hold fewer.
        view: How they become square, one of `VIEWS`.
        num_workers: How many divide the batches among themselves.
        worker: Which of them this is: it has the batches worker, worker + num_workers, ...

    Returns:
        (images float32 [B, image_size, image_size, 3] of values 0..255, labels int32 [B]).
    """
    if view not in VIEWS or not 0 <= worker < num_workers:
        raise ValueError(f"Expected a view among {', '.join(VIEWS)} and a worker below {num_workers}; "
                         f"received {view!r} and {worker}.")

    def picture(number: tf.Tensor, encoded: tf.Tensor) -> tf.Tensor:
        return VIEWS[view](decode_image(encoded), image_size, number)

    records = tf.data.TFRecordDataset(manifest.files).enumerate()
    if num_workers > 1:
        records = records.filter(lambda number, _: number // batch_size % num_workers == worker)
    return labelled_batches(records, picture, manifest.num_classes, batch_size)


def steps_per_epoch(manifest: Manifest, batch_size: int) -> int:
    """Returns how many batches an epoch has.

    Raises:
        UserError: None: fewer pictures than one batch.
    """
    if batch_size < 1:
        raise ValueError(f"Expected a batch_size of at least 1; received {batch_size}.")
    if manifest.num_examples < batch_size:
        raise UserError(f"at least one batch of {batch_size:,} pictures in {manifest.directory}",
                        f"{manifest.num_examples:,} pictures", "Use a smaller batch size or more photographs.")
    return manifest.num_examples // batch_size


def _shuffled(records: tf.data.Dataset, buffer: int, seed: tf.Tensor) -> tf.data.Dataset:
    """Shuffles each run of `buffer` records; the order of `Dataset.shuffle` would depend on the global seed too."""
    def shuffle(number: tf.Tensor, block: tf.Tensor) -> tf.Tensor:
        return tf.random.experimental.stateless_shuffle(block, tf.random.fold_in(seed, number))

    return records.batch(buffer).enumerate().map(shuffle).unbatch()
