import dataclasses
import io
import subprocess
import sys

import cv2
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image, ImageOps

from landmark_zoo.core.errors import UserError
from landmark_zoo.data.datasets.images import crop
from landmark_zoo.data.protocol import PUBLISHED, Protocol
from landmark_zoo.data.resampling import fit_images
from landmark_zoo.layers.embedding import l2_normalize
from landmark_zoo.models.inspection import maps_of_images
from landmark_zoo.models.xfeat import build_xfeat, detect
from landmark_zoo.serving.embedders import Whitened, WhiteningMap
from landmark_zoo.serving.network import Embedder, Network
from landmark_zoo.serving.signatures import Signatures, crop_checked, decode_checked, pad_empty_batch


@pytest.fixture(scope="module")
def loaded(members):
    return tf.saved_model.load(str(members[0]))


def embed(loaded, encoded_images):
    return loaded.signatures["serving_default"](image_bytes=tf.constant(encoded_images, tf.string))["embedding"].numpy()


def cut(loaded, encoded_images, boxes):
    return loaded.signatures["crop"](image_bytes=tf.constant(encoded_images, tf.string),
                                     box=tf.constant(boxes, tf.float32, [len(boxes), 4]))["embedding"].numpy()


@pytest.mark.slow
def test_bytes_of_many_kinds_equal_the_model(exported, encoded_images, expected):
    np.testing.assert_allclose(embed(tf.saved_model.load(str(exported)), encoded_images), expected, atol=1e-5)


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


@pytest.mark.slow
def test_empty_batches_give_no_rows(loaded):
    assert embed(loaded, []).shape == (0, 6)
    assert cut(loaded, [], []).shape == (0, 6)
    assert loaded.signatures["images"](images=tf.zeros([0, 48, 64, 3]))["embedding"].shape == (0, 6)
    found = loaded.signatures["local"](images=tf.zeros([0, 48, 64, 3]))
    assert (found["features"].shape[0], found["scores"].shape[0]) == (0, 0)
    assert loaded.signatures["attention"](images=tf.zeros([0, 0, 0, 3]))["feature_norm"].shape[0] == 0


def bad_bytes(encoded_images, kind):
    return {"empty": b"", "words": b"no picture", "half a JPEG": encoded_images[0][:len(encoded_images[0]) // 2],
            "the head of a PNG": encoded_images[2][:60]}[kind]


@pytest.mark.parametrize("kind", ["empty", "words", "half a JPEG", "the head of a PNG"])
def test_bad_bytes_are_named_by_position(loaded, encoded_images, kind):
    batch = [encoded_images[0]] * 7 + [bad_bytes(encoded_images, kind)] + [encoded_images[0]] * 8
    with pytest.raises(tf.errors.InvalidArgumentError, match="position 7"):
        embed(loaded, batch)
    with pytest.raises(tf.errors.InvalidArgumentError, match="position 7"):
        cut(loaded, batch, [[0, 0, 20, 20]] * 16)


@pytest.mark.parametrize("box", [(0, 0, 91, 60), (20, 0, 20, 60), (50, 0, 20, 60), (-1, 0, 20, 60)])
def test_bad_boxes_are_named_by_position(loaded, encoded_images, box):
    boxes = [[0, 0, 90, 60]] * 16
    boxes[7] = box
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"x1 <= 90 .* received \[.*\] at position 7"):
        cut(loaded, [encoded_images[0]] * 16, boxes)


def test_a_box_for_each_image(loaded, encoded_images):
    with pytest.raises(tf.errors.InvalidArgumentError, match="a box for each of 4 pictures; received 3 boxes"):
        cut(loaded, encoded_images, [[0, 0, 20, 20]] * 3)


def test_a_crop_is_the_embedding_of_the_part(loaded, encoded_images):
    image = tf.io.decode_png(encoded_images[2])
    part = tf.io.encode_png(image[5:38, 2:40]).numpy()
    np.testing.assert_allclose(cut(loaded, [encoded_images[2]] * 2, [[2, 5, 40, 38], [0, 0, 40, 40]]),
                               embed(loaded, [part, encoded_images[2]]), atol=1e-6)


