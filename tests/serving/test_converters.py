import dataclasses
import sys

import numpy as np
import pytest
import tensorflow as tf

from landmark_zoo.core.errors import UserError
from landmark_zoo.data.protocol import PUBLISHED, Protocol, Scales
from landmark_zoo.retrieval.engines import OnnxEngine
from landmark_zoo.saved_model import FINGERPRINT_KEY, fingerprint_of
from landmark_zoo.serving.converters import (
    _with_metadata,
    image_at_side,
    min_cosine_similarity,
    tflite_embedder,
    tflite_metadata,
    write_onnx,
    write_tflite,
)
from landmark_zoo.serving.embedders import embedder_of
from landmark_zoo.serving.export import write_saved_model


@pytest.mark.slow
def test_the_same_embeddings_at_any_size(exported, encoded_images, tmp_path):
    pytest.importorskip("tf2onnx")
    pytest.importorskip("onnxruntime")
    write_onnx(exported, tmp_path / "small.onnx")
    images = [image_at_side(image, side) for image in encoded_images for side in (64, 96)]
    engine = OnnxEngine(tmp_path / "small.onnx")
    assert min_cosine_similarity(exported, engine.embed_images, images, 0.99) > 0.9999
    serve = tf.saved_model.load(str(exported)).signatures["serving_default"]
    for encoded in encoded_images:
        pixels = tf.io.decode_image(encoded, channels=3, expand_animations=False).numpy()[np.newaxis].astype(np.float32)
        expected = serve(image_bytes=tf.constant([encoded]))["embedding"]
        np.testing.assert_allclose(engine.embed_images(pixels), expected, atol=1e-3)


PROTOCOLS = {"own": Protocol(64, scales=Scales((0.75, 1.0))), "cvnet": PUBLISHED["cvnet"],
             "cirtorch": dataclasses.replace(PUBLISHED["cirtorch"], side=64)}


@pytest.mark.slow
@pytest.mark.parametrize("name", PROTOCOLS)
def test_scales_and_rules_of_a_protocol_are_converted(make_little, tmp_path, name):
    """They are matrix products, which both formats have."""
    pytest.importorskip("tf2onnx")
    pytest.importorskip("onnxruntime")
    exported = write_saved_model(embedder_of(make_little(), PROTOCOLS[name]), tmp_path / "m", {})
    random = np.random.default_rng(0)
    images = [random.integers(0, 256, [1, *size, 3]).astype(np.float32) for size in ((48, 64), (120, 90), (50, 40))]
    write_onnx(exported, tmp_path / "m.onnx")
    assert min_cosine_similarity(exported, OnnxEngine(tmp_path / "m.onnx").embed_images, images, 0.99) > 0.99999
    write_tflite(exported, tmp_path / "m.tflite", 120, 90, "fp16")
    assert min_cosine_similarity(exported, tflite_embedder(tmp_path / "m.tflite"), images[1:2], 0.99) > 0.999


def test_without_tf2onnx(exported, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "tf2onnx", None)
    with pytest.raises(UserError, match="the package tf2onnx; received none"):
        write_onnx(exported, tmp_path / "small.onnx")


@pytest.mark.slow
@pytest.mark.parametrize(("precision", "least"), [("fp16", 0.999), ("int8", 0.95)])
def test_the_same_embeddings(exported, encoded_images, tmp_path, precision, least):
    images = [image_at_side(image, 64, square=True) for image in encoded_images]
    path = tmp_path / "small.tflite"
    write_tflite(exported, path, 64, 64, precision, images)
    assert min_cosine_similarity(exported, tflite_embedder(path), images, least) > least
    variables = sum(file.stat().st_size for file in (exported / "variables").iterdir())
    assert path.stat().st_size < 0.8 * variables
    assert tflite_metadata(path)[FINGERPRINT_KEY].decode() == fingerprint_of(exported)


