"""The signatures, called as a stranger would."""

import cv2
import numpy as np
import pytest
import tensorflow as tf

from landmark_zoo.layers.l2_normalise import l2_normalise
from landmark_zoo.serving.embedders.network import Network
from landmark_zoo.serving.signatures import Signatures


@pytest.fixture(scope="module")
def loaded(members):
    return tf.saved_model.load(str(members[0]))


def embed(loaded, pictures):
    return loaded.signatures["serving_default"](image_bytes=tf.constant(pictures, tf.string))["embedding"].numpy()


def cut(loaded, pictures, boxes):
    return loaded.signatures["crop"](image_bytes=tf.constant(pictures, tf.string),
                                     box=tf.constant(boxes, tf.float32, [len(boxes), 4]))["embedding"].numpy()


def test_bytes_of_many_kinds_equal_the_model(exported, pictures, expected):
    np.testing.assert_allclose(embed(tf.saved_model.load(str(exported)), pictures), expected, atol=1e-5)


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
    assert {"scales", "preprocessing", "side", "weights_sha256"} <= set(info)


def test_floats_of_info_come_back_as_they_were(little_model):
    info = Signatures(Network(little_model, 64), {"factors": [0.7071, 1.4142], "name": "x"}).info()
    assert info["factors"].numpy().tolist() == [0.7071, 1.4142]


def test_empty_batches_give_no_rows(loaded):
    assert embed(loaded, []).shape == (0, 6)
    assert cut(loaded, [], []).shape == (0, 6)
    assert loaded.signatures["images"](images=tf.zeros([0, 48, 64, 3]))["embedding"].shape == (0, 6)
    found = loaded.signatures["local"](images=tf.zeros([0, 48, 64, 3]))
    assert (found["features"].shape[0], found["scores"].shape[0]) == (0, 0)


def bad_bytes(pictures, kind):
    return {"empty": b"", "words": b"no picture", "half a JPEG": pictures[0][:len(pictures[0]) // 2],
            "the head of a PNG": pictures[2][:60]}[kind]


@pytest.mark.parametrize("kind", ["empty", "words", "half a JPEG", "the head of a PNG"])
def test_bad_bytes_are_named_by_position(loaded, pictures, kind):
    batch = [pictures[0]] * 7 + [bad_bytes(pictures, kind)] + [pictures[0]] * 8
    with pytest.raises(tf.errors.InvalidArgumentError, match="position 7"):
        embed(loaded, batch)
    with pytest.raises(tf.errors.InvalidArgumentError, match="position 7"):
        cut(loaded, batch, [[0, 0, 20, 20]] * 16)


@pytest.mark.parametrize("box", [(0, 0, 91, 60), (20, 0, 20, 60), (50, 0, 20, 60), (-1, 0, 20, 60)])
def test_bad_boxes_are_named_by_position(loaded, pictures, box):
    boxes = [[0, 0, 90, 60]] * 16
    boxes[7] = box
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"x1 <= 90 .* received \[.*\] at position 7"):
        cut(loaded, [pictures[0]] * 16, boxes)


def test_a_box_for_each_picture(loaded, pictures):
    with pytest.raises(tf.errors.InvalidArgumentError, match="a box for each of 4 pictures; received 3 boxes"):
        cut(loaded, pictures, [[0, 0, 20, 20]] * 3)


def test_a_crop_is_the_embedding_of_the_part(loaded, pictures):
    image = tf.io.decode_png(pictures[2])
    part = tf.io.encode_png(image[5:38, 2:40]).numpy()
    np.testing.assert_allclose(cut(loaded, [pictures[2]] * 2, [[2, 5, 40, 38], [0, 0, 40, 40]]),
                               embed(loaded, [part, pictures[2]]), atol=1e-6)


def test_gray_alpha_and_sixteen_bits_are_the_picture(loaded):
    pixels = np.random.default_rng(5).integers(0, 256, (50, 70, 3)).astype(np.uint8)
    gray = np.repeat(pixels[..., :1], 3, axis=2)
    alike = {"rgb": (pixels, ".png"), "alpha": (np.dstack([pixels, np.full((50, 70), 255, np.uint8)]), ".png"),
             "16 bits": (pixels.astype(np.uint16) * 257, ".png"), "bmp": (pixels, ".bmp"),
             "gray": (gray[..., 0], ".png"), "gray as rgb": (gray, ".png")}
    encoded = [cv2.imencode(suffix, picture)[1].tobytes() for picture, suffix in alike.values()]
    found = dict(zip(alike, embed(loaded, encoded), strict=True))
    for name in ("alpha", "16 bits", "bmp"):
        np.testing.assert_allclose(found[name], found["rgb"], atol=1e-6, err_msg=name)
    np.testing.assert_allclose(found["gray"], found["gray as rgb"], atol=1e-6)


def test_thirty_megapixels(loaded):
    coarse = np.random.default_rng(6).integers(0, 256, (40, 60, 3)).astype(np.uint8)
    large, small = (cv2.imencode(".jpg", cv2.resize(coarse, size))[1].tobytes() for size in ((6720, 4480), (672, 448)))
    found = embed(loaded, [large, small])
    assert found[0] @ found[1] > 0.999


def test_local_features_have_length_one_and_scores(model, exported):
    images = np.random.default_rng(0).integers(0, 256, (2, 64, 96, 3)).astype(np.float32)
    loaded = tf.saved_model.load(str(exported))
    found = loaded.signatures["local"](images=tf.constant(images))
    feature_map = model(images)["feature_map"].numpy()
    assert found["features"].shape == (2, 2, 3, 256)
    np.testing.assert_allclose(found["scores"], np.linalg.norm(feature_map, axis=-1), rtol=1e-4)
    np.testing.assert_allclose(found["features"], l2_normalise(feature_map), atol=1e-4)


def test_a_model_without_a_map_has_no_local_signature():
    images = tf.keras.Input([None, None, 3])
    model = tf.keras.Model(images, {"embedding": tf.keras.layers.GlobalAveragePooling2D()(images)})
    names = set(Signatures(Network(model, 64), {"name": "means"}).functions())
    assert names == {"serving_default", "images", "crop", "info"}
