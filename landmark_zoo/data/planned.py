"""Training batches in the order of a plan."""

import numpy as np
import tensorflow as tf

from landmark_zoo.data.augment import Augmentation, augment
from landmark_zoo.data.labelled_batches import labelled_batches
from landmark_zoo.data.manifest import Manifest
from landmark_zoo.data.record_index import RecordIndex
from landmark_zoo.data.records_at import records_at
from landmark_zoo.data.share import Share


def planned_dataset(manifest: Manifest, index: RecordIndex, plan: np.ndarray, *, image_size: int | np.ndarray, seed: int,
                    epoch: int, skip_batches: int = 0, share: Share = Share(),  # noqa: B008 (frozen)
                    augmentation: Augmentation = Augmentation()) -> tf.data.Dataset:  # noqa: B008
    """Returns the batches of a plan, or a worker's rows of them, which alone it reads.

    Views depend on (seed, epoch, place in the plan) alone.

    Args:
        manifest: The records.
        index: Of these records.
        plan: int [steps, B], the record numbers of each batch.
        image_size: Side of the square pictures, in pixels, or int [steps, 2], each batch's height and width.
        seed: Of the run.
        epoch: From 0.
        skip_batches: Leave out the first so many batches; the rest is as it would have been.
        share: Which rows, in what portions.
        augmentation: The ranges of the random views.

    Returns:
        (images float32 [b, height, width, 3] of values 0..255, labels int32 [b]), b = share.portion(B).

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

    def picture(place: tuple[tf.Tensor, tf.Tensor], encoded: tf.Tensor) -> tf.Tensor:
        number, size = place
        return augment(encoded, image_size if fixed else (size[0], size[1]), tf.random.fold_in(views, number), augmentation)

    rows = np.asarray(share.rows(batch_size))
    numbers = (np.arange(skip_batches, steps)[:, None] * batch_size + rows).reshape(-1)
    places = tf.data.Dataset.from_tensor_slices((numbers, sizes[numbers // batch_size].astype(np.int32)))
    records = records_at(manifest, index, plan.reshape(-1)[numbers])
    return labelled_batches(tf.data.Dataset.zip((places, records)), picture, manifest.num_classes,
                            share.portion(batch_size), drop_remainder=True)