def test_metadata_of_tflite_change_no_number(tmp_path):
    @tf.function(input_signature=[tf.TensorSpec([1, 4, 4, 3], tf.float32)])
    def network(images):
        return tf.reduce_mean(images * 2.0, [1, 2])

    content = tf.lite.TFLiteConverter.from_concrete_functions([network.get_concrete_function()]).convert()
    (tmp_path / "plain.tflite").write_bytes(content)
    (tmp_path / "named.tflite").write_bytes(_with_metadata(content, FINGERPRINT_KEY, "abc"))
    found = tflite_metadata(tmp_path / "named.tflite")
    assert found.pop(FINGERPRINT_KEY) == b"abc"
    assert found == tflite_metadata(tmp_path / "plain.tflite")
    image = np.random.default_rng(0).random([1, 4, 4, 3], np.float32)
    np.testing.assert_array_equal(*(tflite_embedder(tmp_path / f"{name}.tflite")(image) for name in ("plain", "named")))


class Colors(tf.Module):
    """The mean color in eight directions: nothing that takes time to convert."""

    def __init__(self):
        super().__init__()
        self.directions = tf.Variable(np.random.default_rng(0).normal(size=[3, 8]), dtype=tf.float32)

    @tf.function(input_signature=[tf.TensorSpec([None, None, None, 3], tf.float32, name="images")])
    def embed(self, images):
        vectors = tf.matmul(tf.reduce_mean(images, [1, 2]), self.directions)
        return {"embedding": vectors / tf.norm(vectors, axis=-1, keepdims=True)}


@pytest.mark.parametrize(("precision", "least"), [("fp16", 0.9999), ("int8", 0.98)])
def test_a_small_network_keeps_its_embeddings(encoded_images, tmp_path, precision, least):
    colors = Colors()
    tf.saved_model.save(colors, str(tmp_path / "colors" / "1"), signatures={"images": colors.embed})
    images = [image_at_side(image, 64, square=True) for image in encoded_images]
    write_tflite(tmp_path / "colors" / "1", tmp_path / "colors.tflite", 64, 64, precision, images)
    embed = tflite_embedder(tmp_path / "colors.tflite")
    assert min_cosine_similarity(tmp_path / "colors" / "1", embed, images, least) > least
    assert embed(images[0]).shape == (1, 8)


@pytest.mark.slow
def test_tflite_resizes_what_has_another_size(exported, encoded_images, tmp_path):
    images = [image_at_side(image, 96, square=True) for image in encoded_images]
    write_tflite(exported, tmp_path / "small.tflite", 96, 96, "fp16")
    embed = tflite_embedder(tmp_path / "small.tflite")
    assert min_cosine_similarity(exported, embed, images, 0.99) > 0.999


def test_int8_without_images(exported, tmp_path):
    with pytest.raises(UserError, match="representative pictures for int8; received none"):
        write_tflite(exported, tmp_path / "small.tflite", 64, 64, "int8")


@pytest.fixture
def images(encoded_images):
    return [image_at_side(image, 64) for image in encoded_images[:2]]


def test_the_smallest_cosine_whatever_the_length(exported, images):
    loaded = tf.saved_model.load(str(exported))
    def same(image):
        return 3 * loaded.signatures["images"](images=tf.constant(image))["embedding"].numpy()
    assert min_cosine_similarity(exported, same, images, 0.99) == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize("vector", [np.full([1, 16], np.nan), np.zeros([1, 16]), -np.ones([1, 16])])
def test_other_embeddings_are_refused(exported, images, vector):
    with pytest.raises(UserError, match=r"a cosine of 0\.99 or more"):
        min_cosine_similarity(exported, lambda _: vector, images, 0.99)


def test_no_images(exported):
    with pytest.raises(UserError, match="pictures to compare embeddings on; received none"):
        min_cosine_similarity(exported, lambda image: image, [], 0.99)


def test_the_pixels_that_serving_default_would_embed(exported, encoded_images):
    loaded = tf.saved_model.load(str(exported))
    pixels = image_at_side(encoded_images[0], 64)
    assert pixels.shape == (1, 43, 64, 3)
    found = loaded.signatures["images"](images=tf.constant(pixels))["embedding"]
    expected = loaded.signatures["serving_default"](image_bytes=tf.constant(encoded_images[:1]))["embedding"]
    np.testing.assert_allclose(found, expected, atol=1e-6)
    assert image_at_side(encoded_images[0], 64, square=True).shape == (1, 64, 64, 3)
