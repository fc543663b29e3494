"""`python -m experiments.embed`, as a user starts it."""

import functools
import json
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from landmark_zoo.retrieval.embedding_set import EmbeddingSet
from tests.run_script import run_script
from tests.tiny_saved_model import write_tiny_saved_model


@pytest.fixture(scope="module")
def savedmodel(root, tmp_path_factory):
    write = write_tiny_saved_model
    return write(tmp_path_factory.mktemp("models") / "tiny" / "1").parent


@pytest.fixture
def photos(tmp_path):
    for number in range(5):
        path = tmp_path / "photos" / f"landmark{number % 2}" / f"p{number}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        colors = np.random.default_rng(number).integers(30, 226, [2, 2, 3], np.uint8)
        Image.fromarray(colors).resize((64, 48), Image.Resampling.NEAREST).save(path)
    (tmp_path / "photos/landmark0/bad.jpg").write_bytes(b"no picture")
    return tmp_path / "photos"


@pytest.fixture
def embed(root):
    return functools.partial(run_script, "experiments.embed")


@pytest.mark.slow
def test_a_folder_in_its_own_process_and_again_and_then_strictly(embed, root, savedmodel, photos, tmp_path):
    output = tmp_path / "out"
    command = [sys.executable, "-m", "experiments.embed", f"--savedmodel={savedmodel}", f"--photos={photos}",
               f"--output={output}"]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "5 embeddings of dimension 12" in done.stdout
    assert "1 photographs skipped" in done.stdout
    assert sorted(EmbeddingSet.load(output).ids) == [f"p{number}" for number in range(5)]
    assert "bad" in (output / "skipped.csv").read_text()
    assert json.loads((output / "flags.json").read_text())["photos"] == str(photos)
    embeddings = (output / "embeddings.npy").stat().st_mtime_ns
    assert embed(savedmodel=savedmodel, photos=photos, output=output).stdout == done.stdout
    assert (output / "embeddings.npy").stat().st_mtime_ns == embeddings
    strict = embed(savedmodel=savedmodel, photos=photos, output=tmp_path / "strict", strict=True)
    assert strict.code == 2
    assert strict.stderr.splitlines()[-1].startswith("Error: Expected a usable photograph for bad")


def test_a_csv_file_of_ids(embed, savedmodel, photos, tmp_path):
    (tmp_path / "list.csv").write_text("id\np3\np0\nunknown\n")
    output = tmp_path / "out"
    done = embed(savedmodel=savedmodel, photos=tmp_path / "list.csv", photos_dir=photos, output=output)
    assert done.code == 0, done.stderr
    assert EmbeddingSet.load(output).ids == ["p3", "p0"]
    assert "unknown" in (output / "skipped.csv").read_text()


@pytest.mark.parametrize(("change", "message"), [
    ({"photos_dir": "photos"}, "--photos_dir with a csv file alone"),
    ({"photos": "list.csv"}, "--photos_dir"),
    ({"savedmodel": "absent"}, "a SavedModel at absent"),
])
def test_mistakes_are_one_line(embed, savedmodel, photos, tmp_path, change, message):
    done = embed(**{"savedmodel": savedmodel, "photos": photos, "output": tmp_path / "out", **change})
    assert done.code == 2
    assert message in done.stderr.splitlines()[-1]


def test_a_job_array_and_a_merge_by_hand(embed, savedmodel, photos, tmp_path):
    output = tmp_path / "out"
    settings = {"savedmodel": savedmodel, "photos": photos, "output": output, "shard_size": 2, "num_shards": 2}
    first = embed(**settings, shard=0)
    assert (first.code, first.stdout) == (0, f"This part is done; 1 shards of other parts are missing in {output}\n")
    early = embed(output=output, merge=True)
    assert early.code == 2
    assert "3 finished shards" in early.stderr
    last = embed(**settings, shard=1)
    assert "5 embeddings of dimension 12" in last.stdout
    assert embed(output=output, merge=True).stdout == last.stdout
    whole = tmp_path / "whole"
    embed(savedmodel=savedmodel, photos=photos, output=whole, dtype="float16")
    assert EmbeddingSet.load(output).ids == EmbeddingSet.load(whole).ids
    np.testing.assert_allclose(EmbeddingSet.load(output).vectors, EmbeddingSet.load(whole).vectors, atol=1e-3)


def test_engines_need_what_they_need(embed, savedmodel, photos, tmp_path):
    done = embed(savedmodel=savedmodel, photos=photos, output=tmp_path / "out", engine="onnxruntime")
    assert done.code == 2
    assert "Expected --onnx; received none" in done.stderr
    done = embed(output=tmp_path / "out")
    assert "Expected --savedmodel; received none" in done.stderr
