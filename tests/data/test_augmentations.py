import numpy as np
import pytest

from landmark_zoo.core.errors import UserError
from landmark_zoo.data.augment import Augmentation, augment
from landmark_zoo.data.augmentations import AUGMENTATIONS
from landmark_zoo.data.decode import decode_image
from landmark_zoo.data.resize import resize_square


@pytest.fixture(scope="module")
def encoded(picture, encode):
    return encode(picture(120, 160, seed=3), quality=95)


def test_the_names():
    assert AUGMENTATIONS.list() == ["default", "delg", "glam", "none", "recognition"]
    assert AUGMENTATIONS["default"] == Augmentation()


@pytest.mark.parametrize("name", AUGMENTATIONS)
@pytest.mark.parametrize("size", [64, (32, 64)])
def test_each_gives_pictures_in_range_that_the_seed_decides(encoded, name, size):
    views = [augment(encoded, size, [seed, 0], AUGMENTATIONS[name]).numpy() for seed in (0, 0, 1)]
    assert views[0].shape == ((64, 64, 3) if size == 64 else (32, 64, 3))
    assert all(0 <= view.min() <= view.max() <= 255 for view in views)
    np.testing.assert_array_equal(views[0], views[1])
    assert np.array_equal(views[0], views[2]) == (name == "none")


def test_none_is_the_stretched_photograph(encoded):
    plain = resize_square(decode_image(encoded), 64)
    assert np.abs(augment(encoded, 64, [5, 5], AUGMENTATIONS["none"]) - plain).mean() < 2


def test_an_unknown_name_is_one_line():
    with pytest.raises(UserError, match=r"known augmentation; received 'recogniton'\. Use one of: recognition"):
        AUGMENTATIONS["recogniton"]
