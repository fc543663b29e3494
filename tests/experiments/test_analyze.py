"""`python -m experiments.analyze`, as a user starts it."""

import csv
import functools
import shutil

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from landmark_zoo.core.files import write_csv
from landmark_zoo.data.datasets.folder import read_folder
from landmark_zoo.data.writer import write_records
from tests.run_script import run_script
from tests.tiny_saved_model import write_tiny_saved_model


@pytest.fixture(scope="module")
def savedmodel(root, tmp_path_factory):
    write = write_tiny_saved_model
    return write(tmp_path_factory.mktemp("models") / "tiny" / "1").parent


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    """Reddish photographs of one landmark, bluish of another; `blue/odd.jpg` is reddish, `red/bad.jpg` no picture."""
    folder = tmp_path_factory.mktemp("data") / "photos"
    random = np.random.default_rng(0)
    for number in range(12):
        name, low = ("red", (150, 20, 20)) if number % 2 else ("blue", (20, 20, 150))
        coarse = random.integers(low, np.add(low, 90), (6, 8, 3)).astype(np.uint8)
        (folder / name).mkdir(parents=True, exist_ok=True)
        Image.fromarray(coarse).resize((64, 48), Image.Resampling.BICUBIC).save(folder / name / f"p{number}.jpg")
    coarse = random.integers((150, 20, 20), (240, 110, 110), (6, 8, 3)).astype(np.uint8)
    Image.fromarray(coarse).resize((64, 48), Image.Resampling.BICUBIC).save(folder / "blue/odd.jpg")
    (folder / "red/bad.jpg").write_bytes(b"no picture")
    return folder


@pytest.fixture
def analyze(root, tmp_path):
    return functools.partial(run_script, "experiments.analyze", output=tmp_path / "out")


def first_noise(folder):
    with open(folder / "noise.csv", encoding="utf-8", newline="") as file:
        return next(csv.DictReader(file))


def test_a_folder_with_a_model_and_a_benchmark_and_once_more(analyze, photos, savedmodel, tmp_path):
    write_csv(tmp_path / "benchmark/index.csv", ["id"], [("p1",), ("p2",)])
    write_csv(tmp_path / "benchmark/test.csv", ["id"], [("p3",)])
    run = functools.partial(analyze, data=photos, savedmodel=savedmodel, benchmark=tmp_path / "benchmark", photos=photos)
    done = run()
    assert done.code == 0, done.stderr
    assert done.stdout.strip().endswith("index.html")
    page = (tmp_path / "out/index.html").read_text()
    assert "14 photographs of 2 landmarks" in page
    assert "1 photograph (7.1 %) cannot be read" in page
    assert "3 photographs have a near-duplicate among the benchmark" in page
    assert first_noise(tmp_path / "out")["id"] == "odd"
    assert first_noise(tmp_path / "out")["likelier_landmark"] == "red"
    files = {path: path.stat().st_mtime_ns for path in (tmp_path / "out").rglob("*.npy")}
    assert run().code == 0
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "out").rglob("*.npy")} == files
    assert (tmp_path / "out/index.html").read_text() == page


def test_records_give_the_same_noise(analyze, photos, savedmodel, tmp_path):
    write_records(read_folder([photos]), tmp_path / "records/train", split="train", num_shards=3, seed=0, max_side=64)
    done = analyze(data=tmp_path / "records", savedmodel=savedmodel)
    assert done.code == 0, done.stderr
    assert first_noise(tmp_path / "out")["id"] == "odd"


def test_embeddings_made_before(analyze, root, photos, savedmodel, tmp_path):
    assert run_script("experiments.embed", savedmodel=savedmodel, photos=photos, output=tmp_path / "embeddings").code == 0
    done = analyze(data=photos, embeddings=tmp_path / "embeddings")
    assert done.code == 0, done.stderr
    assert first_noise(tmp_path / "out")["id"] == "odd"
    shutil.copytree(photos, tmp_path / "more")
    shutil.copy(photos / "red/p1.jpg", tmp_path / "more/red/other.jpg")
    done = analyze(data=tmp_path / "more", embeddings=tmp_path / "embeddings")
    assert done.code == 2
    assert done.stderr.splitlines()[-1].startswith("Error: Expected embeddings of all readable photographs of --data; "
                                                   "received none of 1 of them, first other.")


def test_countries_of_the_csv_file_stand_on_the_page(analyze, photos, tmp_path):
    rows = [("p", photos / "red/p1.jpg", "x", "Peru"), ("q", photos / "blue/p2.jpg", "x", "Peru")]
    write_csv(tmp_path / "list.csv", ["id", "path", "landmark", "country"], rows)
    assert analyze(data=tmp_path / "list.csv").code == 0
    assert "1 country is named, for 100 % of the photographs." in (tmp_path / "out/index.html").read_text()


@pytest.mark.parametrize(("make", "line"), [
    (lambda folder: None, "received nothing"),
    (lambda folder: folder.mkdir(), "received none"),
    (lambda folder: [(folder / "a").mkdir(parents=True), (folder / "a/x.jpg").write_bytes(b"text")],
     "1 that are not (not an image")])
def test_data_without_an_image_are_one_line(analyze, tmp_path, make, line):
    make(tmp_path / "data")
    done = analyze(data=tmp_path / "data")
    assert done.code == 2
    assert line in done.stderr.splitlines()[-1]
    assert not (tmp_path / "out/index.html").exists()


def test_a_model_that_is_not_ours_is_one_line(analyze, photos, tmp_path):
    module = tf.Module()
    module.double = tf.function(lambda x: 2 * x, [tf.TensorSpec([], tf.float32)])
    tf.saved_model.save(module, str(tmp_path / "foreign/1"))
    done = analyze(data=photos, savedmodel=tmp_path / "foreign")
    assert done.code == 2
    assert "Expected a SavedModel with the signature" in done.stderr.splitlines()[-1]
    done = analyze(data=photos, savedmodel=tmp_path / "foreign", embeddings=tmp_path)
    assert "received both" in done.stderr
