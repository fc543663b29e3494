"""`embed` against the path image by image: `serving_default` of the exported model on the bytes of `model_input`."""

import contextlib
import dataclasses
import io

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from landmark_zoo.core.errors import UserError
from landmark_zoo.data.datasets.image_refs import ImageRef, model_input
from landmark_zoo.data.datasets.images import InvalidImageError
from landmark_zoo.data.image_ops import decode_image
from landmark_zoo.data.protocol import PUBLISHED, Protocol
from landmark_zoo.layers.embedding import L2Normalize
from landmark_zoo.retrieval.embed import EmbedConfig, embed, embed_image
from landmark_zoo.saved_model import SavedModel
from landmark_zoo.serving.embedders import embedder_of
from landmark_zoo.serving.export import export_saved_model, write_saved_model

TOLERANCE = 1e-6


@pytest.fixture(scope="module")
def network():
    """A network whose embedding tells pixels apart by a gray level, unlike a deep one with random weights."""
    tf.keras.utils.set_random_seed(0)
    pixels = tf.keras.Input([None, None, 3])
    features = tf.keras.layers.Conv2D(32, 8, 4, activation="tanh")(tf.keras.layers.Rescaling(1 / 64, -2)(pixels))
    embedding = L2Normalize(name="embedding")(tf.keras.layers.GlobalAveragePooling2D()(features))
    return tf.keras.Model(pixels, {"embedding": embedding})


@pytest.fixture(scope="module")
def model(network, tmp_path_factory):
    return SavedModel(export_saved_model(network, tmp_path_factory.mktemp("models") / "small", side=64, info={}))


def encoded(mode, size, kind, seed, **options):
    channels = {"L": 0, "RGB": 3, "RGBA": 4, "CMYK": 4}[mode]
    shape = (size[1], size[0], channels) if channels else size[::-1]
    coarse = np.random.default_rng(seed).integers(0, 256, [5, 5, max(channels, 1)], np.uint8)
    pixels = np.stack([np.asarray(Image.fromarray(coarse[..., band]).resize(size, Image.Resampling.BICUBIC))
                       for band in range(coarse.shape[2])], -1).reshape(shape)
    buffer = io.BytesIO()
    Image.fromarray(pixels, mode=mode).save(buffer, kind, **options)
    return buffer.getvalue()


def exif(orientation):
    made = Image.Exif()
    made[0x0112] = orientation
    return made


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    """Images of many kinds and sizes; some are bad."""
    folder = tmp_path_factory.mktemp("images")
    sizes = [(90, 60), (60, 90), (90, 61), (33, 33), (300, 32), (64, 64), (640, 480)]
    files = {f"jpeg{number}": encoded("RGB", size, "JPEG", number, quality=80) for number, size in enumerate(sizes)}
    files |= {f"turned{turn}": encoded("RGB", (90, 60), "JPEG", turn, exif=exif(turn)) for turn in range(2, 9)}
    mpo = io.BytesIO()
    first, second = (Image.open(io.BytesIO(encoded("RGB", (90, 60), "JPEG", seed))) for seed in (30, 31))
    first.save(mpo, "MPO", save_all=True, append_images=[second], quality=60)
    files |= {"gray": encoded("L", (50, 120), "JPEG", 20), "cmyk": encoded("CMYK", (90, 60), "JPEG", 21),
              "png": encoded("RGB", (70, 50), "PNG", 22), "alpha": encoded("RGBA", (70, 50), "PNG", 23),
              "webp": encoded("RGB", (90, 60), "WEBP", 24),
              "progressive": encoded("RGB", (90, 60), "JPEG", 25, progressive=True), "mpo": mpo.getvalue(),
              "cut": files["jpeg0"][:-200], "text": b"a text", "empty": b"",
              "tiny": encoded("RGB", (20, 50), "JPEG", 26)}
    for name, data in files.items():
        (folder / name).write_bytes(data)
    whole = [ImageRef(name, folder / name) for name in files]
    boxes = {"jpeg0": (3, 4.5, 60, 40), "jpeg6": (100.5, 101.5, 411.2, 300.7), "turned6": (0, 0, 50, 80),
             "cmyk": (1, 2, 89, 59), "png": (0, 0, 40, 50), "turned3": (10, 10, 30, 30)}
    return [*whole, *(ImageRef(f"{name} boxed", folder / name, box) for name, box in boxes.items())]


