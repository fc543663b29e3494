"""The three signatures, called as a stranger would."""

import io

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from landmark_zoo.core.errors import UserError
from landmark_zoo.data.decode import decode_image
from landmark_zoo.data.resize import resize_long_side
from landmark_zoo.models import build_model
from landmark_zoo.serving.export import export_saved_model
from landmark_zoo.serving.isolated_check import isolated_check

SIDE = 64


def encoded(mode, size, kind, seed=0):
    random = np.random.default_rng(seed)
    shape = (size[1], size[0]) if mode == "L" else (size[1], size[0], 3)
    image = Image.fromarray(random.integers(0, 256, shape).astype(np.uint8), mode="L" if mode == "L" else "RGB")
    buffer = io.BytesIO()
    image.save(buffer, kind)
    return buffer.getvalue()


PICTURES = [encoded("RGB", (90, 60), "JPEG"), encoded("L", (50, 120), "JPEG"), encoded("RGB", (40, 40), "PNG"),
            encoded("RGB", (300, 32), "JPEG")]


@pytest.fixture(scope="module")
def model():
    tf.keras.utils.set_random_seed(0)
    return build_model("mobilenet", "se", alpha=0.25, embedding_dim=16, num_classes=3)


@pytest.fixture(scope="module")
def exported(model, tmp_path_factory):
    return export_saved_model(model, tmp_path_factory.mktemp("models") / "small", side=SIDE, info={"git_commit": "abc"})


def in_process(model, pictures):
    return np.concatenate([model(resize_long_side(decode_image(tf.constant(picture)), SIDE)[None])["embedding"].numpy()
                           for picture in pictures])


def test_bytes_of_many_kinds_equal_the_model(model, exported):
    loaded = tf.saved_model.load(str(exported))
    embedding = loaded.signatures["serving_default"](image_bytes=tf.constant(PICTURES))["embedding"]
    np.testing.assert_allclose(embedding, in_process(model, PICTURES), atol=1e-5)


def test_loads_where_this_project_cannot_be_imported(model, exported, tmp_path):
    paths = []
    for number, picture in enumerate(PICTURES):
        paths.append(tmp_path / str(number))
        paths[-1].write_bytes(picture)
    embeddings, signatures = isolated_check(exported, paths)
    np.testing.assert_allclose(embeddings, in_process(model, PICTURES), atol=1e-5)
    assert set(signatures) == {"serving_default", "images", "info"}
    assert "string" in signatures["serving_default"]["inputs"]["image_bytes"]


def test_images_signature(model, exported):
    images = np.random.default_rng(0).integers(0, 256, (3, 48, 64, 3)).astype(np.float32)
    loaded = tf.saved_model.load(str(exported))
    np.testing.assert_allclose(loaded.signatures["images"](images=tf.constant(images))["embedding"],
                               model(images)["embedding"], atol=1e-5)


def test_info(exported):
    loaded = tf.saved_model.load(str(exported))
    info = loaded.signatures["info"]()
    assert info["name"].numpy() == b"small"
    assert info["dimension"].numpy() == 16
    assert info["git_commit"].numpy() == b"abc"
    assert {"scales", "preprocessing", "side"} <= set(info)


def test_an_empty_batch_gives_no_rows(exported):
    loaded = tf.saved_model.load(str(exported))
    assert loaded.signatures["serving_default"](image_bytes=tf.constant([], tf.string))["embedding"].shape == (0, 16)


@pytest.mark.parametrize("bad", [b"", b"no picture", PICTURES[0][:len(PICTURES[0]) // 2], PICTURES[2][:60]])
def test_bad_bytes_are_named_by_position(exported, bad):
    loaded = tf.saved_model.load(str(exported))
    batch = [PICTURES[0]] * 7 + [bad] + [PICTURES[0]] * 8
    with pytest.raises(tf.errors.InvalidArgumentError, match="position 7"):
        loaded.signatures["serving_default"](image_bytes=tf.constant(batch))


def test_holds_no_more_than_the_weights(model, exported):
    size = sum(path.stat().st_size for path in exported.rglob("*") if path.is_file())
    assert (exported / "variables" / "variables.index").exists()
    assert not (exported / "keras_metadata.pb").exists()
    assert size < 4 * model.count_params() + 2_000_000


def test_versions_count_up_and_a_failure_leaves_none(model, tmp_path, monkeypatch):
    for version in ("1", "2"):
        assert export_saved_model(model, tmp_path / "m", side=SIDE, info={}).name == version

    def failing(*_, **__):
        raise OSError(28, "No space left on device")
    monkeypatch.setattr(tf.saved_model, "save", failing)
    with pytest.raises(OSError, match="No space"):
        export_saved_model(model, tmp_path / "m", side=SIDE, info={})
    assert sorted(path.name for path in (tmp_path / "m").iterdir()) == ["1", "2"]


def test_no_saved_model(tmp_path):
    with pytest.raises(UserError, match="a SavedModel at"):
        isolated_check(tmp_path, [])
