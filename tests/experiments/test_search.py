"""`python -m experiments.search`, as a user starts it."""

import functools
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from landmark_zoo.data.datasets.image_refs import ImageRef
from landmark_zoo.retrieval.embed import embed
from landmark_zoo.retrieval.index.build import build_index
from landmark_zoo.saved_model import SavedModel
from tests.run_script import run_script
from tests.tiny_saved_model import write_tiny_saved_model


@pytest.fixture(scope="module")
def folder(root, tmp_path_factory):
    """Two models, five pictures, and an index of the first model."""
    folder = tmp_path_factory.mktemp("search")
    write = write_tiny_saved_model
    write(folder / "tiny" / "1")
    write(folder / "other" / "1", scale=1.0005)
    images = []
    for number in range(5):
        colors = np.random.default_rng(number).integers(30, 226, [2, 2, 3], np.uint8)
        Image.fromarray(colors).resize((64, 48), Image.Resampling.NEAREST).save(folder / f"p{number}.jpg")
        images.append(ImageRef(f"p{number}", folder / f"p{number}.jpg"))
    embed(SavedModel(folder / "tiny"), images, folder / "index")
    return folder


@pytest.fixture
def search(root, folder):
    usual = {"savedmodel": folder / "tiny", "index": folder / "index", "image": folder / "p3.jpg"}
    return functools.partial(run_script, "experiments.search", **usual)


@pytest.mark.slow
def test_an_image_finds_itself_in_its_own_process(root, folder):
    command = [sys.executable, "-m", "experiments.search", f"--savedmodel={folder / 'tiny' / '1'}",
               f"--index={folder / 'index'}", f"--image={folder / 'p3.jpg'}", "--k=3"]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    lines = [line.split() for line in done.stdout.splitlines()]
    assert [line[0] for line in lines] == ["1", "2", "3"]
    assert lines[0][1:] == ["1.0000", "p3"]
    assert float(lines[0][1]) >= float(lines[1][1]) >= float(lines[2][1])


def test_a_box_searches_with_a_part(search):
    done = search(box="0,0,32,48", k=1)
    assert done.code == 0, done.stderr
    assert float(done.stdout.split()[1]) < 1


@pytest.fixture(scope="module")
def indexes(folder):
    """The same index as a graph and in Milvus Lite, with landmarks."""
    landmarks = {f"p{number}": "even" if number % 2 == 0 else "odd" for number in range(5)}
    build_index([folder / "index"], "hnsw", folder / "hnsw", landmarks)
    build_index([folder / "index"], "milvus", folder / "index.db", landmarks, "pictures")
    return folder


@pytest.mark.parametrize("index", ["hnsw", "index.db"])
def test_every_kind_of_index_and_a_filter(search, indexes, index):
    done = search(index=indexes / index, collection="pictures", where="landmark=odd")
    assert done.code == 0, done.stderr
    assert done.stdout.split()[1:3] == ["1.0000", "p3"]
    assert sorted(line.split()[2] for line in done.stdout.splitlines()) == ["p1", "p3"]


@pytest.mark.parametrize("index", ["hnsw", "index.db"])
def test_each_condition_that_matches_nothing_is_named(search, indexes, index):
    done = run_script("experiments.search", "--where=landmark=odd", "--where=landmark=odder", "--where=source=nowhere",
                      **search.keywords | {"index": indexes / index, "collection": "pictures"})
    assert done.code == 2
    assert "index images with landmark=odder and source=nowhere; received none" in done.stderr.splitlines()[-1]


@pytest.mark.parametrize(("change", "message"), [
    ({"where": "landmark"}, "--where=landmark=ID"),
    ({"where": "year=1900"}, "landmark or source"),
    ({"where": "landmark=nowhere"}, "received none. Check --where"),
    ({"index": "absent.db"}, "no such file"),
    ({"savedmodel": "other"}, "Embed both with the same model"),
    ({"box": "0,0,640,48"}, "64 x 48 pixels"),
    ({"box": "0,0,a,48"}, "a box x1,y1,x2,y2"),
    ({"image": "absent.jpg"}, "no such file"),
    ({"index": "absent"}, "embeddings.json"),
])
def test_mistakes_are_one_line(search, folder, change, message):
    if "savedmodel" in change:
        change = {"savedmodel": folder / change["savedmodel"]}
    done = search(**change)
    assert done.code == 2
    assert message in done.stderr.splitlines()[-1]
