"""SavedModels of DELF, DELG and the GLDv2 baseline behind our signatures."""

import numpy as np
import pytest
import tensorflow as tf

from landmark_zoo.core.errors import UserError
from landmark_zoo.layers.embedding import l2_normalize
from landmark_zoo.saved_model import SavedModel
from landmark_zoo.serving.delf import LOCAL_SCALES, DelfSavedModel
from landmark_zoo.serving.export import write_saved_model
from tests.serving.delf_saved_model import CHANNELS, FETCHES, KERNELS, LOCAL_CHANNELS, network, write_tf1, write_tf2

IMAGE = np.random.default_rng(0).integers(0, 256, [96, 128, 3]).astype(np.uint8)
THRESHOLD = 20.0
GLOBAL_SCALES = (0.5 ** 0.5, 1.0, 2 ** 0.5)


@pytest.fixture(scope="module", params=["tf1", "tf2"])
def source(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("delf") / "r50delg"
    return write_tf1(folder) if request.param == "tf1" else write_tf2(folder)


@pytest.fixture(scope="module")
def wrapped(source, tmp_path_factory):
    folder = tmp_path_factory.mktemp("wrapped") / "r50delg"
    return SavedModel(write_saved_model(DelfSavedModel(source, THRESHOLD), folder, {}))


def expected(scales, threshold=THRESHOLD, count=1000):
    found = network(tf.constant(IMAGE), tf.constant(scales, tf.float32), threshold, count, range(3), KERNELS)
    return {name: each.numpy() for name, each in zip(FETCHES, found, strict=True)}


def test_the_embedding_is_the_sum_of_three_scales(wrapped):
    vectors = expected(GLOBAL_SCALES)["global_descriptors"]
    vector = l2_normalize(tf.reduce_sum(l2_normalize(vectors), 0))
    assert wrapped.dimension == CHANNELS
    images = np.stack([IMAGE, IMAGE]).astype(np.float32)
    np.testing.assert_allclose(wrapped.embed_images(images), [vector, vector], atol=1e-6)
    png = tf.io.encode_png(IMAGE).numpy()
    np.testing.assert_allclose(wrapped.embed_bytes([png]), [vector], atol=1e-6)
    assert wrapped.embed_images(images[:0]).shape == (0, CHANNELS)


def test_large_images_are_shrunk_as_pillow_does(wrapped):
    large = np.random.default_rng(1).integers(0, 256, [64, 2048, 3]).astype(np.float32)
    assert wrapped.embed_images(large[np.newaxis]).shape == (1, CHANNELS)
    assert wrapped.protocol.words == "longer side to 1024 pixels at most, antialiased, in whole gray levels as Pillow"
    assert wrapped.info["scales"] == pytest.approx(GLOBAL_SCALES)


def test_local_features_are_keypoints(wrapped):
    found = expected(LOCAL_SCALES)
    number = len(found["scores"])
    assert 0 < number < 1000
    points, vectors, scores = wrapped.keypoints(IMAGE[np.newaxis].astype(np.float32), 1000)
    assert points.shape == (1, number, 2)
    np.testing.assert_allclose(points[0], (found["boxes"][:, 1::-1] + found["boxes"][:, :1:-1]) / 2, rtol=1e-5)
    np.testing.assert_allclose(vectors[0], l2_normalize(found["features"]), atol=1e-5)
    np.testing.assert_allclose(scores[0], found["scores"][:, 0], rtol=1e-4)
    best, _, _ = wrapped.keypoints(IMAGE[np.newaxis].astype(np.float32), 3)
    np.testing.assert_array_equal(best[0], points[0, :3])


def test_images_with_other_numbers_of_points(wrapped):
    gray = np.full_like(IMAGE, 128)
    points, _, scores = wrapped.keypoints(np.stack([gray, IMAGE]).astype(np.float32), 5)
    assert points.shape == (2, 5, 2)
    assert not scores[0].any()
    assert scores[1].all()


def test_a_network_of_global_vectors_alone(tmp_path):
    embedder = DelfSavedModel(write_tf1(tmp_path / "rn101", ("global_descriptors",)))
    assert not embedder.has_keypoints
    vectors = expected(GLOBAL_SCALES)["global_descriptors"]
    np.testing.assert_allclose(embedder(IMAGE[np.newaxis].astype(np.float32)),
                               [l2_normalize(tf.reduce_sum(l2_normalize(vectors), 0))], atol=1e-6)


def test_local_features_alone_are_summed(tmp_path):
    embedder = DelfSavedModel(write_tf1(tmp_path / "delf", FETCHES[:4]), THRESHOLD)
    found = expected(GLOBAL_SCALES, threshold=0.0)
    weighted = found["scores"] * l2_normalize(found["features"]).numpy()
    assert embedder.dimension == LOCAL_CHANNELS
    np.testing.assert_allclose(embedder(IMAGE[np.newaxis].astype(np.float32)), [l2_normalize(weighted.sum(0))], atol=1e-5)


def test_its_facts(source):
    embedder = DelfSavedModel(source, THRESHOLD)
    assert embedder.parameters == sum(kernel.size for kernel in KERNELS.values())
    assert embedder.multiply_accumulates(64, 64) is None
    assert embedder.facts["local_threshold"] == THRESHOLD
    assert embedder.facts["aggregation"].startswith("mean of embeddings of length 1, L2")


def test_another_network_is_refused(tmp_path):
    module = tf.Module()
    tf.saved_model.save(module, str(tmp_path / "other"))
    with pytest.raises(UserError, match="a SavedModel of DELF, DELG or the GLDv2 baseline"):
        DelfSavedModel(tmp_path / "other")
    with pytest.raises(UserError, match=r"received input_image, input_scales, .*boxes at"):
        DelfSavedModel(write_tf1(tmp_path / "detector", ("boxes",)))
