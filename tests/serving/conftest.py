"""A small exported model and pictures of many kinds."""

import io

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from landmark_zoo.data.decode import decode_image
from landmark_zoo.data.resize import resize_long_side
from landmark_zoo.models import build_model
from landmark_zoo.serving.export import export_saved_model

SIDE = 64


def encoded(mode, size, kind, seed=0):
    random = np.random.default_rng(seed)
    shape = (size[1], size[0]) if mode == "L" else (size[1], size[0], 3)
    buffer = io.BytesIO()
    Image.fromarray(random.integers(0, 256, shape).astype(np.uint8), mode=mode).save(buffer, kind)
    return buffer.getvalue()


@pytest.fixture(scope="session")
def pictures():
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
def expected(model, pictures):
    """The embeddings that the model itself gives."""
    return np.concatenate([model(resize_long_side(decode_image(tf.constant(picture)), SIDE)[None])["embedding"].numpy()
                           for picture in pictures])
