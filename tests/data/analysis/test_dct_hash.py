import io

import numpy as np
import pytest
from PIL import Image, ImageEnhance

from landmark_zoo.data.analysis.dct_hash import dct_hash


def bits(one, other):
    return (int(dct_hash(np.asarray(one))) ^ int(dct_hash(np.asarray(other)))).bit_count()


def scene(seed):
    coarse = np.random.default_rng(seed).integers(20, 236, (9, 12, 3), dtype=np.uint8)
    return Image.fromarray(coarse).resize((256, 192), Image.Resampling.BICUBIC)


def test_a_copy_that_was_shrunk_darkened_or_saved_badly_stays_near(encode):
    original = scene(3)
    assert bits(original, original.resize((128, 96))) <= 4
    assert bits(original, ImageEnhance.Brightness(original).enhance(0.8)) <= 4
    assert bits(original, Image.open(io.BytesIO(encode(original, quality=25)))) <= 6


def test_other_pictures_are_far():
    assert min(bits(scene(1), scene(seed)) for seed in range(2, 12)) > 12


def test_a_black_picture_has_a_hash():
    assert dct_hash(np.zeros((40, 50, 3), np.uint8)) == 0


def test_goes_with_the_hash_of_imagehash():
    imagehash = pytest.importorskip("imagehash")
    ours = [dct_hash(np.asarray(scene(seed))) for seed in range(6)]
    theirs = [imagehash.phash(scene(seed)).hash for seed in range(6)]
    for mine, other in zip(ours, theirs, strict=True):
        agreed = np.unpackbits(np.array([mine], ">u8").view(np.uint8)) == other.ravel()
        assert agreed[1:].sum() >= 50, "the same frequencies; another resize and another median"