def test_gray_alpha_and_sixteen_bits_are_the_image(loaded):
    pixels = np.random.default_rng(5).integers(0, 256, (50, 70, 3)).astype(np.uint8)
    gray = np.repeat(pixels[..., :1], 3, axis=2)
    alike = {"rgb": (pixels, ".png"), "alpha": (np.dstack([pixels, np.full((50, 70), 255, np.uint8)]), ".png"),
             "16 bits": (pixels.astype(np.uint16) * 257, ".png"), "bmp": (pixels, ".bmp"),
             "gray": (gray[..., 0], ".png"), "gray as rgb": (gray, ".png")}
    encoded = [cv2.imencode(suffix, image)[1].tobytes() for image, suffix in alike.values()]
    found = dict(zip(alike, embed(loaded, encoded), strict=True))
    for name in ("alpha", "16 bits", "bmp"):
        np.testing.assert_allclose(found[name], found["rgb"], atol=1e-6, err_msg=name)
    np.testing.assert_allclose(found["gray"], found["gray as rgb"], atol=1e-6)


def test_thirty_megapixels(loaded):
    coarse = np.random.default_rng(6).integers(0, 256, (40, 60, 3)).astype(np.uint8)
    large, small = (cv2.imencode(".jpg", cv2.resize(coarse, size))[1].tobytes() for size in ((6720, 4480), (672, 448)))
    found = embed(loaded, [large, small])
    assert found[0] @ found[1] > 0.999


def exif(orientation):
    tags = Image.Exif()
    tags[0x0112] = orientation
    return tags


@pytest.fixture(scope="module")
def photograph():
    coarse = np.random.default_rng(7).integers(0, 256, (6, 8, 3)).astype(np.uint8)
    return Image.fromarray(coarse).resize((120, 80), Image.Resampling.BICUBIC)


def encode(image, kind, **options):
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_turns_as_exif_says_but_not_a_crop(loaded, photograph, kind):
    stored = encode(photograph, kind)
    pixels = Image.open(io.BytesIO(stored))
    turned = [encode(photograph, kind, exif=exif(number)) for number in range(1, 9)]
    expected = [encode(ImageOps.exif_transpose(_with_exif(pixels, number)), "PNG") for number in range(1, 9)]
    found = embed(loaded, turned)
    np.testing.assert_allclose(found, embed(loaded, expected), atol=1e-5)
    assert np.abs(found[5] - found[0]).max() > 1e-3
    np.testing.assert_allclose(cut(loaded, turned, [[0, 0, 120, 80]] * 8), np.repeat(found[:1], 8, axis=0), atol=1e-6)


def _with_exif(image, orientation):
    image = image.copy()
    image.getexif()[0x0112] = orientation
    return image


@pytest.mark.parametrize("size", [(80, 120), (120, 80), (33, 400), (40, 50), (64, 64), (600, 500)])
def test_images_of_any_size_are_resized_as_bytes_are(loaded, photograph, size):
    image = photograph.resize(size[::-1])
    pixels = tf.constant(np.asarray(image), tf.float32)[None]
    found = loaded.signatures["images"](images=pixels)["embedding"]
    np.testing.assert_allclose(found, embed(loaded, [encode(image, "PNG")]), atol=1e-5)


@pytest.mark.parametrize("name", ["images", "local", "attention"])
@pytest.mark.parametrize(("size", "value", "said"), [
    ((48, 64), np.nan, "received NaN or an infinite number at position 1"),
    ((48, 64), -np.inf, "received NaN or an infinite number at position 1"),
    ((0, 64), 0, "Expected images of 32 pixels or more each way; received 0 x 64"),
    ((0, 0), 0, "received 0 x 0 pixels"), ((31, 64), 0, "received 31 x 64 pixels"), ((64, 9), 0, "received 64 x 9 pixels")])
def test_pixels_that_are_no_numbers_and_sides_too_short(loaded, name, size, value, said):
    images = np.zeros((3, *size, 3), np.float32)
    images[1:, -1:, -1:, 1] = value
    with pytest.raises(tf.errors.InvalidArgumentError, match=said):
        loaded.signatures[name](images=tf.constant(images))


@pytest.mark.parametrize(("make", "reason"), [
    (lambda p: encode(p, "WEBP"), "received a WebP file at position 1"),
    (lambda p: encode(p, "TIFF"), "received a TIFF file at position 1"),
    (lambda p: encode(p.convert("1"), "BMP"), "received a BMP of 1 bits a pixel, compression 0 at position 1"),
    (lambda p: encode(p.quantize(9), "GIF", transparency=1), "received a GIF with a transparent color at position 1"),
    (lambda p: encode(p.resize((40, 20)), "PNG"), "received one of 20 x 40 px, smaller than 32 at position 1"),
    (lambda p: encode(p, "JPEG")[:-300], "received one that is damaged or cut off at position 1"),
    (lambda p: _with_size(encode(p, "BMP"), 30000), "too large: 30000 x 30000 px, more than 89,478,485 in all")])
