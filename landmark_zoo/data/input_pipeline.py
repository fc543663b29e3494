"""Input pipelines: records to batches of images and labels (tf.data).

The order of the steps matters: files are shuffled, their records interleaved and shuffled while still encoded (an image
takes 60 kB so, ten times that decoded), numbered, and those that an interrupted epoch already had are dropped before
anything is decoded. Decoding and augmentation come last and in parallel. Every random choice is drawn from
(seed, epoch, number), never from a state, so that a resumed epoch continues exactly where it stopped.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf

from landmark_zoo.core.errors import UserError
from landmark_zoo.data.augmentation import VIEWS, Augmentation, augment
from landmark_zoo.data.examples import Example, parse_example
from landmark_zoo.data.image_ops import decode_image, resize_square
from landmark_zoo.data.manifest import Manifest
from landmark_zoo.data.record_index import RecordIndex, check_frames, open_records, read_records


def labelled_batches(records: tf.data.Dataset, image: Callable[[Any, tf.Tensor], tf.Tensor], num_classes: int,
                     batch_size: int, drop_remainder: bool = False,
                     number: Callable[[Any], tf.Tensor] | None = None) -> tf.data.Dataset:
    """Decodes records and batches them, in their order.

    Args:
        records: Dataset of (context, serialized record), the context being what an image depends on besides its bytes.
        image: Function from context and encoded image to float32 [H, W, 3].
        num_classes: Number of classes; labels are below.
        batch_size: Images per batch; those of one batch are of one size.
        drop_remainder: Leave out a last batch that is not full.
        number: Function from context to the record's number, int64, to have them in the batches too.

    Returns:
        Dataset of (images float32 [B, H, W, 3], labels int32 [B]) and, with `number`, record numbers int64 [B].

    Raises:
        tf.errors.InvalidArgumentError: (while reading) a label is outside 0 .. num_classes - 1.
    """
    @tf.autograph.experimental.do_not_convert
    def load(context: Any, serialized: tf.Tensor) -> tuple[tf.Tensor, ...]:
        example = parse_example(serialized)
        numbers = () if number is None else (number(context),)
        return image(context, example.encoded), _label(example, num_classes), *numbers

    options = tf.data.Options()
    options.deterministic = True
    options.experimental_distribute.auto_shard_policy = tf.data.experimental.AutoShardPolicy.OFF
    images = records.map(load, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True)
    return images.batch(batch_size, drop_remainder=drop_remainder).prefetch(tf.data.AUTOTUNE).with_options(options)


def _label(example: Example, num_classes: int) -> tf.Tensor:
    check = tf.debugging.Assert((example.label >= 0) & (example.label < num_classes), [tf.strings.format(
        "Expected a label from 0 to {}; received {} for image {} of landmark {}.",
        (num_classes - 1, example.label, example.id, example.landmark_id))])
    with tf.control_dependencies([check]):
        return tf.cast(example.label, tf.int32)


@dataclass(frozen=True)
class InputShard:
    """One worker's rows of every batch, and their division among its devices.

    Worker w of W has the rows w B / W to (w + 1) B / W - 1 of each batch of B, so that the workers' rows laid end to end are
    the batch that one worker alone would have had.

    Attributes:
        num_workers: Number of processes that read an epoch together.
        worker: Rank of this process, from 0.
        portions: Number of equal batches that its rows are cut into, one after another: one for each of its devices.

    Raises:
        ValueError: No such worker, or no portions.
    """

    num_workers: int = 1
    worker: int = 0
    portions: int = 1

    def __post_init__(self):
        if not 0 <= self.worker < self.num_workers or self.portions < 1:
            raise ValueError(f"Expected 0 <= worker < num_workers and portions >= 1; received {self}.")

    def portion(self, batch_size: int) -> int:
        """Returns the number of rows of each device; a `batch_size` that does not divide so is a ValueError."""
        parts = self.num_workers * self.portions
        if batch_size < 1 or batch_size % parts:
            raise ValueError(f"Expected a batch_size that {parts} devices divide; received {batch_size}.")
        return batch_size // parts

    def rows(self, batch_size: int) -> range:
        """Returns this worker's rows of a batch."""
        count = self.portion(batch_size) * self.portions
        return range(self.worker * count, (self.worker + 1) * count)


