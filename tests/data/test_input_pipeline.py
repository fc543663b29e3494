import dataclasses

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st

from landmark_zoo.core.errors import UserError
from landmark_zoo.data.augmentation import AUGMENTATIONS, VIEWS, Augmentation
from landmark_zoo.data.examples import parse_example
from landmark_zoo.data.image_ops import decode_image, resize_square
from landmark_zoo.data.input_pipeline import (
    InputShard,
    evaluation_dataset,
    labelled_batches,
    planned_dataset,
    selected_dataset,
    steps_per_epoch,
    train_dataset,
)
from landmark_zoo.data.manifest import LabelMap, read_manifest
from landmark_zoo.data.record_index import read_record_index
from landmark_zoo.data.samplers import aspect_sampler

COUNTS = {"a": 9, "b": 14}
NUMBERED = {f"{number:02d}": 1 for number in range(23)}
SIZES = {"image_size": 32, "batch_size": 4}


def train(manifest, **options):
    options = SIZES | {"seed": 0, "epoch": 0} | options
    return [(images.numpy(), labels.numpy()) for images, labels in train_dataset(manifest, **options)]


def same(first, second):
    return len(first) == len(second) and all(
        np.array_equal(a, b) and np.array_equal(c, d) for (a, c), (b, d) in zip(first, second, strict=True))


@pytest.fixture
def manifest(shared_records):
    return shared_records(COUNTS)


@pytest.fixture
def numbered(shared_records):
    """23 images whose label is their own number, so that a batch tells which ones it holds."""
    return shared_records(NUMBERED)


def seen(batches):
    return [int(label) for _, labels in batches for label in labels]


def test_one_epoch(manifest):
    batches = train(manifest)
    assert len(batches) == steps_per_epoch(manifest, 4) == 5
    for images, labels in batches:
        assert images.shape == (4, 32, 32, 3)
        assert (images.dtype, labels.dtype) == (np.float32, np.int32)
        assert 0 <= images.min() <= images.max() <= 255
        assert images.max() > 1


def test_shapes_are_static(manifest):
    images, labels = train_dataset(manifest, **SIZES, seed=0, epoch=0).element_spec
    assert images == tf.TensorSpec([4, 32, 32, 3], tf.float32)
    assert labels == tf.TensorSpec([4], tf.int32)


def test_an_epoch_holds_every_image_at_most_once(numbered):
    labels = seen(train(numbered))
    assert len(labels) == len(set(labels)) == 20


def test_epoch_depends_on_seed_and_epoch_alone(manifest):
    first = train(manifest)
    tf.random.set_seed(99)
    assert same(first, train(manifest))
    tf.keras.utils.set_random_seed(3)
    assert same(first, train(manifest))


@pytest.mark.parametrize("change", [{"seed": 1}, {"epoch": 1}])
def test_another_seed_or_epoch_has_another_order_and_other_views(numbered, change):
    first, second = train(numbered), train(numbered, **change)
    assert seen(first) != seen(second)
    views = {int(label): image for images, labels in first for image, label in zip(images, labels, strict=True)}
    moved = [np.abs(image - views[int(label)]).mean() for images, labels in second
             for image, label in zip(images, labels, strict=True) if int(label) in views]
    assert min(moved) > 0


@pytest.mark.parametrize("skip", [1, 3, 5])
def test_epoch_resumes_exactly(manifest, skip):
    assert same(train(manifest)[skip:], train(manifest, skip_batches=skip))


def test_skipped_images_are_not_decoded(manifest):
    spoiled = dataclasses.replace(manifest, label_map=LabelMap(["a"]))
    with pytest.raises(tf.errors.InvalidArgumentError):
        train(spoiled)
    assert train(spoiled, skip_batches=5) == []


def test_a_small_buffer_shuffles_too(numbered):
    first, second = seen(train(numbered, shuffle_buffer=4)), seen(train(numbered, shuffle_buffer=4, epoch=1))
    assert first != second
    assert len(set(first)) == 20


