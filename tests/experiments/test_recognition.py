"""A classifier of two colours is trained and says how well it recognises them."""

import csv
import json

import numpy as np
import pytest
from PIL import Image

from landmark_zoo.data.datasets.folder import read_folder
from landmark_zoo.data.writer import write_records
from tests.run_script import run_script

FLAGS = {"model": "resnet18_gem", "alpha": 0.125, "embedding_dim": 8, "head": "softmax", "image_size": 32, "batch_size": 8,
         "epochs": 8, "learning_rate": 3e-3, "freeze_batchnorm": False}


def prepare(folder, names):
    """Records "train" and "test" of 24 and 8 pictures, each name with a colour of its own."""
    for part, count in (("train", 24), ("test", 8)):
        for number in range(count):
            path = folder / part / names[number % 2] / f"{number}.jpg"
            path.parent.mkdir(parents=True, exist_ok=True)
            color = [200 - number, 40, 40] if number % 2 else [40, 40, 200 - number]
            Image.fromarray(np.full((64, 64, 3), color, np.uint8)).save(path)
        write_records(read_folder([str(folder / part)]), folder / "records" / part, split=part, num_shards=2, seed=0,
                      max_side=64)
    return folder / "records"


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """Records and the folder of a run on them."""
    folder = tmp_path_factory.mktemp("recognition")
    records = prepare(folder, ["blue", "red"])
    done = run_script("experiments.train", records=records, workdir=folder / "run", **FLAGS)
    assert done.code == 0, done.stderr
    return records, folder / "run"


@pytest.mark.slow
def test_accuracy_confusion_and_page(trained, tmp_path):
    records, workdir = trained
    done = run_script("experiments.recognition", workdir=workdir, records=records, output=tmp_path / "out", batch_size=3)
    assert done.code == 0, done.stderr
    result = json.loads((tmp_path / "out/result.json").read_text())
    assert (result["photographs"], result["landmarks"], result["part"], result["image_size"]) == (8, 2, "test", 32)
    rows = list(csv.DictReader((tmp_path / "out/predictions.csv").open()))
    right = np.mean([row["landmark"] == row["recognised_as"] for row in rows])
    assert len(rows) == 8
    assert result["accuracy"] == pytest.approx(right)
    assert right > 0.9
    counts = [list(map(int, row[1:])) for row in list(csv.reader((tmp_path / "out/confusion.csv").open()))[1:]]
    assert np.sum(counts) == 8
    assert np.trace(counts) == right * 8
    assert f"{100 * right:.2f} % of 8 photographs" in done.stdout
    assert "blue" in (tmp_path / "out/index.html").read_text()


@pytest.mark.slow
def test_records_of_other_landmarks(trained, tmp_path):
    other = prepare(tmp_path, ["green", "red"])
    done = run_script("experiments.recognition", workdir=trained[1], records=other, output=tmp_path / "out")
    assert done.code == 2
    assert "others in" in done.stderr
    assert not (tmp_path / "out").exists()


def test_solution_and_submission(tmp_path):
    (tmp_path / "solution.csv").write_text("id,landmarks,Usage\na,1,Public\nb,,Public\nc,2,Private\nd,None,Ignored\n")
    (tmp_path / "mine.csv").write_text("id,landmarks\na,1 0.5\nb,9 0.9\nc,2 0.7\nd,\n")
    files = {"solution": tmp_path / "solution.csv", "submission": tmp_path / "mine.csv", "output": tmp_path / "out"}
    done = run_script("experiments.recognition", **files)
    assert done.code == 0, done.stderr
    assert "queries used 3, with landmark 2, without landmark 1, queries ignored 1" in done.stdout
    facts = json.loads((tmp_path / "out/metrics.json").read_text())
    assert facts["metrics"]["GAP"]["value"] == (1 / 2 + 2 / 3) / 2
    assert list(facts["metrics"]) == ["GAP", "GAP/Public", "GAP/Private"]
    assert (facts["name"], facts["card"]["queries_ignored"]) == ("mine", 1)

    (tmp_path / "mine.csv").write_text("id,landmarks\na,1\n")
    done = run_script("experiments.recognition", **files)
    assert done.code == 2
    assert done.stderr.splitlines()[-1].startswith("Error: Expected a landmark and a confidence for a")


@pytest.mark.parametrize(("given", "received"), [
    ([], "none of them"), (["workdir"], "--workdir"), (["submission"], "--submission"),
    (["workdir", "solution"], "--workdir and --solution"),
    (["workdir", "records", "submission", "solution"], "--workdir and --records and --submission and --solution")])
def test_a_classifier_or_a_submission(given, received, tmp_path):
    done = run_script("experiments.recognition", output=tmp_path, **dict.fromkeys(given, tmp_path))
    assert (done.code, done.stderr.count("\n")) == (2, 1)
    assert f"received {received}" in done.stderr
