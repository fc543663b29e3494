"""Sizes and pixels against Pillow, OpenCV and what the authors of published checkpoints compute, in numpy."""

import csv
import json
import math

import cv2
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from landmark_zoo.data.image_ops import resize_long_side
from landmark_zoo.data.protocol import PUBLISHED, Protocol, Scales
from landmark_zoo.data.resampling import axis_weights, fit_image, fit_images, fitted_size, resample, rescale

CIRTORCH, DELG, OWN = PUBLISHED["cirtorch"], PUBLISHED["delg"], Protocol(64)


def with_side(protocol, side):
    return Protocol(side, protocol.resize, protocol.enlarge, protocol.crop, protocol.box_rounding)


def sizes_of(protocol, sizes, whole):
    """fitted_size of all (width, height) at once, as (width, height)."""
    widths, heights = tf.constant(sizes, tf.int32)[:, 0], tf.constant(sizes, tf.int32)[:, 1]
    height, width = fitted_size(heights, widths, protocol, tf.constant(whole, tf.int32))
    return list(zip(width.numpy().tolist(), height.numpy().tolist(), strict=True))


def thumbnail(width, height, side):
    """Size that `PIL.Image.thumbnail` gives: cirtorch's, SOLAR's, HOW's and Token's rule."""
    image = Image.new("1", (width, height))
    image.thumbnail((side, side), Image.Resampling.NEAREST)
    return tuple(max(32, edge) for edge in image.size)


def delf(width, height, side):
    """Size that delf/python/utils.py gives for max_image_size = `side`."""
    factor = 1.0 if max(width, height) <= side else side / max(width, height)
    return tuple(max(32, round(edge * factor)) for edge in (width, height))


def random_sizes(count):
    return np.random.default_rng(0).integers(32, 2500, [count, 2]).tolist()


@pytest.mark.parametrize(("protocol", "rule"), [(CIRTORCH, thumbnail), (DELG, delf)])
def test_sizes_of_images_and_crops_are_the_authors(protocol, rule):
    sizes = random_sizes(300)
    assert sizes_of(protocol, sizes, [0] * 300) == [rule(*size, 1024) for size in sizes]
    wholes = [int(max(size) * (1 + number % 7 / 3)) for number, size in enumerate(sizes)]
    assert sizes_of(protocol, sizes, wholes) == [rule(*size, 1024 * (max(size) / whole))
                                                 for size, whole in zip(sizes, wholes, strict=True)]


LONGEST = 1024
"""Longer side of every image of Oxford5k and Paris6k, which the lists of sizes show."""


@pytest.mark.parametrize("name", ["oxford5k", "paris6k"])
def test_sizes_of_the_real_images_and_boxes_of_the_revisited_ground_truth(shared_data, name):
    folder = shared_data / "ground_truth"
    with open(folder / f"RRT_{name}_test_gallery.txt", encoding="utf-8") as file:
        images = {(int(row[-2]), int(row[-1])) for row in csv.reader(file)}
    assert {max(size) for size in images} == {LONGEST}
    truth = json.loads((folder / f"gnd_r{name}.json").read_text())["gnd"]
    corners = [[round(corner) for corner in entry["bbx"]] for entry in truth]
    boxes = [(x2 - x1, y2 - y1) for x1, y1, x2, y2 in corners]
    assert len(boxes) == 70
    for side in (1024, 724, 512, 362):
        for protocol, rule in ((with_side(CIRTORCH, side), thumbnail), (with_side(DELG, side), delf)):
            assert sizes_of(protocol, boxes, [LONGEST] * 70) == [
                rule(*box, side * max(box) / LONGEST) for box in boxes]
            assert sizes_of(protocol, sorted(images), [0] * len(images)) == [rule(*size, side)
                                                                             for size in sorted(images)]
    own = sizes_of(Protocol(512), boxes, [LONGEST] * 70)
    assert {max(size) for size in own} == {512}  # as every export so far: each crop enlarged to the model's side


