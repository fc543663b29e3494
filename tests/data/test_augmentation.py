import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from landmark_zoo.core.errors import UserError
from landmark_zoo.data.augmentation import (
    AUGMENTATIONS,
    VIEWS,
    Augmentation,
    augment,
    change_light,
    decode_window,
    random_window,
)
from landmark_zoo.data.image_ops import decode_image, resize, resize_square

NOTHING = Augmentation(area=(1.0, 1.0), aspect=(0.01, 100.0), flip=False, brightness=0.0, contrast=0.0)


@pytest.fixture(scope="module")
def encoded(make_image, encode):
    return encode(make_image(120, 160, seed=3), quality=95)


def test_a_pure_function_of_bytes_and_seed(encoded):
    first = augment(encoded, 48, [1, 2], Augmentation())
    tf.random.set_seed(7)
    second = augment(encoded, 48, [1, 2], Augmentation())
    np.testing.assert_array_equal(first, second)
    assert first.shape == (48, 48, 3)
    assert first.dtype == tf.float32


def test_a_data_set_gives_the_same_as_eager(encoded):
    dataset = tf.data.Dataset.range(8).map(lambda number: augment(encoded, 48, tf.stack([number, 5]), Augmentation()),
                                           num_parallel_calls=2)
    for number, image in enumerate(dataset):
        np.testing.assert_allclose(image, augment(encoded, 48, [number, 5], Augmentation()), atol=1e-3)


def test_other_seeds_give_other_views(encoded):
    views = [augment(encoded, 48, [seed, 0], Augmentation()).numpy() for seed in range(6)]
    assert all(np.abs(a - b).mean() > 1 for i, a in enumerate(views) for b in views[:i])


def test_values_stay_in_range(encoded):
    wild = Augmentation(brightness=1.0, contrast=1.0)
    for seed in range(20):
        view = augment(encoded, 32, [seed, 0], wild).numpy()
        assert view.min() >= 0
        assert view.max() <= 255


def test_nothing_to_change_is_the_resized_image(encoded):
    expected = resize_square(decode_image(tf.constant(encoded)), 64)
    assert np.abs(augment(encoded, 64, [0, 0], NOTHING) - expected).mean() < 2


def test_half_of_the_views_are_mirrored(encoded):
    plain = augment(encoded, 48, [0, 0], NOTHING).numpy()
    flipping = Augmentation(**{**vars(NOTHING), "flip": True})
    views = [augment(encoded, 48, [seed, 0], flipping).numpy() for seed in range(60)]
    mirrored = [np.allclose(view, plain[:, ::-1]) for view in views]
    assert all(np.allclose(view, plain) or flipped for view, flipped in zip(views, mirrored, strict=True))
    assert 15 <= sum(mirrored) <= 45


@settings(max_examples=60)
@given(height=st.integers(32, 600), width=st.integers(32, 600), seed=st.integers(0, 2**31 - 1),
       least=st.floats(0.1, 0.9))
def test_windows_lie_in_the_image_and_in_the_ranges(height, width, seed, least):
    ranges = Augmentation(area=(least, 1.0))
    top, left, h, w = random_window(tf.constant([height, width, 3]), tf.constant([seed, 0]), ranges).numpy()
    assert 0 <= top <= top + h <= height
    assert 0 <= left <= left + w <= width
    if (h, w) != (height, width):
        slack = (h + w + 1) / (height * width)
        assert least - slack <= h * w / (height * width) <= 1
        assert (w - 1) / (h + 1) <= 4 / 3
        assert (w + 1) / (h - 1) >= 3 / 4


def test_windows_wander_over_the_whole_image():
    windows = np.array([random_window(tf.constant([200, 300, 3]), tf.constant([seed, 1]), Augmentation())
                        for seed in range(200)])
    assert windows[:, :2].min() == 0
    assert (windows[:, 0] + windows[:, 2]).max() == 200
    assert (windows[:, 1] + windows[:, 3]).max() > 290
    assert 0.45 < (windows[:, 2] * windows[:, 3]).mean() / 60_000 < 0.9


