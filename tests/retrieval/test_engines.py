import sys

import numpy as np
import pytest
import tensorflow as tf

from landmark_zoo.core.errors import UserError
from landmark_zoo.core.files import read_json, write_json
from landmark_zoo.data.datasets.image_refs import ImageRef
from landmark_zoo.data.protocol import Protocol
from landmark_zoo.layers.embedding import L2Normalize
from landmark_zoo.retrieval.embed import embed, embed_shards
from landmark_zoo.retrieval.engines import OnnxEngine, OpenvinoEngine, TensorflowEngine, check_engine
from landmark_zoo.saved_model import SavedModel
from landmark_zoo.serving.converters import write_onnx
from landmark_zoo.serving.embedders import embedder_of
from landmark_zoo.serving.export import write_saved_model


@pytest.fixture(scope="session")
def small_model(tmp_path_factory):
    """A SavedModel of one convolution, mean and norm."""
    random = np.random.default_rng(0)
    kernel = tf.constant(random.normal(size=[3, 3, 3, 8]).astype(np.float32))
    bytes_in = tf.TensorSpec([None], tf.string, name="image_bytes")
    images_in = tf.TensorSpec([None, None, None, 3], tf.float32, name="images")

    def embed(images):
        features = tf.nn.relu(tf.nn.conv2d(images / 255.0 - 0.5, kernel, 2, "SAME"))
        return {"embedding": tf.math.l2_normalize(tf.reduce_mean(features, [1, 2]), 1)}

    def embed_bytes(image_bytes):
        def one(encoded):
            return embed(tf.cast(tf.io.decode_jpeg(encoded, 3), tf.float32)[None])["embedding"][0]
        return {"embedding": tf.map_fn(one, image_bytes, tf.TensorSpec([8], tf.float32))}

    facts = {"name": tf.constant("small"), "dimension": tf.constant(8), "side": tf.constant(64)}
    signatures = {"serving_default": tf.function(embed_bytes, [bytes_in]), "images": tf.function(embed, [images_in]),
                  "info": tf.function(lambda: facts, [])}
    path = tmp_path_factory.mktemp("models") / "small" / "1"
    tf.saved_model.save(tf.Module(), str(path), signatures=signatures)
    return SavedModel(path)


@pytest.fixture
def images():
    """Two pictures of one size."""
    return np.random.default_rng(1).uniform(0, 255, [2, 40, 64, 3]).astype(np.float32)


def test_embeddings_of_length_one(small_model, images):
    found = TensorflowEngine(small_model).embed_images(images)
    assert found.shape == (2, 8)
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1, atol=1e-6)


@pytest.mark.slow
def test_openvino_leaves_crops_at_the_images_scale(images, tmp_path):
    pytest.importorskip("openvino")
    pixels = tf.keras.Input([None, None, 3])
    network = tf.keras.Model(pixels, {"embedding": L2Normalize(name="embedding")(tf.reduce_mean(
        tf.keras.layers.Conv2D(8, 3, 2, activation="relu")(pixels), [1, 2]))})
    model = SavedModel(write_saved_model(embedder_of(network, Protocol(128, crop="image")), tmp_path / "m", {}))
    found = OpenvinoEngine(model.path).embed_images(images)
    np.testing.assert_allclose(found, TensorflowEngine(model).embed_images(images), atol=1e-4)
    np.testing.assert_allclose(found, network(images)["embedding"], atol=1e-4)
    assert np.abs(found - model.embed_images(images)).max() > 1e-3


@pytest.mark.parametrize("precision", ["f32", pytest.param("bf16", marks=pytest.mark.slow)])
def test_the_same_embeddings_as_tensorflow_at_any_size(small_model, images, precision):
    pytest.importorskip("openvino")
    engine = OpenvinoEngine(small_model.path, precision)
    for batch in (images, images[:1, :33, :50]):
        np.testing.assert_allclose(engine.embed_images(batch), small_model.embed_images(batch),
                                   atol=1e-4 if precision == "f32" else 0.02)


def test_without_openvino(small_model, monkeypatch):
    monkeypatch.setitem(sys.modules, "openvino", None)
    with pytest.raises(UserError, match="the package openvino; received none"):
        OpenvinoEngine(small_model.path)


def test_onnx_engine_the_same_embeddings_as_tensorflow_at_any_size(small_model, images, tmp_path):
    pytest.importorskip("onnxruntime")
    pytest.importorskip("tf2onnx")
    write_onnx(small_model.path, tmp_path / "small.onnx")
    engine = OnnxEngine(tmp_path / "small.onnx")
    for batch in (images, images[:1, :33, :50]):
        np.testing.assert_allclose(engine.embed_images(batch), small_model.embed_images(batch), atol=1e-5)
    assert engine.fingerprint == small_model.fingerprint
    check_engine(engine, small_model)
    onnx = pytest.importorskip("onnx")
    copy = onnx.load(tmp_path / "small.onnx")
    del copy.metadata_props[:]
    onnx.save(copy, tmp_path / "silent.onnx")
    with pytest.raises(UserError, match="a copy that does not say of which it was made"):
        check_engine(OnnxEngine(tmp_path / "silent.onnx"), small_model)


def test_an_engine_of_another_model_is_refused(small_model, tiny_model, tmp_path):
    check_engine(TensorflowEngine(small_model), small_model)
    with pytest.raises(UserError, match=f"fingerprint {tiny_model.fingerprint[:12]}; received a copy of "
                                        f"{small_model.fingerprint[:12]}"):
        embed_shards(tiny_model, [], tmp_path / "out", engine=TensorflowEngine(small_model))
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
def test_the_precision_of_openvino_belongs_to_what_it_embedded(small_model, paint, tmp_path):
    pytest.importorskip("openvino")
    images = [ImageRef("a", paint("a.jpg", 1))]
    short, exact = (OpenvinoEngine(small_model.path, precision) for precision in ("bf16", "f32"))
    assert short.fingerprint == small_model.fingerprint
    found = embed(small_model, images, tmp_path / "out", engine=exact)
    assert found.provenance["precision"] == "f32"
    with pytest.raises(UserError, match="another precision"):
        embed(small_model, images, tmp_path / "out", engine=short)
    facts = read_json(tmp_path / "out/embeddings.json")
    del facts["provenance"]["precision"]
    write_json(tmp_path / "out/embeddings.json", facts)
    embed(small_model, images, tmp_path / "out", engine=exact)
    with pytest.raises(UserError, match="another precision"):
        embed(small_model, images, tmp_path / "out", engine=short)


def test_a_file_that_is_none(tmp_path):
    pytest.importorskip("onnxruntime")
    (tmp_path / "text.onnx").write_text("a text")
    for path in (tmp_path / "text.onnx", tmp_path / "absent.onnx"):
        with pytest.raises(UserError, match="a readable ONNX file at"):
            OnnxEngine(path)


def test_without_onnxruntime(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(UserError, match="the package onnxruntime; received none"):
        OnnxEngine(tmp_path / "small.onnx")
