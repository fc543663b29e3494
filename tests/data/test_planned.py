import numpy as np
import pytest
import tensorflow as tf

from landmark_zoo.data.augment import Augmentation
from landmark_zoo.data.augmentations import AUGMENTATIONS
from landmark_zoo.data.decode import decode_image
from landmark_zoo.data.planned import planned_dataset
from landmark_zoo.data.plans.aspect_groups import aspect_plan
from landmark_zoo.data.record_index import read_record_index
from landmark_zoo.data.resize import resize_square
from landmark_zoo.data.schema import parse_example
from landmark_zoo.data.share import Share

PLAN = np.array([[3, 9, 3], [0, 22, 7], [1, 2, 4], [21, 20, 19]])


@pytest.fixture
def numbered(records):
    """23 photographs whose label is their own number in the map, so that a batch tells which ones it holds."""
    return records({f"{number:02d}": 1 for number in range(23)})


def batches(manifest, plan=PLAN, **options):
    options = {"image_size": 32, "seed": 0, "epoch": 0} | options
    return [(images.numpy(), labels.numpy())
            for images, labels in planned_dataset(manifest, read_record_index(manifest), plan, **options)]


def same(first, second):
    return len(first) == len(second) and all(
        np.array_equal(a, b) and np.array_equal(c, d) for (a, c), (b, d) in zip(first, second, strict=True))


def test_batches_hold_the_planned_records_in_order(numbered):
    index = read_record_index(numbered)
    found = batches(numbered, augmentation=AUGMENTATIONS["none"])
    np.testing.assert_array_equal([labels for _, labels in found], index.label[PLAN])
    records = list(tf.data.TFRecordDataset(numbered.files))
    for images, numbers in zip([images for images, _ in found], PLAN, strict=True):
        assert images.shape == (3, 32, 32, 3)
        for image, number in zip(images, numbers, strict=True):
            plain = resize_square(decode_image(parse_example(records[number]).encoded), 32)
            assert np.abs(image - plain).mean() < 2


@pytest.mark.parametrize("skip", [0, 1, 3, 4])
def test_a_resumed_epoch_goes_on_exactly(numbered, skip):
    assert same(batches(numbered)[skip:], batches(numbered, skip_batches=skip))


def test_the_workers_together_have_the_batches_of_one(numbered):
    plan = PLAN.reshape(2, 6)
    sizes = np.array([[32, 64], [64, 32]])
    whole = batches(numbered, plan, skip_batches=1, image_size=sizes)
    parts = [batches(numbered, plan, skip_batches=1, image_size=sizes, share=Share(3, worker)) for worker in range(3)]
    together = [tuple(np.concatenate(column) for column in zip(*rows, strict=True)) for rows in zip(*parts, strict=True)]
    assert same(together, whole)


def test_all_depends_on_seed_epoch_and_place_alone(numbered):
    first = batches(numbered)
    tf.random.set_seed(99)
    assert same(first, batches(numbered))
    assert not same(first, batches(numbered, epoch=1))
    assert not same(first, batches(numbered, seed=1))
    assert not np.array_equal(first[0][0][0], first[0][0][2])


def test_shapes_are_static_for_squares(numbered):
    dataset = planned_dataset(numbered, read_record_index(numbered), PLAN, image_size=64, seed=0, epoch=0)
    images, labels = dataset.element_spec
    assert images == tf.TensorSpec([3, 64, 64, 3], tf.float32)
    assert labels == tf.TensorSpec([3], tf.int32)


def test_each_batch_may_have_its_own_size(numbered):
    sizes = np.array([[32, 64], [64, 32], [48, 48], [32, 32]])
    found = batches(numbered, image_size=sizes)
    assert [images.shape[1:3] for images, _ in found] == [tuple(size) for size in sizes]
    assert same(found[2:], batches(numbered, image_size=sizes, skip_batches=2))


def test_aspect_groups_feed_it(numbered):
    index = read_record_index(numbered)
    plan, sizes = aspect_plan(index.height, index.width, 4, 0, 0, scale=0.125)
    found = batches(numbered, plan, image_size=sizes, augmentation=AUGMENTATIONS["glam"])
    assert [images.shape for images, _ in found] == [(4, *size, 3) for size in sizes]
    np.testing.assert_array_equal([labels for _, labels in found], index.label[plan])


def test_an_empty_plan_is_an_empty_epoch(numbered):
    assert batches(numbered, np.empty((0, 4), int)) == []


@pytest.mark.parametrize("options", [
    {"plan": PLAN[0]}, {"plan": PLAN + 1}, {"plan": PLAN - 1}, {"skip_batches": 5}, {"epoch": -1},
    {"image_size": np.full((3, 2), 32)}])
def test_impossible_input_is_refused(numbered, options):
    with pytest.raises(ValueError, match="received"):
        batches(numbered, **options)


def test_a_damaged_file_stops_the_reading(numbered):
    index = read_record_index(numbered)
    with open(numbered.files[0], "r+b") as file:
        file.seek(300)
        file.write(b"damage")
    with pytest.raises(tf.errors.DataLossError):
        list(planned_dataset(numbered, index, [[0]], image_size=32, seed=0, epoch=0, augmentation=Augmentation()))
