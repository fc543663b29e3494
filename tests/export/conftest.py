"""Small exports, pictures, and the scripts of export/ without a new process for each."""

import subprocess
import sys

import cv2
import numpy as np
import pytest
import tensorflow as tf

from landmark_zoo.models import build_model
from landmark_zoo.serving.export import export_saved_model
from tests.run_script import run_script
from tests.serving.conftest import little


def paint(folder, count):
    """Writes `count` pictures of unlike widths."""
    for number in range(count):
        cells = np.random.default_rng(number).integers(0, 256, [5, 6, 3]).astype(np.uint8)
        cv2.imwrite(str(folder / f"{number}.jpg"), cv2.resize(cells, (60 + 9 * number, 64)))
    return folder


@pytest.fixture
def run_export(root):
    """Runs `python -m export.NAME --flag=value ...` in this process; gives `code`, `stdout` and `stderr`."""
    return lambda name, **values: run_script(f"export.{name}", **values)


@pytest.fixture(scope="session")
def members(root, tmp_path_factory):
    """Two exports of little networks, `a` and `b`: side 64, dimensions 6 and 5."""
    folder = tmp_path_factory.mktemp("members")
    return [export_saved_model(little(dimension, seed), folder / name, side=64, info={"training_data": f"set {name}"}).parent
            for seed, (name, dimension) in enumerate([("a", 6), ("b", 5)])]


@pytest.fixture(scope="session")
def photos(tmp_path_factory):
    """Ten pictures."""
    return paint(tmp_path_factory.mktemp("photos"), 10)


@pytest.fixture(scope="session")
def photo_folder(tmp_path_factory):
    """Six pictures and one that is none."""
    folder = paint(tmp_path_factory.mktemp("photos"), 6)
    (folder / "bad.jpg").write_bytes(b"no picture")
    return folder


@pytest.fixture(scope="session")
def small_export(tmp_path_factory):
    """MobileNet of width 0.25 at 64 pixels: `small/1`."""
    tf.keras.utils.set_random_seed(0)
    model = build_model("mobilenet", "se", alpha=0.25, embedding_dim=16)
    return export_saved_model(model, tmp_path_factory.mktemp("models") / "small", side=64, info={"git_commit": "abc"})


@pytest.fixture
def script(root):
    """Runs `python -m export.NAME --flag=value ...`."""
    def run(name, **values):
        arguments = [f"--{flag}={value}" for flag, value in values.items()]
        return subprocess.run([sys.executable, "-m", f"export.{name}", *arguments], cwd=root, capture_output=True,
                              text=True, check=False)
    return run
