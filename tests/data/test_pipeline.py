import dataclasses

import numpy as np
import pytest
import tensorflow as tf

from landmark_zoo.core.errors import UserError
from landmark_zoo.data.decode import decode_image
from landmark_zoo.data.evaluation_views import VIEWS
from landmark_zoo.data.label_map import LabelMap
from landmark_zoo.data.manifest import read_manifest
from landmark_zoo.data.pipeline import evaluation_dataset, steps_per_epoch, train_dataset
from landmark_zoo.data.resize import resize_square
from landmark_zoo.data.schema import parse_example
from landmark_zoo.data.share import Share

COUNTS = {"a": 9, "b": 14}
SIZES = {"image_size": 32, "batch_size": 4}


def train(manifest, **options):
    options = SIZES | {"seed": 0, "epoch": 0} | options
    return [(images.numpy(), labels.numpy()) for images, labels in train_dataset(manifest, **options)]


def same(first, second):
    return len(first) == len(second) and all(
        np.array_equal(a, b) and np.array_equal(c, d) for (a, c), (b, d) in zip(first, second, strict=True))


@pytest.fixture
def manifest(records):
    return records(COUNTS)


@pytest.fixture
def numbered(records):
    """23 photographs whose label is their own number, so that a batch tells which ones it holds."""
    return records({f"{number:02d}": 1 for number in range(23)})


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


def test_an_epoch_holds_every_picture_at_most_once(numbered):
    labels = seen(train(numbered))
    assert len(labels) == len(set(labels)) == 20


def test_all_depends_on_seed_and_epoch_alone(manifest):
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
def test_a_resumed_epoch_goes_on_exactly(manifest, skip):
    assert same(train(manifest)[skip:], train(manifest, skip_batches=skip))


def test_skipped_pictures_are_not_decoded(records):
    manifest = records(COUNTS)
    spoiled = dataclasses.replace(manifest, label_map=LabelMap(["a"]))
    with pytest.raises(tf.errors.InvalidArgumentError):
        train(spoiled)
    assert train(spoiled, skip_batches=5) == []


def test_a_small_buffer_shuffles_too(numbered):
    first, second = seen(train(numbered, shuffle_buffer=4)), seen(train(numbered, shuffle_buffer=4, epoch=1))
    assert first != second
    assert len(set(first)) == 20


@pytest.mark.parametrize(("workers", "portions"), [(2, 1), (4, 1), (2, 2), (1, 4)])
@pytest.mark.parametrize("skip", [0, 2])
def test_the_workers_together_have_the_batches_of_one(manifest, workers, portions, skip):
    """More workers than the two record files too; every picture is read once, with the view it has anyway."""
    whole = train(manifest, skip_batches=skip)
    parts = [train(manifest, skip_batches=skip, share=Share(workers, worker, portions)) for worker in range(workers)]
    assert {len(part) for part in parts} == {portions * len(whole)}
    rows = [[part[step * portions + portion] for part in parts for portion in range(portions)] for step in range(len(whole))]
    together = [tuple(np.concatenate(column) for column in zip(*batch, strict=True)) for batch in rows]
    assert same(together, whole)


def test_the_pictures_of_other_workers_are_not_decoded(records):
    manifest = records({f"{number}": 1 for number in range(8)})
    own = [seen(train(manifest, batch_size=8, share=Share(2, worker))) for worker in (0, 1)]
    assert sorted(own[0] + own[1]) == list(range(8))
    worker = 0 if max(own[0]) < max(own[1]) else 1
    few = dataclasses.replace(manifest, label_map=LabelMap([str(label) for label in range(max(own[worker]) + 1)]))
    assert seen(train(few, batch_size=8, share=Share(2, worker))) == own[worker]


def test_over_the_epochs_every_picture_is_used(numbered):
    used = set()
    for epoch in range(4):
        used.update(seen(train(numbered, epoch=epoch)))
    assert used == set(range(23))


def test_too_few_pictures_names_both_numbers(manifest):
    with pytest.raises(UserError, match=r"one batch of 32 pictures .* received 23 pictures"):
        train(manifest, batch_size=32)


@pytest.mark.parametrize("options", [{"epoch": -1}, {"share": Share(3)}, {"skip_batches": 6}, {"batch_size": 0}])
def test_impossible_numbers_are_a_programmers_mistake(manifest, options):
    with pytest.raises(ValueError, match="received"):
        train(manifest, **options)


@pytest.mark.parametrize("dataset", ["train", "evaluation"])
def test_a_label_outside_the_classes_stops_and_names_the_picture(manifest, dataset):
    wrong = dataclasses.replace(manifest, label_map=LabelMap(["a"]))
    read = {"train": lambda: train(wrong), "evaluation": lambda: list(evaluation_dataset(wrong, **SIZES))}[dataset]
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"from 0 to 0; received 1 for picture \W+b_\d+"):
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


def test_an_unknown_view_is_a_programmers_mistake(manifest):
    with pytest.raises(ValueError, match=r"stretch, centre_crop, centre_crop_rotated and .*; received 'top'"):
        evaluation_dataset(manifest, image_size=40, batch_size=3, view="top")


def test_fit_takes_it_as_it_is(manifest):
    model = tf.keras.Sequential([tf.keras.layers.GlobalAveragePooling2D(), tf.keras.layers.Dense(2)])
    model.compile(loss=tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    history = model.fit(train_dataset(manifest, **SIZES, seed=0, epoch=0), verbose=0,
                        validation_data=evaluation_dataset(manifest, **SIZES))
    assert np.isfinite(history.history["val_loss"][0])


def test_a_damaged_record_file_stops_the_reading(manifest):
    path = manifest.files[0]
    with open(path, "r+b") as file:
        file.seek(200)
        file.write(b"damage")
    with pytest.raises(tf.errors.DataLossError):
        train(read_manifest(manifest.directory))