def test_sizes_by_hand():
    for protocol, size, whole, expected in [
            (Protocol(100, enlarge=False), (80, 40), 0, (80, 40)), (Protocol(100, enlarge=False), (200, 90), 0, (100, 45)),
            (Protocol(100, crop="image"), (80, 40), 160, (50, 32)), (Protocol(100, crop="image"), (80, 60), 80, (100, 75)),
            (Protocol(100), (80, 40), 160, (100, 50)), (Protocol(100, "none"), (999, 40), 0, (999, 40)),
            (Protocol(100, "lanczos"), (50, 40), 0, (100, 80)),
            (Protocol(64, "lanczos", crop="image"), (50, 50), 640, (32, 32))]:
        assert sizes_of(protocol, [size], [whole]) == [expected]


def photograph(height, width, seed=0):
    """An image with edges and fine texture, uint8."""
    random = np.random.default_rng(seed)
    cells = cv2.resize(random.integers(0, 256, [9, 12, 3], np.uint8), (width, height), interpolation=cv2.INTER_NEAREST)
    fine = random.normal(0, 25, [height, width, 3])
    return np.clip(cv2.GaussianBlur(cells + fine, (0, 0), 0.8), 0, 255).astype(np.uint8)


@pytest.mark.parametrize(("rule", "kind"), [("lanczos", "LANCZOS"), ("pil_bilinear", "BILINEAR")])
@pytest.mark.parametrize(("size", "side"), [((330, 250), 181), ((150, 390), 128), ((60, 80), 130)])
def test_pillows_pixels(rule, kind, size, side):
    """Pillow's weights have 22 bits, and decide otherwise where a level lies half way: often in what "bilinear" enlarges."""
    image = photograph(*size)
    for found in (fit_image(tf.constant(image), Protocol(side, rule)),
                  fit_images(tf.constant(image[np.newaxis], tf.float32), Protocol(side, rule))[0]):
        expected = Image.fromarray(image).resize(found.shape[1::-1], Image.Resampling[kind])
        difference = np.abs(found - np.asarray(expected, np.float32))
        assert difference.max() <= 1
        assert difference.mean() < (0.04 if rule == "pil_bilinear" and max(size) < side else 2e-3)


def test_pillows_thumbnail_of_a_jpeg_that_is_decoded_whole():
    """Below four times the size; above, Pillow 7 and later averages blocks of pixels first."""
    image = Image.fromarray(photograph(330, 250))
    shrunk = image.copy()
    shrunk.thumbnail((128, 128), Image.Resampling.LANCZOS)
    found = fit_image(tf.constant(np.asarray(image)), Protocol(128, "lanczos", enlarge=False)).numpy()
    assert np.abs(found - np.asarray(shrunk, np.float32)).mean() < 2e-3
    large = Image.fromarray(photograph(660, 500))
    found = fit_image(tf.constant(np.asarray(large)), Protocol(64, "lanczos", enlarge=False)).numpy()
    large.thumbnail((64, 64), Image.Resampling.LANCZOS)
    assert found.shape == np.asarray(large).shape
    assert 0.01 < np.abs(found - np.asarray(large, np.float32)).mean() < 1


@pytest.mark.parametrize("size", [(60, 90), (41, 37), (33, 200), (64, 40)])
def test_the_projects_own_is_the_resize_of_the_records(size):
    images = np.random.default_rng(0).integers(0, 256, (2, *size, 3)).astype(np.float32)
    expected = np.stack([resize_long_side(image, 64) for image in images])
    np.testing.assert_array_equal(np.stack([fit_image(tf.constant(image), OWN) for image in images]), expected)
    np.testing.assert_allclose(fit_images(tf.constant(images), OWN), expected, atol=0.01)


@pytest.mark.parametrize("protocol", [OWN, Protocol(64, "lanczos", enlarge=False), Protocol(80, enlarge=False),
                                      Protocol(40, "none")])
def test_images_of_their_size_and_no_images_stay(protocol):
    images = tf.constant(np.random.default_rng(0).uniform(0, 255, (2, 64, 50, 3)), tf.float32)
    np.testing.assert_array_equal(fit_images(images, protocol), images)
    np.testing.assert_array_equal(fit_image(images[0], protocol), images[0])
    assert fit_images(tf.zeros([0, 9, 5, 3]), protocol).shape == (0, 9, 5, 3)


@pytest.mark.parametrize("rule", ["bilinear", "pil_bilinear", "lanczos", "none"])
def test_no_crop_becomes_smaller_than_32_pixels(rule):
    protocol = Protocol(128, rule, enlarge=False, crop="image")
    image = tf.constant(photograph(20, 70))
    assert fit_image(image, protocol, 1000).shape == (32, 70 if rule == "none" else 32, 3)


