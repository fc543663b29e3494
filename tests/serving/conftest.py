"""A small exported model and pictures of many kinds."""

import io

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from landmark_zoo.data.image_ops import decode_image, resize_long_side
from landmark_zoo.layers.attention.cbam import CBAM
from landmark_zoo.layers.embedding import EmbeddingLayer
from landmark_zoo.layers.pooling.global_pooling import GeM
from landmark_zoo.models import build_model
from landmark_zoo.models.build import embed_and_classify
from landmark_zoo.serving.export import export_saved_model

SIDE = 64


def encoded(mode, size, kind, seed=0):
    random = np.random.default_rng(seed)
    shape = (size[1], size[0]) if mode == "L" else (size[1], size[0], 3)
    buffer = io.BytesIO()
    Image.fromarray(random.integers(0, 256, shape).astype(np.uint8), mode=mode).save(buffer, kind)
    return buffer.getvalue()


@pytest.fixture(scope="session")
def encoded_images():
    return [encoded("RGB", (90, 60), "JPEG"), encoded("L", (50, 120), "JPEG"), encoded("RGB", (40, 40), "PNG"),
            encoded("RGB", (300, 32), "JPEG")]


@pytest.fixture(scope="session")
def model():
    tf.keras.utils.set_random_seed(0)
    return build_model("mobilenet", "se", alpha=0.25, embedding_dim=16, num_classes=3)


@pytest.fixture(scope="session")
def exported(model, tmp_path_factory):
    return export_saved_model(model, tmp_path_factory.mktemp("models") / "small", side=SIDE, info={"git_commit": "abc"})


@pytest.fixture(scope="session")
def expected(model, encoded_images):
    """The embeddings that the model itself gives."""
    return np.concatenate([model(resize_long_side(decode_image(tf.constant(encoded)), SIDE)[None])["embedding"].numpy()
                           for encoded in encoded_images])


def little(dimension=6, seed=0):
    """A network of two layers with a head: quick to trace and to export."""
    tf.keras.utils.set_random_seed(seed)
    images = tf.keras.Input([None, None, 3], name="images")
    features = tf.keras.layers.Conv2D(8, 8, 8, activation="relu")(images)
    embedding = EmbeddingLayer(dimension, name="embedding")(tf.keras.layers.GlobalAveragePooling2D()(features))
    logits = tf.keras.layers.Dense(50, name="head")(embedding)
    return tf.keras.Model(images, {"embedding": embedding, "feature_map": features, "logits": logits})


@pytest.fixture(scope="session")
def attentive_model():
    """A network of one convolution with CBAM and a classifier: its maps are of all kinds of shapes, and none is flat."""
    tf.keras.utils.set_random_seed(4)
    images = tf.keras.Input([None, None, 3], name="images")
    features = tf.keras.layers.Rescaling(1 / 100)(tf.keras.layers.Conv2D(8, 8, 8, activation="relu")(images))
    block = CBAM(reduction=2, return_maps=True, name="cbam")
    attended, maps = block(features)
    block.set_weights([np.random.default_rng(0).uniform(0.05, 0.5, weight.shape) for weight in block.get_weights()])
    outputs = {f"attention/{name}": values for name, values in maps.items()}
    outputs |= {"feature_map": attended, **embed_and_classify(GeM(name="gem")(attended), 50, 6, "arcface")}
    return tf.keras.Model(images, outputs, name="attentive")


@pytest.fixture(scope="session")
def attentive_export(attentive_model, tmp_path_factory):
    return export_saved_model(attentive_model, tmp_path_factory.mktemp("models") / "attentive", side=64, info={})


@pytest.fixture(scope="session")
def make_little():
    """The function that builds a little network: `make_little(dimension, seed)`."""
    return little


@pytest.fixture(scope="session")
def little_model():
    return little()


@pytest.fixture(scope="session")
def batch():
    """Two pictures whose longer side is that of the little exports."""
    return tf.constant(np.random.default_rng(3).integers(0, 256, (2, 48, 64, 3)).astype(np.float32))


@pytest.fixture(scope="session")
def members(tmp_path_factory):
    """Three exports of little networks: sides 64, 64 and 48, dimensions 6, 5 and 4."""
    folder = tmp_path_factory.mktemp("members")
    return [export_saved_model(little(dimension, seed), folder / name, side=side, info={"training_data": f"set {name}"})
            for seed, (name, dimension, side) in enumerate([("a", 6, 64), ("b", 5, 64), ("c", 4, 48)])]