def test_the_reason_of_a_refusal_is_named(loaded, photograph, make, reason):
    with pytest.raises(tf.errors.InvalidArgumentError, match=reason):
        embed(loaded, [encode(photograph, "PNG"), make(photograph)])


def _with_size(bmp, side):
    return bmp[:18] + 2 * side.to_bytes(4, "little") + bmp[26:]


def test_info_states_what_is_taken(loaded):
    info = loaded.signatures["info"]()
    assert (info["min_side"], info["max_pixels"]) == (32, 89_478_485)
    assert b"PNG" in info["formats"].numpy()
    assert b"EXIF" in info["orientation"].numpy()


def test_local_features_have_length_one_and_scores(model, exported):
    images = np.random.default_rng(0).integers(0, 256, (2, 64, 96, 3)).astype(np.float32)
    loaded = tf.saved_model.load(str(exported))
    found = loaded.signatures["local"](images=tf.constant(images))
    feature_map = model(images)["feature_map"].numpy()
    assert found["features"].shape == (2, 2, 3, 256)
    np.testing.assert_allclose(found["scores"], np.linalg.norm(feature_map, axis=-1), rtol=1e-4)
    np.testing.assert_allclose(found["features"], l2_normalize(feature_map), atol=1e-4)


@pytest.fixture(scope="module")
def attentive(attentive_export):
    return tf.saved_model.load(str(attentive_export))


def test_attention_is_that_of_the_model(attentive_model, attentive):
    images = np.random.default_rng(0).uniform(0, 255, (3, 48, 64, 3)).astype(np.float32)
    found, expected = attentive.signatures["attention"](images=tf.constant(images)), maps_of_images(attentive_model, images)
    outputs = attentive_model(images)
    assert set(found) == {"attention/channel", "attention/spatial", "class_activation", "feature_norm"}
    assert {name: (values.dtype, *values.shape) for name, values in found.items()} == {
        "attention/channel": (tf.float32, 3, 1, 1, 8), "attention/spatial": (tf.float32, 3, 6, 8, 1),
        "class_activation": (tf.float32, 3, 6, 8, 1), "feature_norm": (tf.float32, 3, 6, 8, 1)}
    for name, values in found.items():
        np.testing.assert_allclose(values, outputs.get(name, expected[name]), atol=1e-5)
        assert np.ptp(values) > 1e-3, "a map that is not flat"
    info = attentive.signatures["info"]()
    assert info["attention_maps"].numpy().tolist() == [name.encode() for name in expected]
    assert info["attention_kinds"].numpy().tolist() == [b"gate", b"gate", b"norm", b"norm"]