_READERS = 16


def train_dataset(manifest: Manifest, *, image_size: int, batch_size: int, seed: int, epoch: int, skip_batches: int = 0,
                  share: InputShard = InputShard(), shuffle_buffer: int = 4096,
                  augmentation: Augmentation = Augmentation(), record_numbers: bool = False) -> tf.data.Dataset:  # noqa: B008
    """Returns exactly one epoch of `steps_per_epoch` batches, or a worker's rows of each of them.

    Order and augmentation depend on (seed, epoch, position) alone, not on the number of workers. A worker reads all files
    and passes over the records of other workers before they are decoded.

    Example:
        >>> import tempfile
        >>> from pathlib import Path
        >>> from PIL import Image
        >>> from landmark_zoo.data.datasets.folder import read_folder
        >>> from landmark_zoo.data.writer import write_records
        >>> root = tempfile.TemporaryDirectory()
        >>> for name in ("petra", "taj_mahal"):
        ...     Path(root.name, "photos", name).mkdir(parents=True)
        ...     Image.new("RGB", (64, 48)).save(Path(root.name, "photos", name, f"{name}.jpg"))
        >>> manifest = write_records(read_folder([f"{root.name}/photos"]), f"{root.name}/train", split="train", num_shards=1,
        ...                          seed=0, max_side=64)
        >>> images, labels = next(iter(train_dataset(manifest, image_size=32, batch_size=2, seed=0, epoch=0)))
        >>> images.shape.as_list(), sorted(labels.numpy().tolist())
        ([2, 32, 32, 3], [0, 1])

    Args:
        manifest: Manifest of the training records.
        image_size: Side of the square images, in pixels.
        batch_size: Images per batch, over all workers.
        seed: Random seed of the run.
        epoch: Epoch, from 0; another epoch has another order and other views.
        skip_batches: Number of batches to leave out at the start; the rest is as it would have been.
        share: Rows of this worker, in portions.
        shuffle_buffer: Number of encoded records shuffled at a time; up to three times as many are in memory.
        augmentation: Ranges of the random views.
        record_numbers: Whether the batches say which records (see `RecordIndex`) they hold.

    Returns:
        Dataset of (images float32 [b, image_size, image_size, 3] of values 0..255, labels int32 [b]) and, with
        `record_numbers`, these, int64 [b]; b = share.portion(batch_size).

    Raises:
        UserError: Fewer images than one batch.
        tf.errors.InvalidArgumentError: (while reading) a label is outside 0 .. num_classes - 1.
    """
    steps, rows = steps_per_epoch(manifest, batch_size), share.rows(batch_size)
    if epoch < 0 or not 0 <= skip_batches <= steps:
        raise ValueError(f"Expected epoch >= 0 and 0 <= skip_batches <= {steps}; received {epoch} and {skip_batches}.")
    draw = np.random.SeedSequence([seed, epoch, 0]).generate_state(4).view(np.int32)
    order, views = tf.constant(draw[:2]), tf.constant(draw[2:])

    check_frames(manifest.files)
    files = tf.random.experimental.stateless_shuffle(tf.range(len(manifest.files)), order)
    names, first_numbers = tf.constant(manifest.files), tf.constant(manifest.first_numbers, tf.int64)

    @tf.autograph.experimental.do_not_convert
    def numbered(file: tf.Tensor) -> tf.data.Dataset:
        return tf.data.TFRecordDataset(names[file]).enumerate(first_numbers[file])

    records = tf.data.Dataset.from_tensor_slices(files).interleave(
        numbered, cycle_length=_READERS, block_length=16, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True)
    placed = _shuffled(records, shuffle_buffer, order).take(steps * batch_size).skip(skip_batches * batch_size)
    if share.num_workers > 1:
        placed = placed.filter(lambda context, _: (context[0] % batch_size >= rows.start)
                               & (context[0] % batch_size < rows.stop))

    def image(context: tuple[tf.Tensor, tf.Tensor], encoded: tf.Tensor) -> tf.Tensor:
        place, _ = context
        return augment(encoded, image_size, tf.random.fold_in(views, place), augmentation)

    return labelled_batches(placed, image, manifest.num_classes, share.portion(batch_size), drop_remainder=True,
                            number=_record_number if record_numbers else None)