def one_by_one(model, images, apply_exif):
    """Id to embedding of every good image."""
    found = {}
    for image in images:
        with contextlib.suppress(InvalidImageError):
            found[image.id] = model.embed_bytes([model_input(image, apply_exif)])[0]
    return found


@pytest.mark.parametrize(("apply_exif", "batch_size"), [(True, 4), (False, 32)])
def test_embeddings_and_bad_images_are_those_of_serving_default(model, images, tmp_path, apply_exif, batch_size):
    if not apply_exif:
        images = [image for image in images if image.id != "turned6 boxed"]
    expected = one_by_one(model, images, apply_exif)
    found = embed(model, images, tmp_path / "out",
                  EmbedConfig(batch_size=batch_size, shard_size=20, apply_exif=apply_exif))
    assert list(found.ids) == list(expected)
    assert set(found.ids) == {image.id for image in images} - {"cut", "text", "empty", "tiny", "turned3 boxed"}
    cosines = (found.vectors.astype(np.float64) * np.stack(list(expected.values()))).sum(1)
    assert np.abs(cosines - 1).max() < TOLERANCE
    np.testing.assert_allclose(found.vectors, np.stack(list(expected.values())), atol=TOLERANCE)
    others = np.abs(found.vectors[:, np.newaxis] - found.vectors).max(-1) + np.eye(len(found))
    assert others.min() > 100 * TOLERANCE
    for name in ("turned6", "jpeg6 boxed"):
        image = next(image for image in images if image.id == name)
        if apply_exif:
            np.testing.assert_allclose(embed_image(model, image)[0], expected[name], atol=TOLERANCE)


def test_embeddings_are_those_of_the_files_themselves(model, images, tmp_path):
    whole = [image for image in images if image.box is None]
    found = dict(zip(*(lambda done: (done.ids, done.vectors))(embed(model, whole, tmp_path / "out")), strict=True))
    for image in whole:
        if image.id in ("webp", "cut", "text", "empty", "tiny"):
            with pytest.raises(InvalidImageError, match=r"^Expected a whole image in JPEG, .* at position 0\.$"):
                model.embed_bytes([image.path.read_bytes()])
        else:
            tolerance = 1e-3 if image.id == "cmyk" else TOLERANCE  # rounded otherwise, by at most one gray level
            np.testing.assert_allclose(model.embed_bytes([image.path.read_bytes()])[0], found[image.id], atol=tolerance,
                                       err_msg=image.id)


@pytest.mark.parametrize(("value", "size", "said"), [(np.nan, (64, 64), r"^Expected pixels from 0 to 255; received NaN"),
                                                      (0, (20, 64), r"^Expected images of 32 pixels .* received 20 x 64")])
def test_pixels_that_a_model_refuses(model, value, size, said):
    with pytest.raises(InvalidImageError, match=said):
        model.embed_images(np.full([1, *size, 3], value, np.float32))


def test_boxes_are_those_of_the_signature_crop(model, images, tmp_path):
    boxed = [image for image in images if image.id in ("jpeg0 boxed", "jpeg6 boxed")]
    crop = tf.saved_model.load(str(model.path)).signatures["crop"]
    expected = crop(image_bytes=tf.constant([image.path.read_bytes() for image in boxed]),
                    box=tf.constant([image.box for image in boxed], tf.float32))["embedding"]
    found = embed(model, boxed, tmp_path / "out")
    np.testing.assert_allclose(found.vectors, expected, atol=TOLERANCE)


PROTOCOLS = {
    "image": Protocol(64, crop="image"), "small": Protocol(64, enlarge=False, crop="image"),
    "cirtorch": dataclasses.replace(PUBLISHED["cirtorch"], side=64), "cvnet": PUBLISHED["cvnet"],
    "delg": dataclasses.replace(PUBLISHED["delg"], side=64)}