@pytest.mark.parametrize(("workers", "portions"), [(4, 1), (2, 2), (1, 4)])
@pytest.mark.parametrize("skip", [pytest.param(0, marks=pytest.mark.slow), 2])
def test_rows_of_workers_make_the_whole_batches(manifest, workers, portions, skip):
    """More workers than the two record files too; every image is read once, with the view it has anyway."""
    whole = train(manifest, skip_batches=skip)
    parts = [train(manifest, skip_batches=skip, share=InputShard(workers, worker, portions)) for worker in range(workers)]
    assert {len(part) for part in parts} == {portions * len(whole)}
    rows = [[part[step * portions + portion] for part in parts for portion in range(portions)] for step in range(len(whole))]
    together = [tuple(np.concatenate(column) for column in zip(*batch, strict=True)) for batch in rows]
    assert same(together, whole)


def test_the_images_of_other_workers_are_not_decoded(shared_records):
    manifest = shared_records({f"{number}": 1 for number in range(8)})
    own = [seen(train(manifest, batch_size=8, share=InputShard(2, worker))) for worker in (0, 1)]
    assert sorted(own[0] + own[1]) == list(range(8))
    worker = 0 if max(own[0]) < max(own[1]) else 1
    few = dataclasses.replace(manifest, label_map=LabelMap([str(label) for label in range(max(own[worker]) + 1)]))
    assert seen(train(few, batch_size=8, share=InputShard(2, worker))) == own[worker]


@pytest.mark.parametrize("options", [{}, {"skip_batches": 2}, {"shuffle_buffer": 5, "epoch": 3},
                                     {"share": InputShard(2, 1, 2), "skip_batches": 1}])
def test_record_numbers(numbered, options):
    """The images and labels are those without numbers, and each number is that of a record with this label."""
    index = read_record_index(numbered)
    assert len(numbered.shards) > 1
    plain = train(numbered, **options)
    with_numbers = list(train_dataset(numbered, **(SIZES | {"seed": 0, "epoch": 0} | options), record_numbers=True))
    assert same(plain, [(images.numpy(), labels.numpy()) for images, labels, _ in with_numbers])
    for _, labels, numbers in with_numbers:
        assert numbers.shape == labels.shape
        np.testing.assert_array_equal(index.label[numbers.numpy()], labels)


def test_over_the_epochs_every_image_is_used(numbered):
    used = set()
    for epoch in range(4):
        used.update(seen(train(numbered, epoch=epoch)))
    assert used == set(range(23))


def test_too_few_images_names_both_numbers(manifest):
    with pytest.raises(UserError, match=r"one batch of 32 images .* received 23 images"):
        train(manifest, batch_size=32)


@pytest.mark.parametrize("options", [{"epoch": -1}, {"share": InputShard(3)}, {"skip_batches": 6}, {"batch_size": 0}])
def test_impossible_arguments(manifest, options):
    with pytest.raises(ValueError, match="received"):
        train(manifest, **options)


@pytest.mark.parametrize("dataset", ["train", "evaluation"])
def test_a_label_outside_the_classes_stops_and_names_the_image(manifest, dataset):
    wrong = dataclasses.replace(manifest, label_map=LabelMap(["a"]))
    read = {"train": lambda: train(wrong), "evaluation": lambda: list(evaluation_dataset(wrong, **SIZES))}[dataset]
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"from 0 to 0; received 1 for image \W+b_\d+"):
        read()


def test_evaluation_reads_all_in_order_without_chance(manifest):
    batches = [list(evaluation_dataset(manifest, image_size=40, batch_size=4)) for _ in range(2)]
    assert [len(labels) for _, labels in batches[0]] == [4, 4, 4, 4, 4, 3]
    assert sorted(int(x) for _, labels in batches[0] for x in labels) == [0] * 9 + [1] * 14
    for (a, b), (c, d) in zip(*batches, strict=True):
        np.testing.assert_array_equal(a, c)
        np.testing.assert_array_equal(b, d)


def test_workers_divide_the_batches_of_an_evaluation(manifest):
    whole = list(evaluation_dataset(manifest, **SIZES))
    for worker in range(4):
        part = list(evaluation_dataset(manifest, **SIZES, num_workers=4, worker=worker))
        for (images, labels), (same_images, same_labels) in zip(part, whole[worker::4], strict=True):
            np.testing.assert_array_equal(images, same_images)
            np.testing.assert_array_equal(labels, same_labels)