@pytest.mark.parametrize("rule", ["bilinear", "pil_bilinear", "lanczos"])
def test_a_crop_at_the_images_scale_is_the_region_of_the_resized_image(rule):
    """But for the edge of the box, beyond which the crop has no pixels."""
    image, protocol = photograph(160, 240), Protocol(120, rule, crop="image")
    whole = fit_image(tf.constant(image), protocol)
    crop = fit_image(tf.constant(image[20:140, 40:200]), protocol, 240)
    assert crop.shape == (60, 80, 3)
    np.testing.assert_allclose(crop[3:-3, 3:-3], whole[13:67, 23:97], atol=1 if rule != "bilinear" else 1e-3)
    enlarged = fit_image(tf.constant(image[20:140, 40:200]), Protocol(120, rule), 240)
    assert enlarged.shape == (90, 120, 3)


def test_graphs_with_unknown_sizes():
    protocol = Protocol(48, "lanczos", crop="image")
    call = tf.function(lambda image, whole: fit_image(image, protocol, whole),
                       input_signature=[tf.TensorSpec([None, None, 3], tf.uint8), tf.TensorSpec([], tf.int32)])
    image = photograph(70, 50)
    for whole in (0, 90):
        np.testing.assert_array_equal(call(image, whole), fit_image(image, protocol, whole))


def interpolated(row, target, ratio):
    """One axis of torch's `interpolate(mode="bilinear", align_corners=False)`."""
    found = np.zeros(target)
    for place in range(target):
        source = max(0.0, (place + 0.5) * ratio - 0.5)
        low = math.floor(source)
        high = min(low + 1, len(row) - 1)
        found[place] = row[low] + (source - low) * (row[high] - row[low])
    return found


@pytest.mark.parametrize(("size", "scale"), [(97, 2 ** -0.5), (97, 2 ** 0.5), (64, 0.5), (33, 1.9)])
def test_linear_is_torchs_interpolate(size, scale):
    row = np.random.default_rng(0).uniform(0, 255, size).astype(np.float32)
    target = math.floor(size * scale)
    for ratio in (None, 1 / scale):
        found = tf.linalg.matvec(axis_weights(size, target, "linear", ratio), row)
        np.testing.assert_allclose(found, interpolated(row, target, ratio or size / target), atol=2e-3)


@pytest.mark.parametrize(("scale", "kernel", "flag"), [
    (0.7071, "area", cv2.INTER_AREA), (0.5, "area", cv2.INTER_AREA), (1.4142, "linear", cv2.INTER_LINEAR),
    (0.7071, "linear", cv2.INTER_LINEAR), (1.4142, "plain_cubic", cv2.INTER_CUBIC), (0.5, "plain_cubic", cv2.INTER_CUBIC)])
def test_area_linear_and_cubic_are_opencvs(scale, kernel, flag):
    """To the last digit on floats; on bytes OpenCV rounds linear and cubic on its way, by .12 gray levels in the mean."""
    image = photograph(97, 131)
    expected = cv2.resize(image, dsize=(0, 0), fx=scale, fy=scale, interpolation=flag)
    ratios = (1 / scale, 1 / scale)
    found = resample(tf.constant(image[np.newaxis], tf.float32), *expected.shape[:2], kernel, "whole", ratios)[0]
    difference = np.abs(found - expected.astype(np.float32))
    assert difference.max() <= 1
    assert difference.mean() < (0.02 if kernel == "area" else 0.2)
    floats = cv2.resize(image.astype(np.float32), dsize=(0, 0), fx=scale, fy=scale, interpolation=flag)
    found = resample(tf.constant(image[np.newaxis], tf.float32), *expected.shape[:2], kernel, "any", ratios)[0]
    np.testing.assert_allclose(found, floats, atol=2e-3)


