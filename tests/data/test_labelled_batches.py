import numpy as np
import pytest
import tensorflow as tf

from landmark_zoo.data.labelled_batches import labelled_batches


def pictures(manifest, **options):
    records = tf.data.TFRecordDataset(manifest.files).enumerate()
    options = {"num_classes": 2, "batch_size": 4} | options
    return labelled_batches(records, lambda number, encoded: tf.fill([2, 2, 3], tf.cast(number, tf.float32)), **options)


def test_batches_keep_the_order_and_the_last_may_be_short(records):
    batches = list(pictures(records({"a": 3, "b": 7})))
    assert [image[0, 0, 0] for images, _ in batches for image in images.numpy()] == list(range(10))
    assert [len(labels) for _, labels in batches] == [4, 4, 2]
    assert sorted(np.concatenate([labels for _, labels in batches])) == [0] * 3 + [1] * 7


def test_the_remainder_may_be_left_out(records):
    assert [len(labels) for _, labels in pictures(records({"a": 3, "b": 7}), drop_remainder=True)] == [4, 4]


def test_a_label_outside_the_classes_names_the_picture(records):
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"from 0 to 0; received 1 for picture \W+b_\d"):
        list(pictures(records({"a": 1, "b": 1}), num_classes=1))
