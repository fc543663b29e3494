import dataclasses

import numpy as np
import pytest
import tensorflow as tf

from landmark_zoo.core.errors import UserError
from landmark_zoo.core.files import read_json, write_json
from landmark_zoo.data.manifest import read_manifest
from landmark_zoo.data.pipeline import evaluation_dataset
from landmark_zoo.training.build_feature_cache import build_feature_cache
from landmark_zoo.training.feature_cache import Views

VIEWS = Views(image_size=32, count=2, shard_size=20)


def convolution(seed):
    inputs = tf.keras.Input([None, None, 3])
    initializer = tf.keras.initializers.GlorotUniform(seed)
    return tf.keras.Model(inputs, tf.keras.layers.Conv2D(5, 16, 16, kernel_initializer=initializer)(inputs / 255))


@pytest.fixture(scope="module")
def network():
    """Images to maps of 2 x 2 places and 5 channels."""
    return convolution(0)


@pytest.fixture
def build(records, network, tmp_path):
    """Builds the cache of the toy records in a folder of the test's own."""
    def make(views=VIEWS, network=network):
        return build_feature_cache(network, "convolution", read_manifest(records / "train"), tmp_path / "cache", views)
    return make


def test_view_0_is_the_backbone_on_the_evaluation_view(build, network):
    cache = build()
    batches = evaluation_dataset(cache.manifest, image_size=32, batch_size=48)
    (images, labels), = batches
    (maps, cached_labels), = cache.evaluation_batches(48)
    np.testing.assert_array_equal(labels, cached_labels)
    np.testing.assert_allclose(maps, network(images, training=False), rtol=2e-3, atol=2e-3)


def test_the_other_views_differ_from_it_and_come_again_with_the_same_seed(build, tmp_path):
    first = [np.load(path) for path in sorted((build().directory / "view_1").iterdir())]
    assert [len(maps) for maps in first] == [20, 20, 8]
    plain = np.load(tmp_path / "cache" / "view_0" / "00000.npy")
    assert np.abs(first[0].astype(np.float32) - plain).max() > 0.1
    (tmp_path / "cache").rename(tmp_path / "earlier")
    again = build().directory / "view_1" / "00002.npy"
    np.testing.assert_allclose(np.load(again).astype(np.float32), first[2], atol=2e-2)


def test_an_interrupted_cache_goes_on_with_the_missing_files(build, tmp_path):
    whole = build()
    folder = tmp_path / "cache"
    (folder / "labels.npy").unlink()
    lost, kept = folder / "view_1" / "00001.npy", folder / "view_0" / "00000.npy"
    maps, time = np.load(lost), kept.stat().st_mtime_ns
    lost.unlink()
    np.testing.assert_array_equal(build().labels, whole.labels)
    np.testing.assert_allclose(np.load(lost).astype(np.float32), maps, atol=2e-2)
    assert kept.stat().st_mtime_ns == time


def test_another_size_backbone_or_other_weights_are_refused(build, network):
    build()
    with pytest.raises(UserError, match=r"image_size 64.*received image_size 32"):
        build(dataclasses.replace(VIEWS, image_size=64))
    with pytest.raises(UserError, match="feature maps of weights"):
        build(network=convolution(1))
    assert read_json(build().directory / "features.json")["photographs"] == 48


def test_other_records_are_refused(build):
    directory = build().directory
    facts = read_json(directory / "features.json")
    write_json(directory / "features.json", {**facts, "records": "others"})
    with pytest.raises(UserError, match="received records others"):
        build()


def test_values_beyond_float16_are_refused(build):
    inputs = tf.keras.Input([None, None, 3])
    with pytest.raises(UserError, match="range of float16"):
        build(network=tf.keras.Model(inputs, inputs * 1e6))