def test_evaluation_pixels_are_those_of_decode_and_resize(manifest):
    record = parse_example(next(iter(tf.data.TFRecordDataset(manifest.files))))
    images, _ = next(iter(evaluation_dataset(manifest, image_size=40, batch_size=1)))
    np.testing.assert_allclose(images[0], resize_square(decode_image(record.encoded), 40), atol=1e-3)


@pytest.mark.parametrize("view", VIEWS)
def test_evaluation_pixels_are_those_of_the_view(manifest, view):
    records = [parse_example(record) for record in tf.data.TFRecordDataset(manifest.files)]
    images, _ = next(iter(evaluation_dataset(manifest, image_size=40, batch_size=3, view=view)))
    for number, (image, record) in enumerate(zip(images, records, strict=False)):
        np.testing.assert_allclose(image, VIEWS[view](decode_image(record.encoded), 40, number), atol=1e-3)


def test_unknown_view(manifest):
    with pytest.raises(ValueError, match=r"stretch, centre_crop, centre_crop_rotated and .*; received 'top'"):
        evaluation_dataset(manifest, image_size=40, batch_size=3, view="top")


@pytest.mark.slow
def test_keras_fit(manifest):
    model = tf.keras.Sequential([tf.keras.layers.GlobalAveragePooling2D(), tf.keras.layers.Dense(2)])
    model.compile(loss=tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    history = model.fit(train_dataset(manifest, **SIZES, seed=0, epoch=0), verbose=0,
                        validation_data=evaluation_dataset(manifest, **SIZES))
    assert np.isfinite(history.history["val_loss"][0])


def test_a_damaged_record_file_stops_the_reading(records):
    manifest = records(COUNTS)
    path = manifest.files[0]
    with open(path, "r+b") as file:
        file.seek(200)
        file.write(b"damage")
    with pytest.raises(tf.errors.DataLossError):
        train(read_manifest(manifest.directory))


PLAN = np.array([[3, 9, 3], [0, 22, 7], [1, 2, 4], [21, 20, 19]])


def batches(manifest, plan=PLAN, **options):
    options = {"image_size": 32, "seed": 0, "epoch": 0} | options
    return [(images.numpy(), labels.numpy())
            for images, labels in planned_dataset(manifest, read_record_index(manifest), plan, **options)]


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


def test_planned_record_numbers(numbered):
    plan, index = PLAN.reshape(2, 6), read_record_index(numbered)
    options = {"image_size": 32, "seed": 0, "epoch": 0, "record_numbers": True}
    found = list(planned_dataset(numbered, index, plan, **options))
    np.testing.assert_array_equal([numbers for *_, numbers in found], plan)
    mine = planned_dataset(numbered, index, plan, **options, skip_batches=1, share=InputShard(3, 1))
    np.testing.assert_array_equal([numbers for *_, numbers in mine], plan[1:, 2:4])


@pytest.mark.parametrize("skip", [0, 1, 3, 4])
def test_planned_epoch_resumes_exactly(numbered, skip):
    assert same(batches(numbered)[skip:], batches(numbered, skip_batches=skip))


def test_planned_rows_of_workers_make_the_whole_batches(numbered):
    plan = PLAN.reshape(2, 6)
    sizes = np.array([[32, 64], [64, 32]])
    whole = batches(numbered, plan, skip_batches=1, image_size=sizes)
    parts = [batches(numbered, plan, skip_batches=1, image_size=sizes, share=InputShard(3, worker))
             for worker in range(3)]
    together = [tuple(np.concatenate(column) for column in zip(*rows, strict=True)) for rows in zip(*parts, strict=True)]
    assert same(together, whole)


def test_planned_views_depend_on_seed_epoch_and_place_alone(numbered):
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


def test_planned_batches_of_the_aspect_sampler(numbered):
    index = read_record_index(numbered)
    plan, sizes = aspect_sampler(index.height, index.width, 4, 0, 0, scale=0.125)
    found = batches(numbered, plan, image_size=sizes, augmentation=AUGMENTATIONS["glam"])
    assert [images.shape for images, _ in found] == [(4, *size, 3) for size in sizes]
    np.testing.assert_array_equal([labels for _, labels in found], index.label[plan])


def test_an_empty_plan_is_an_empty_epoch(numbered):
    assert batches(numbered, np.empty((0, 4), int)) == []


@pytest.mark.parametrize("options", [
    {"plan": PLAN[0]}, {"plan": PLAN + 1}, {"plan": PLAN - 1}, {"skip_batches": 5}, {"epoch": -1},
    {"image_size": np.full((3, 2), 32)}])
def test_planned_impossible_arguments(numbered, options):
    with pytest.raises(ValueError, match="received"):
        batches(numbered, **options)


def test_a_damaged_file_stops_the_reading(records):
    damaged = records(NUMBERED)
    index = read_record_index(damaged)
    with open(damaged.files[0], "r+b") as file:
        file.seek(300)
        file.write(b"damage")
    with pytest.raises(tf.errors.DataLossError):
        list(planned_dataset(damaged, index, [[0]], image_size=32, seed=0, epoch=0, augmentation=Augmentation()))


def test_selected_equals_evaluation_at_these_numbers(shared_records):
    manifest = shared_records({"a": 4, "b": 5})
    every = [(image.numpy(), int(label)) for images, labels in evaluation_dataset(manifest, image_size=40, batch_size=9)
             for image, label in zip(images, labels, strict=True)]
    numbers = [8, 0, 3, 3, 7]
    found = list(selected_dataset(manifest, read_record_index(manifest), numbers, image_size=40, batch_size=2))
    assert [len(labels) for _, labels in found] == [2, 2, 1]
    for number, image in zip(numbers, np.concatenate([images for images, _ in found]), strict=True):
        np.testing.assert_array_equal(image, every[number][0])
    assert [label for _, labels in found for label in labels.numpy()] == [every[number][1] for number in numbers]


def image_dataset(manifest, **options):
    records = tf.data.TFRecordDataset(manifest.files).enumerate()
    options = {"num_classes": 2, "batch_size": 4} | options
    return labelled_batches(records, lambda number, encoded: tf.fill([2, 2, 3], tf.cast(number, tf.float32)), **options)


def test_batches_keep_the_order_and_the_last_may_be_short(shared_records):
    batches = list(image_dataset(shared_records({"a": 3, "b": 7})))
    assert [image[0, 0, 0] for images, _ in batches for image in images.numpy()] == list(range(10))
    assert [len(labels) for _, labels in batches] == [4, 4, 2]
    assert sorted(np.concatenate([labels for _, labels in batches])) == [0] * 3 + [1] * 7


def test_the_remainder_may_be_left_out(shared_records):
    assert [len(labels) for _, labels in image_dataset(shared_records({"a": 3, "b": 7}), drop_remainder=True)] == [4, 4]


def test_a_label_outside_the_classes_names_the_image(records):
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"from 0 to 0; received 1 for image \W+b_\d"):
        list(image_dataset(records({"a": 1, "b": 1}), num_classes=1))


@given(st.integers(1, 6), st.integers(1, 4), st.integers(1, 5))
def test_the_shares_laid_end_to_end_are_the_batch(workers, portions, each):
    batch = workers * portions * each
    shares = [InputShard(workers, worker, portions) for worker in range(workers)]
    assert [row for share in shares for row in share.rows(batch)] == list(range(batch))
    assert {share.portion(batch) for share in shares} == {each}


def test_alone_it_is_the_whole_batch():
    assert (InputShard().rows(5), InputShard().portion(5)) == (range(5), 5)


@pytest.mark.parametrize("numbers", [(0, 0), (2, 2), (2, -1), (1, 0, 0)])
def test_no_such_worker(numbers):
    with pytest.raises(ValueError, match="worker < num_workers"):
        InputShard(*numbers)


@pytest.mark.parametrize("batch_size", [0, 7])
def test_a_batch_that_does_not_divide(batch_size):
    with pytest.raises(ValueError, match=f"that 4 devices divide; received {batch_size}"):
        InputShard(2, 0, 2).rows(batch_size)