@pytest.mark.parametrize("size", [(80, 120), (33, 400), (600, 500)])
def test_attention_is_that_of_the_image_as_it_is_embedded(attentive, photograph, size):
    pixels = tf.constant(np.asarray(photograph.resize(size[::-1])), tf.float32)[None]
    found, same = (attentive.signatures["attention"](images=images) for images in (pixels, fit_images(pixels, Protocol(64))))
    for name, values in found.items():
        np.testing.assert_allclose(values, same[name], atol=1e-5)
        assert values.shape[1:3] in ((1, 1), tuple(max(32, round(edge * 64 / max(size))) // 8 for edge in size))


def test_attention_without_images(attentive):
    for size in ((0, 0), (48, 64)):
        found = attentive.signatures["attention"](images=tf.zeros([0, *size, 3]))
        assert {name: (values.shape[0], values.shape[-1]) for name, values in found.items()} == {
            "attention/channel": (0, 8), "attention/spatial": (0, 1), "class_activation": (0, 1), "feature_norm": (0, 1)}


_LOOK = """
import sys
import numpy as np, tensorflow as tf
model = tf.saved_model.load(sys.argv[1])
np.savez(sys.argv[3], **{name.replace("/", " "): values.numpy() for name, values in
                         model.signatures["attention"](images=tf.constant(np.load(sys.argv[2]))).items()})
assert "landmark_zoo" not in sys.modules
"""


@pytest.mark.slow
def test_attention_needs_nothing_of_this_project(attentive_model, attentive_export, tmp_path):
    images = np.random.default_rng(0).uniform(0, 255, (2, 48, 64, 3)).astype(np.float32)
    np.save(tmp_path / "images.npy", images)
    subprocess.run([sys.executable, "-I", "-c", _LOOK, str(attentive_export), str(tmp_path / "images.npy"),
                    str(tmp_path / "maps.npz")], check=True, cwd=tmp_path, capture_output=True)
    found = np.load(tmp_path / "maps.npz")
    for name, values in maps_of_images(attentive_model, images).items():
        np.testing.assert_allclose(found[name.replace("/", " ")], values, atol=1e-5)


def test_a_model_without_a_map_has_no_local_signature():
    images = tf.keras.Input([None, None, 3])
    model = tf.keras.Model(images, {"embedding": tf.keras.layers.GlobalAveragePooling2D()(images)})
    names = set(Signatures(Network(model, 64), {"name": "means"}).functions())
    assert names == {"serving_default", "images", "crop", "info"}


@pytest.mark.parametrize("compiled", [False, True])
def test_good_and_bad(compiled):
    decode = tf.function(decode_checked) if compiled else decode_checked
    pixels = tf.cast(tf.reshape(tf.range(33 * 40 * 3), [33, 40, 3]) % 256, tf.uint8)
    assert (decode(tf.io.encode_png(pixels), tf.constant(0))[0].numpy() == pixels.numpy()).all()
    with pytest.raises(tf.errors.InvalidArgumentError, match="position 3"):
        decode(tf.constant(b"\xff\xd8\xff no more"), tf.constant(3))


class Shape(Embedder):
    """Tells the size at which it gets an image, and its mean."""

    dimension, facts = 3, {"dimension": 3}

    def __init__(self, protocol):
        super().__init__(name="shape")
        self.side, self._protocol = protocol.side, protocol

    @property
    def protocol(self):
        return self._protocol

    def __call__(self, images):
        count, height, width, _ = tf.unstack(tf.cast(tf.shape(images), tf.float32))
        means = tf.reduce_mean(images, [1, 2, 3])
        return tf.stack([tf.fill([count], height), tf.fill([count], width), means], 1)

    def multiply_accumulates(self, height, width):
        return None


def shape(signature, **inputs):
    """Height and width of the only image, and its mean."""
    found = signature(**{name: tf.constant(value) for name, value in inputs.items()})["embedding"].numpy()[0]
    return tuple(found[:2].astype(int)), found[2]


BOX = [[20.0, 10.0, 80.0, 40.0]]
CIRTORCH = dataclasses.replace(PUBLISHED["cirtorch"], side=60)


@pytest.mark.parametrize(("protocol", "image", "crop"), [
    (Protocol(240, crop="image"), (160, 240), (60, 120)), (dataclasses.replace(CIRTORCH, side=110), (73, 110), (32, 55)),
    *(pytest.param(*case, marks=pytest.mark.slow) for case in [
        (Protocol(60), (40, 60), (32, 60)), (Protocol(240), (160, 240), (120, 240)),
        (Protocol(240, enlarge=False), (80, 120), (32, 60)), (Protocol(90, "lanczos", crop="image"), (60, 90), (32, 45)),
        (Protocol(90, "none"), (80, 120), (32, 60)), (CIRTORCH, (40, 60), (32, 32)),
        (dataclasses.replace(CIRTORCH, side=1024), (80, 120), (32, 60)),
        (dataclasses.replace(PUBLISHED["delg"], side=110), (73, 110), (32, 55))])])
def test_sizes_of_images_and_crops(photograph, protocol, image, crop):
    """The photograph is 120 x 80, the box 60 x 30; what is below 32 pixels is brought to that."""
    made, encoded = Signatures(Shape(protocol), {}), encode(photograph, "PNG")
    pixels = np.asarray(photograph, np.float32)[np.newaxis]
    found, mean = shape(made.serving_default, image_bytes=[encoded])
    assert found == shape(made.images, images=pixels)[0] == image
    assert mean == pytest.approx(shape(made.images, images=pixels)[1], abs=0.05)
    assert shape(made.crop, image_bytes=[encoded], box=BOX)[0] == crop
    assert shape(made.crop, image_bytes=[encoded], box=[[0.0, 0.0, 120.0, 80.0]]) == (found, mean)
    assert ("resized" in made.functions()) == protocol.crops_apart


def test_what_is_resized_stays(photograph):
    made = Signatures(Shape(Protocol(240, crop="image")), {})
    pixels = np.asarray(photograph, np.float32)[np.newaxis, :60]
    assert shape(made.resized, images=pixels)[0] == (60, 120)
    assert shape(made.images, images=pixels)[0] == (120, 240)
    assert made.resized(images=tf.zeros([0, 60, 90, 3]))["embedding"].shape == (0, 3)
    with pytest.raises(tf.errors.InvalidArgumentError, match="received 20 x 64 pixels"):
        made.resized(images=tf.zeros([1, 20, 64, 3]))


def test_corners_rounded_down(photograph):
    made = [Signatures(Shape(Protocol(240, "none", box_rounding=rounding)), {}) for rounding in ("nearest", "floor")]
    boxes = [shape(one.crop, image_bytes=[encode(photograph, "PNG")], box=[[0.6, 0.0, 60.9, 50.7]])[0] for one in made]
    assert boxes == [(51, 60), (50, 60)]


@pytest.mark.parametrize("protocol", [dataclasses.replace(PUBLISHED["cirtorch"], side=55), pytest.param(
    dataclasses.replace(PUBLISHED["delg"], side=55), marks=pytest.mark.slow)])
def test_pillows_rules_turn_an_image_before_they_resize_it(photograph, protocol):
    """Pillow's thumbnail treats tall and wide images unlike."""
    made = Signatures(Shape(protocol), {})
    for orientation in (3, 6):
        tagged = encode(photograph, "JPEG", exif=exif(orientation))
        turned = encode(ImageOps.exif_transpose(Image.open(io.BytesIO(tagged))), "PNG")
        assert shape(made.serving_default, image_bytes=[tagged]) == shape(made.serving_default, image_bytes=[turned])


PIXELS = np.arange(20 * 30 * 3, dtype=np.uint8).reshape(20, 30, 3)


@pytest.mark.parametrize("box", [(0, 0, 30, 20), (0.4, 0.5, 10.5, 11.5), (3.5, 2, 4.6, 3.1), (29, 19, 30, 20)])
def test_cuts_as_retrieval_does(box):
    found = crop_checked(tf.constant(PIXELS), tf.constant(box, tf.float32), tf.constant(0))
    np.testing.assert_array_equal(found, np.asarray(crop(Image.fromarray(PIXELS), box, "it")))


@pytest.mark.parametrize("box", [(0, 0, 31, 20), (0, 0, 30, 21), (-1, 0, 5, 5), (5, 5, 5, 9), (9, 5, 5, 9), (5, 9, 9, 5),
                                 (1.6, 1, 2.4, 9), (float("nan"), 0, 5, 5), (0, 0, float("inf"), 5)])
@pytest.mark.parametrize("compiled", [True, False])
def test_refuses_as_retrieval_does(box, compiled):
    call = tf.function(crop_checked) if compiled else crop_checked
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"x1 <= 30 .* y1 <= 20; received \[.*\] at position 7"):
        call(tf.constant(PIXELS), tf.constant(box, tf.float32), tf.constant(7))
    with pytest.raises(UserError):
        crop(Image.fromarray(PIXELS), box, "it")


def means(images):
    tf.debugging.assert_positive(tf.size(images))
    return {"mean": tf.reduce_mean(images, [1, 2])}


@pytest.mark.parametrize("size", [(0, 0), (40, 50)])
def test_no_images_no_rows(size):
    assert pad_empty_batch(means, tf.zeros([0, *size, 3]))["mean"].shape == (0, 3)


def test_images_go_through_unchanged():
    images = tf.random.stateless_uniform([2, 4, 5, 3], [0, 0])
    assert tf.reduce_all(pad_empty_batch(means, images)["mean"] == means(images)["mean"])


def test_keypoints_of_xfeat():
    network = build_xfeat()
    module = Signatures(Whitened(Network(network, 64), WhiteningMap(np.zeros(64, np.float32), np.eye(64, dtype=np.float32),
                                                                    "none", "nothing")), {})
    assert "keypoints" in module.functions()
    assert module.info()["local_even"].numpy()
    images = tf.constant(np.random.default_rng(0).integers(0, 256, (2, 64, 96, 3)), tf.float32)
    found, expected = module.keypoints(images, 7), detect(network(images), [64, 96], 7)
    assert found["keypoints"].shape[1] <= 7
    for name, values in expected.items():
        np.testing.assert_allclose(found[name], values, atol=1e-5)
    assert module.keypoints(tf.zeros([0, 40, 40, 3]), 7)["descriptors"].shape[0] == 0
    for arguments, message in (((images, 0), "a count of 1 or more; received 0"),
                               ((images[:, :20], 7), "32 pixels or more"), ((images * np.nan, 7), "NaN")):
        with pytest.raises(tf.errors.InvalidArgumentError, match=message):
            module.keypoints(*arguments)


def test_no_keypoints_of_other_networks(little_model):
    assert "keypoints" not in Signatures(Network(little_model, 64), {}).functions()