def test_weights_by_hand():
    np.testing.assert_allclose(axis_weights(3, 2, "area"), [[2 / 3, 1 / 3, 0], [0, 1 / 3, 2 / 3]], atol=1e-6)
    np.testing.assert_allclose(axis_weights(2, 4, "linear"), [[1, 0], [0.75, 0.25], [0.25, 0.75], [0, 1]], atol=1e-6)
    np.testing.assert_allclose(axis_weights(4, 2, "triangle"), [[3, 3, 1, 0], [0, 1, 3, 3]] / np.array(7), atol=1e-6)
    np.testing.assert_allclose(axis_weights(4, 2, "cubic", 1.0), np.eye(4)[:2], atol=1e-6)
    np.testing.assert_allclose(axis_weights(4, 1, "plain_cubic", 4.0), [[-3, 19, 19, -3]] / np.array(32), atol=1e-6)
    np.testing.assert_allclose(axis_weights(2, 1, "plain_cubic", 2.0), [[0.5, 0.5]], atol=1e-6)  # the edges repeated
    for kernel in ("triangle", "lanczos", "linear", "area", "cubic", "plain_cubic"):
        np.testing.assert_allclose(tf.reduce_sum(axis_weights(37, 11, kernel), 1), 1, atol=1e-6)


@pytest.mark.parametrize("known", [True, False])
@pytest.mark.parametrize(("factor", "size"), [(0.7071, (35, 71)), (1.4142, (71, 141)), (0.1, (32, 32)), (1, (50, 100))])
def test_sizes(known, factor, size):
    images = tf.random.stateless_uniform([2, 50, 100, 3], [0, 0])
    call = tf.function(lambda x: rescale(x, factor), [tf.TensorSpec([2, 50, 100, 3] if known else [None, None, None, 3])])
    assert call(images).shape == (2, *size, 3)
    assert call.get_concrete_function().structured_outputs.shape.is_fully_defined() == known


TORCH, OPENCV = Scales(resize="linear", rounding="floor"), Scales(resize="area", rounding="even", ratio="factor")


@pytest.mark.parametrize("known", [True, False])
@pytest.mark.parametrize(("rule", "factor", "size"), [
    (TORCH, 2 ** 0.5, (70, 141)), (TORCH, 0.5, (32, 50)), (TORCH, 2 ** -0.5, (35, 70)),
    (OPENCV, 0.7071, (35, 71)), (OPENCV, 1.25, (62, 125)), (OPENCV, 1.27, (64, 127)), (OPENCV, 0.1, (32, 32)),
    (Scales(rounding="even"), 0.65, (32, 65)), (Scales(ratio="factor"), 0.9, (45, 90))])
def test_sizes_of_other_rules(known, rule, factor, size):
    """Rounded halves are 62.5, to the even 62; 2 ** -0.5 times 100 is 70.7, rounded down."""
    images = tf.random.stateless_uniform([2, 50, 100, 3], [0, 0], maxval=255.0)
    call = tf.function(lambda x: rescale(x, factor, rule),
                       [tf.TensorSpec([2, 50, 100, 3] if known else [None, None, None, 3])])
    assert call(images).shape == (2, *size, 3)
    np.testing.assert_allclose(call(images), rescale(images, factor, rule), atol=1e-3)


def test_a_size_just_below_a_whole_number_is_rounded_down():
    """In 32 bits, 100 times this factor would be 70."""
    factor = np.nextafter(0.7, 0)
    unknown = tf.function(lambda x: rescale(x, factor, TORCH), [tf.TensorSpec([None, None, None, 3])])
    assert unknown(tf.zeros([1, 100, 100, 3])).shape[1] == int(np.floor(100 * factor))


def test_pixels_are_those_of_the_kernel():
    """The resampling itself is tested against torch's and OpenCV's; here, which of them a rule takes."""
    images = tf.constant(np.random.default_rng(0).integers(0, 256, [1, 64, 80, 3]), tf.float32)
    np.testing.assert_allclose(rescale(images, 0.5, TORCH), resample(images, 32, 40, "linear"), atol=1e-3)
    np.testing.assert_allclose(rescale(images, 0.7071, OPENCV),
                               resample(images, 45, 57, "area", "whole", (1 / 0.7071, 1 / 0.7071)), atol=1e-3)
    np.testing.assert_allclose(rescale(images, 1.25, OPENCV),
                               resample(images, 80, 100, "linear", "whole", (0.8, 0.8)), atol=1e-3)
    np.testing.assert_allclose(rescale(images, 0.75, Scales(ratio="factor")), rescale(images, 0.75), atol=0.01)
    assert np.abs(rescale(images, 0.75, TORCH) - rescale(images, 0.75)).max() > 5  # antialiasing shows
