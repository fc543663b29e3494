"""Small sets: what is drawn, and the whole way on noise."""

import numpy as np
import pytest
from PIL import Image

from experiments.benchmarks import small_sets
from experiments.benchmarks.small_sets import SETS, SmallSet, cut, measure_small_sets
from landmark_zoo.core.errors import UserError
from landmark_zoo.data.datasets.image_list import ImageEntry, ImageList
from landmark_zoo.data.datasets.registry import read_images

IMAGES = ImageList([ImageEntry(f"{landmark}-{number}", f"{landmark}/{number}.jpg", f"landmark {landmark}")
                    for landmark in range(20) for number in range(50)], source="test")


@pytest.mark.parametrize("small", [SmallSet(3, 60), SmallSet(10, 8), SmallSet(15, 30, noise=0.2)])
def test_set_and_test_images_share_no_landmark(small):
    chosen, test = cut(IMAGES, small, seed=1)
    assert set(chosen.landmark_counts).isdisjoint(test.landmark_counts)
    assert len(chosen.landmark_counts) == small.landmarks
    assert len(test.landmark_counts) == 20 - small.landmarks
    assert set(test.landmark_counts.values()) == {40}
    assert len(chosen) == small.landmarks * min(small.images, 50)
    wrong = sum(entry.landmark_id != f"landmark {entry.id.split('-')[0]}" for entry in chosen)
    assert 0.75 * small.noise * len(chosen) <= wrong <= small.noise * len(chosen)


def test_draws_depend_on_the_seed_and_the_set_alone():
    first, again, other = (cut(IMAGES, SETS[0], seed)[0] for seed in (0, 0, 1))
    assert first == again != other


def test_names_and_sizes():
    assert (SmallSet(10, 20).name, SmallSet(15, 30, 0.2).name) == ("10x20", "15x30-noise0.2")
    assert len({small.name for small in SETS}) == len(SETS) >= 12


def test_too_few_landmarks():
    with pytest.raises(UserError, match="21 landmarks with two images or more for the set 16x8; received 20"):
        cut(IMAGES, SmallSet(16, 8), seed=0)


def test_unknown_set(tmp_path):
    with pytest.raises(UserError, match=r"--sets among 3x60, .*; received 7x7"):
        measure_small_sets(IMAGES, ["7x7"], 1, [], tmp_path)


@pytest.mark.slow
def test_whole_way(tmp_path, monkeypatch):
    random = np.random.default_rng(0)
    for landmark in range(18):
        (tmp_path / "photos" / str(landmark)).mkdir(parents=True)
        for number in range(12):
            pixels = random.integers(0, 256, [48, 64, 3], np.uint8)
            Image.fromarray(pixels).save(tmp_path / "photos" / str(landmark) / f"{number}.jpg")
    images = read_images("folder", [tmp_path / "photos"])
    monkeypatch.setattr(small_sets, "SETS", (SmallSet(3, 12), SmallSet(12, 12)))
    flags = ["--model=resnet18_gem", "--alpha=0.125", "--embedding_dim=16", "--nofreeze_batchnorm", "--image_size=32",
             "--epochs=1", "--initial_embedding=pca"]
    table = measure_small_sets(images, [], 1, flags, tmp_path / "out").splitlines()
    few, many = ((tmp_path / "out" / f"{name}-seed0" / "training" / "initial").exists() for name in ("3x12", "12x12"))
    assert (few, many, len(table)) == (True, True, 3)
    assert table[1].split()[2:4] == ["0", "0"]
    assert table[2].split()[2] == "2"
    assert int(table[2].split()[3]) > 0
    rows = (tmp_path / "out" / "small_sets.csv").read_text()
    assert measure_small_sets(images, [], 1, ["--model=no such"], tmp_path / "out").splitlines() == table
    assert (tmp_path / "out" / "small_sets.csv").read_text() == rows