def _record_number(context: tuple[tf.Tensor, ...]) -> tf.Tensor:
    return context[-1]


def evaluation_dataset(manifest: Manifest, *, image_size: int, batch_size: int, view: str = "stretch", num_workers: int = 1,
                       worker: int = 0) -> tf.data.Dataset:
    """Returns all records once, in the order of the files, decoded accurately and made square.

    Example:
        >>> import tempfile
        >>> from pathlib import Path
        >>> from PIL import Image
        >>> from landmark_zoo.data.datasets.folder import read_folder
        >>> from landmark_zoo.data.writer import write_records
        >>> root = tempfile.TemporaryDirectory()
        >>> Path(root.name, "photos", "petra").mkdir(parents=True)
        >>> Image.new("RGB", (64, 48), "white").save(Path(root.name, "photos", "petra", "1.jpg"))
        >>> manifest = write_records(read_folder([f"{root.name}/photos"]), f"{root.name}/index", split="index", num_shards=1,
        ...                          seed=0, max_side=64)
        >>> images, labels = next(iter(evaluation_dataset(manifest, image_size=32, batch_size=8)))
        >>> images.shape.as_list(), labels.numpy().tolist()
        ([1, 32, 32, 3], [0])

    Args:
        manifest: Manifest of the records.
        image_size: Side of the square images, in pixels.
        batch_size: Images per batch; the last may hold fewer.
        view: Way to make an image square, one of `VIEWS`.
        num_workers: Number of processes that divide the batches among themselves.
        worker: Rank of this process, which has the batches worker, worker + num_workers, ...

    Returns:
        Dataset of (images float32 [B, image_size, image_size, 3] of values 0..255, labels int32 [B]).
    """
    if view not in VIEWS or not 0 <= worker < num_workers:
        raise ValueError(f"Expected a view among {', '.join(VIEWS)} and a worker below {num_workers}; "
                         f"received {view!r} and {worker}.")

    def image(number: tf.Tensor, encoded: tf.Tensor) -> tf.Tensor:
        return VIEWS[view](decode_image(encoded), image_size, number)

    records = open_records(manifest.files).enumerate()
    if num_workers > 1:
        records = records.filter(lambda number, _: number // batch_size % num_workers == worker)
    return labelled_batches(records, image, manifest.num_classes, batch_size)


def steps_per_epoch(manifest: Manifest, batch_size: int) -> int:
    """Returns the number of full batches of an epoch.

    Raises:
        UserError: Fewer images than one batch.
    """
    if batch_size < 1:
        raise ValueError(f"Expected a batch_size of at least 1; received {batch_size}.")
    if manifest.num_examples < batch_size:
        raise UserError(f"at least one batch of {batch_size:,} images in {manifest.directory}",
                        f"{manifest.num_examples:,} images", "Use a smaller batch size or more photographs.")
    return manifest.num_examples // batch_size


def _shuffled(records: tf.data.Dataset, buffer: int, seed: tf.Tensor) -> tf.data.Dataset:
    """Shuffles each run of `buffer` records; the order of `Dataset.shuffle` would depend on the global seed too.

    Args:
        records: Dataset of (number, record).
        buffer: Records of a run.
        seed: int32 [2].

    Returns:
        Dataset of ((place in this dataset, number), record).
    """
    @tf.autograph.experimental.do_not_convert
    def shuffle(run: tf.Tensor, block: tuple[tf.Tensor, tf.Tensor]) -> tuple[tuple[tf.Tensor, tf.Tensor], tf.Tensor]:
        order = tf.random.experimental.stateless_shuffle(tf.range(tf.size(block[0])), tf.random.fold_in(seed, run))
        numbers, shuffled = (tf.gather(values, order) for values in block)
        return (run * buffer + tf.range(tf.size(order, tf.int64)), numbers), shuffled

    return records.batch(buffer).enumerate().map(shuffle).unbatch()


def planned_dataset(manifest: Manifest, index: RecordIndex, plan: np.ndarray, *, image_size: int | np.ndarray, seed: int,
                    epoch: int, skip_batches: int = 0, share: InputShard = InputShard(),
                    augmentation: Augmentation = Augmentation(),  # noqa: B008
                    record_numbers: bool = False) -> tf.data.Dataset:
    """Returns the batches of a sampler's plan, or a worker's rows of them, reading these records only.

    Views depend on (seed, epoch, place in the plan) alone.

    Args:
        manifest: Manifest of the records.
        index: Index of these records.
        plan: int [steps, B], record numbers of each batch.
        image_size: Side of the square images, in pixels, or int [steps, 2], each batch's height and width.
        seed: Random seed of the run.
        epoch: Epoch, from 0.
        skip_batches: Number of batches to leave out at the start; the rest is as it would have been.
        share: Rows of this worker, in portions.
        augmentation: Ranges of the random views.
        record_numbers: Whether the batches say which records they hold.

    Returns:
        Dataset of (images float32 [b, height, width, 3] of values 0..255, labels int32 [b]) and, with `record_numbers`,
        these, int64 [b]; b = share.portion(B).

    Raises:
        tf.errors.DataLossError: (while reading) a record file is damaged.
        tf.errors.InvalidArgumentError: (while reading) a label is outside 0 .. num_classes - 1.
    """
    plan = np.asarray(plan)
    if plan.ndim != 2 or not plan.shape[1]:
        raise ValueError(f"Expected a plan [steps, B]; received one of shape {plan.shape}.")
    steps, batch_size = plan.shape
    if epoch < 0 or not 0 <= skip_batches <= steps:
        raise ValueError(f"Expected epoch >= 0 and 0 <= skip_batches <= {steps}; received {epoch} and {skip_batches}.")
    fixed = isinstance(image_size, int)
    sizes = np.broadcast_to(image_size, (steps, 2)) if fixed else np.asarray(image_size)
    if sizes.shape != (steps, 2):
        raise ValueError(f"Expected one (height, width) for each of {steps} batches; received shape {sizes.shape}.")
    views = tf.constant(np.random.SeedSequence([seed, epoch]).generate_state(2).view(np.int32))

    def image(context: tuple[tf.Tensor, tf.Tensor, tf.Tensor], encoded: tf.Tensor) -> tf.Tensor:
        place, size, _ = context
        return augment(encoded, image_size if fixed else (size[0], size[1]), tf.random.fold_in(views, place), augmentation)

    rows = np.asarray(share.rows(batch_size))
    places = (np.arange(skip_batches, steps)[:, None] * batch_size + rows).reshape(-1)
    numbers = plan.reshape(-1)[places]
    contexts = tf.data.Dataset.from_tensor_slices(
        (places, sizes[places // batch_size].astype(np.int32), numbers.astype(np.int64)))
    records = read_records(manifest, index, numbers)
    return labelled_batches(tf.data.Dataset.zip((contexts, records)), image, manifest.num_classes,
                            share.portion(batch_size), drop_remainder=True,
                            number=_record_number if record_numbers else None)


def selected_dataset(manifest: Manifest, index: RecordIndex, numbers: np.ndarray, *, image_size: int,
                     batch_size: int) -> tf.data.Dataset:
    """Returns the records of these numbers, in this order, decoded accurately and squashed to a square.

    Args:
        manifest: Manifest of the records.
        index: Index of these records.
        numbers: int [M], record numbers.
        image_size: Side of the square images, in pixels.
        batch_size: Images per batch; the last may hold fewer.

    Returns:
        Dataset of (images float32 [B, image_size, image_size, 3] of values 0..255, labels int32 [B]).
    """
    def image(number: tf.Tensor, encoded: tf.Tensor) -> tf.Tensor:
        del number
        return resize_square(decode_image(encoded), image_size)

    return labelled_batches(read_records(manifest, index, numbers).enumerate(), image, manifest.num_classes, batch_size)