def test_light_by_hand():
    image = tf.constant([[[0.0], [100.0]]])
    np.testing.assert_allclose(change_light(image, 10.0, 0.5), [[[35.0], [85.0]]])
    np.testing.assert_allclose(change_light(image, 200.0, 1.0), [[[200.0], [255.0]]])


@pytest.fixture(scope="module")
def gradient(encode):
    """120 x 160 pixels of (row, column, 0), so that a view tells where each of its pixels comes from."""
    rows, columns = np.indices((120, 160))
    return encode(Image.fromarray(np.stack([rows, columns, 0 * rows], -1).astype(np.uint8)), quality=100)


@pytest.mark.parametrize(("window", "size", "denominator"), [
    ((64, 64), (32, 32), 2), ((63, 64), (32, 32), 1), ((64, 63), (32, 32), 1), ((127, 300), (32, 32), 2),
    ((128, 128), (32, 32), 4), ((256, 256), (32, 32), 8), ((300, 300), (5, 5), 8), ((64, 300), (32, 96), 2),
    ((64, 300), (64, 64), 1), ((20, 20), (32, 32), 1)])
def test_no_more_pixels_are_decoded_than_the_result_needs(encode, monkeypatch, window, size, denominator):
    decode, decoded = tf.io.decode_and_crop_jpeg, []

    def noted(encoded, window, **options):
        pixels = decode(encoded, window, **options)
        decoded.append((options["ratio"], *pixels.shape[:2]))
        return pixels
    monkeypatch.setattr("landmark_zoo.data.augmentation.tf.io.decode_and_crop_jpeg", noted)
    view = decode_window(encode(Image.new("RGB", (301, 303), "white")), tf.constant([1, 0, *window]), *size)
    np.testing.assert_allclose(view, np.full((*size, 3), 255.0), atol=1e-3)
    (ratio, *sides), = decoded
    assert ratio == denominator
    assert all(-(-need // ratio) <= side <= -(-need // ratio) + 1 for side, need in zip(sides, window, strict=True))


@pytest.mark.parametrize("begin", [(3, 5), (7, 1), (8, 4)])
@pytest.mark.parametrize("side", [500, 250, 120, 60])
def test_a_window_decoded_small_lies_where_it_was_drawn(encode, begin, side):
    """Gray levels are half the row or column, and 1/4 less on average; pixel i of s of a window of w has its middle at
    begin + (i + 1/2) w / s."""
    places = np.indices((509, 507))
    for axis, (first, length) in enumerate(zip(begin, (500, 498), strict=True)):
        encoded = encode(Image.fromarray((places[axis] // 2).astype(np.uint8)).convert("RGB"), quality=100)
        there, origin = (decode_window(encoded, tf.constant([*corner, 500, 498]), side, side).numpy()[2:-2, 2:-2, 0]
                         for corner in (begin, (0, 0)))
        expected = (first + (np.arange(2, side - 2) + 0.5) * length / side - 1) / 2
        np.testing.assert_allclose(there.mean(axis=1 - axis), expected, atol=1.5)
        np.testing.assert_allclose((there - origin).mean(), first / 2, atol=0.15)


def test_a_window_decoded_small_is_within_a_few_gray_levels_of_the_whole(make_image, encode):
    encoded, means = encode(make_image(400, 480, seed=3), quality=95), []
    for seed in range(12):
        window = random_window(tf.constant([400, 480, 3]), [seed, 0], Augmentation())
        whole = tf.io.decode_and_crop_jpeg(encoded, window, dct_method="INTEGER_FAST", fancy_upscaling=False)
        means.append(np.abs(decode_window(encoded, window, 100, 100) - resize(whole, 100, 100)).mean())
    assert 0.05 < max(means) < 4
    np.testing.assert_array_equal(decode_window(encoded, window, 300, 290), resize(whole, 300, 290))


def changed(**options):
    return Augmentation(**{**vars(NOTHING), **options})


def test_a_whole_area_is_the_whole_image_whatever_its_aspect(encoded):
    whole = augment(encoded, 64, [0, 0], changed(aspect=(1.0, 1.0)))
    np.testing.assert_array_equal(whole, augment(encoded, 64, [0, 0], NOTHING))


@pytest.mark.parametrize("size", [(32, 64), (64, 32), (48, 48)])
def test_rectangles_eagerly_and_in_a_data_set(encoded, size):
    eager = augment(encoded, size, [1, 2], Augmentation())
    assert eager.shape == (*size, 3)
    sizes = tf.data.Dataset.from_tensors(tf.constant(size))
    mapped = next(iter(sizes.map(lambda s: augment(encoded, (s[0], s[1]), tf.constant([1, 2]), Augmentation()))))
    np.testing.assert_allclose(mapped, eager, atol=1e-3)


def test_a_square_rectangle_is_the_square(encoded):
    np.testing.assert_allclose(augment(encoded, (48, 48), [1, 2], Augmentation()),
                               augment(encoded, 48, [1, 2], Augmentation()), atol=1e-3)


@pytest.mark.parametrize("size", [(32, 96), (96, 32)])
def test_cuts_for_rectangles_have_nearly_their_aspect(gradient, size):
    for seed in range(20):
        view = augment(gradient, size, [seed, 0], changed(area=(0.2, 0.3), aspect=(0.9, 1.1))).numpy()
        down, across = view[-1, :, 0].mean() - view[0, :, 0].mean(), view[:, -1, 1].mean() - view[:, 0, 1].mean()
        assert 0.75 < across / down / (size[1] / size[0]) < 1.35


def test_a_crop_of_fixed_size_keeps_scale_and_wanders(gradient):
    views = [augment(gradient, 105, [seed, 0], changed(oversize=120 / 105)).numpy() for seed in range(80)]
    corners = np.array([view[0, 0, :2] for view in views])
    for view in views:
        assert view.shape == (105, 105, 3)
        np.testing.assert_allclose(view[-1, -1, :2] - view[0, 0, :2], 104, atol=4)
    assert corners[:, 0].max() <= 17
    assert corners[:, 1].max() <= 57
    assert corners[:, 0].min() < 3 < 12 < corners[:, 0].max()
    assert corners[:, 1].min() < 8 < 46 < corners[:, 1].max()


def test_turns_go_to_both_sides_within_the_range(gradient):
    angles = []
    for seed in range(60):
        view = augment(gradient, 105, [seed, 0], changed(oversize=120 / 105, rotation=30)).numpy()
        middle = view[42:63, 42:63, :2]
        across, down = middle[:, -1].mean(0) - middle[:, 0].mean(0)
        angles.append(np.degrees(np.arctan2(across, down)))
    assert max(np.abs(angles)) < 31
    assert min(angles) < -20
    assert max(angles) > 20


def test_zoom_cuts_and_pads(gradient):
    views = [augment(gradient, (120, 160), [seed, 0], changed(zoom=0.2)).numpy() for seed in range(60)]
    down = [np.ptp(view[24:97:72, 70:90, 0].mean(axis=1)) / 72 for view in views]
    across = [np.ptp(view[50:70, 40:121:80, 1].mean(axis=0)) / 80 for view in views]
    steps = np.stack([down, across], axis=1)
    assert 0.75 < steps.min() < 0.87
    assert 1.13 < steps.max() < 1.25
    assert np.abs(steps[:, 0] - steps[:, 1]).max() > 0.1
    black_rows = np.array([(view[:, 60:100, 1] < 10).all(axis=1).sum() for view in views])
    np.testing.assert_allclose(black_rows, np.maximum(0, 120 * (1 - 1 / steps[:, 0])), atol=3)


def test_illumination_is_one_factor(encoded):
    plain = augment(encoded, 48, [0, 0], NOTHING).numpy()
    factors = []
    for seed in range(40):
        lit = augment(encoded, 48, [seed, 0], changed(illumination=0.25)).numpy()
        dark = (plain > 20) & (plain < 200)
        assert np.ptp(lit[dark] / plain[dark]) < 1e-3
        factors.append((lit[dark] / plain[dark]).mean())
    assert 0.75 <= min(factors) < 0.82
    assert 1.18 < max(factors) <= 1.25


@pytest.mark.parametrize("options", [
    {"area": (0.0, 1.0)}, {"area": (0.5, 1.1)}, {"area": (0.9, 0.5)}, {"aspect": (2, 1)}, {"brightness": -0.1},
    {"contrast": 1.1}, {"illumination": 2.0}, {"rotation": -1}, {"zoom": 1.0}, {"oversize": 0.5}])
def test_impossible_ranges_are_refused(options):
    with pytest.raises(ValueError, match="received"):
        Augmentation(**options)


def test_the_names():
    assert AUGMENTATIONS.list() == ["default", "delg", "glam", "none", "recognition"]
    assert AUGMENTATIONS["default"] == Augmentation()


@pytest.mark.parametrize("name", AUGMENTATIONS)
@pytest.mark.parametrize("size", [64, (32, 64)])
def test_each_gives_images_in_range_that_the_seed_decides(encoded, name, size):
    views = [augment(encoded, size, [seed, 0], AUGMENTATIONS[name]).numpy() for seed in (0, 0, 1)]
    assert views[0].shape == ((64, 64, 3) if size == 64 else (32, 64, 3))
    assert all(0 <= view.min() <= view.max() <= 255 for view in views)
    np.testing.assert_array_equal(views[0], views[1])
    assert np.array_equal(views[0], views[2]) == (name == "none")


def test_none_is_the_stretched_image(encoded):
    plain = resize_square(decode_image(encoded), 64)
    assert np.abs(augment(encoded, 64, [5, 5], AUGMENTATIONS["none"]) - plain).mean() < 2


def test_an_unknown_name_is_one_line():
    with pytest.raises(UserError, match=r"known augmentation; received 'recogniton'\. Use one of: recognition"):
        AUGMENTATIONS["recogniton"]


@pytest.fixture(scope="module")
def image(make_image):
    return tf.constant(np.asarray(make_image(96, 150, seed=1)))


def test_stretch_is_the_whole_image(image):
    np.testing.assert_array_equal(VIEWS["stretch"](image, 56, 0), resize_square(image, 56))


def test_center_crop_at_224_is_that_of_256(image):
    crop = VIEWS["centre_crop"](image, 224, 0)
    assert crop.shape == (224, 224, 3)
    np.testing.assert_array_equal(crop, resize(image, 256, 400)[16:240, 88:312])


def test_center_crop_scales_with_the_side(image):
    np.testing.assert_array_equal(VIEWS["centre_crop"](image, 56, 0), resize(image, 64, 100)[4:60, 22:78])


def test_rotation_depends_on_the_number_alone(image):
    turn = VIEWS["centre_crop_rotated"]
    views = [turn(image, 56, number).numpy() for number in (3, 3, 4, 5)]
    np.testing.assert_array_equal(views[0], views[1])
    assert np.abs(views[0] - views[2]).mean() > 1
    assert np.abs(views[2] - views[3]).mean() > 1


def test_rotation_is_about_the_middle_of_the_crop(image):
    plain = VIEWS["centre_crop"](image, 57, 0).numpy()[28, 28]
    for number in range(5):
        np.testing.assert_allclose(VIEWS["centre_crop_rotated"](image, 57, number)[28, 28], plain, atol=6)


@pytest.mark.parametrize("view", VIEWS)
def test_shapes_are_static_in_a_data_set(image, view):
    dataset = tf.data.Dataset.range(2).map(lambda number: VIEWS[view](image, 64, number))
    assert dataset.element_spec == tf.TensorSpec([64, 64, 3], tf.float32)
    for number, result in enumerate(dataset):
        np.testing.assert_allclose(result, VIEWS[view](image, 64, number), atol=1e-3)
