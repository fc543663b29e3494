import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from landmark_zoo.data.augment import Augmentation, augment, change_light, random_window
from landmark_zoo.data.decode import decode_image
from landmark_zoo.data.resize import resize_square

NOTHING = Augmentation(area=(1.0, 1.0), aspect=(0.01, 100.0), flip=False, brightness=0.0, contrast=0.0)


@pytest.fixture(scope="module")
def encoded(picture, encode):
    return encode(picture(120, 160, seed=3), quality=95)


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


def test_nothing_to_change_is_the_resized_photograph(encoded):
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
def test_windows_lie_in_the_picture_and_in_the_ranges(height, width, seed, least):
    ranges = Augmentation(area=(least, 1.0))
    top, left, h, w = random_window(tf.constant([height, width, 3]), tf.constant([seed, 0]), ranges).numpy()
    assert 0 <= top <= top + h <= height
    assert 0 <= left <= left + w <= width
    if (h, w) != (height, width):
        slack = (h + w + 1) / (height * width)
        assert least - slack <= h * w / (height * width) <= 1
        assert (w - 1) / (h + 1) <= 4 / 3
        assert (w + 1) / (h - 1) >= 3 / 4


def test_windows_wander_over_the_whole_picture():
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


@pytest.mark.parametrize("options", [
    {"area": (0.0, 1.0)}, {"area": (0.5, 1.1)}, {"area": (0.9, 0.5)}, {"aspect": (2, 1)}, {"brightness": -0.1},
    {"contrast": 1.1}])
def test_impossible_ranges_are_refused(options):
    with pytest.raises(ValueError, match="received"):
        Augmentation(**options)