@pytest.mark.parametrize("name", [name if name == "image" else pytest.param(name, marks=pytest.mark.slow)
                                  for name in PROTOCOLS])
def test_images_and_boxes_are_those_of_the_signatures_under_other_protocols(network, at_image_scale, images, tmp_path, name):
    """Bytes, pixels, boxes and `embed` are one embedding, and another protocol's are another set."""
    model = at_image_scale if name == "image" else SavedModel(
        write_saved_model(embedder_of(network, PROTOCOLS[name]), tmp_path / name, {}))
    assert model.protocol == PROTOCOLS[name]
    kept = ("jpeg0", "jpeg1", "jpeg3", "jpeg4", "png", "gray", "turned6")
    some = [image for image in images if image.id in (*kept, "jpeg0 boxed", "jpeg6 boxed")]
    found = embed(model, some, tmp_path / "out", EmbedConfig(batch_size=3))
    vectors = dict(zip(found.ids, found.vectors, strict=True))
    crop = tf.saved_model.load(str(model.path)).signatures["crop"]
    for image in some:
        data = image.path.read_bytes()
        if image.box is None:
            expected = model.embed_bytes([data])[0]
            pixels = decode_image(tf.constant(model_input(image))).numpy()
            tolerance = 1e-3 if name in ("cirtorch", "delg") else 1e-4  # a level half way may be rounded otherwise
            np.testing.assert_allclose(model.embed_images(pixels[np.newaxis])[0], expected, atol=tolerance)
        else:
            expected = crop(image_bytes=tf.constant([data]), box=tf.constant([image.box], tf.float32))["embedding"][0]
        np.testing.assert_allclose(vectors[image.id], expected, atol=TOLERANCE, err_msg=image.id)
        np.testing.assert_allclose(embed_image(model, image)[0], expected, atol=TOLERANCE, err_msg=image.id)


@pytest.fixture(scope="module")
def at_image_scale(network, tmp_path_factory):
    """The network with crops at the image's scale."""
    folder = tmp_path_factory.mktemp("models") / "image"
    return SavedModel(write_saved_model(embedder_of(network, PROTOCOLS["image"]), folder, {}))


def test_another_protocol_is_another_set_and_other_embeddings(model, at_image_scale, images, tmp_path):
    boxed = [image for image in images if image.id in ("jpeg0 boxed", "jpeg6 boxed")]
    found = [embed(one, boxed, tmp_path / f"out{number}") for number, one in enumerate((model, at_image_scale))]
    assert (found[0].vectors * found[1].vectors).sum(1).max() < 1 - 1e-4
    with pytest.raises(UserError, match="another model_fingerprint"):
        embed(at_image_scale, boxed, tmp_path / "out0")


def test_an_onnx_engine_refuses_crops_that_it_would_enlarge(at_image_scale, images, tmp_path):
    class Onnx:
        name = "onnxruntime"

    with pytest.raises(UserError, match="whole images for --engine=onnxruntime"):
        embed(at_image_scale, images[-1:], tmp_path / "out", engine=Onnx())


def test_resumed_output_is_equal_byte_for_byte(model, images, tmp_path):
    class Interrupted:
        name, calls = "tensorflow", 0

        def embed_images(self, batch):
            self.calls += 1
            if self.calls > 7:
                raise KeyboardInterrupt
            return model.embed_images(batch)

    config = EmbedConfig(batch_size=4, shard_size=5)
    with pytest.raises(KeyboardInterrupt):
        embed(model, images, tmp_path / "resumed", config, engine=Interrupted())
    assert list((tmp_path / "resumed/shards").glob("*.npy"))
    embed(model, images, tmp_path / "resumed", config)
    embed(model, images, tmp_path / "whole", config)
    for name in ("embeddings.npy", "ids.csv", "skipped.csv", "embeddings.json"):
        assert (tmp_path / "resumed" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()
