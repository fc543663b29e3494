"""Results made up for the pages: as objects, and as the folders that an evaluation writes."""

import dataclasses
import io
import json
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from landmark_zoo.core.errors import UserError
from landmark_zoo.data.analysis.collection import Collection, MeasuredImages
from landmark_zoo.data.analysis.findings import analyze_collection
from landmark_zoo.data.analysis.images import ImageSplit
from landmark_zoo.data.analysis.label_noise import JudgedImages, LabelNoise
from landmark_zoo.data.analysis.measures import MEASURES, measure_image
from landmark_zoo.data.datasets.images import InvalidImageError
from landmark_zoo.data.manifest import LabelMap, Manifest, Shard
from landmark_zoo.report.training_run import TrainingRun
from tests.evaluation.conftest import make_result, result_folder  # noqa: F401


@pytest.fixture
def run():
    """A training run of 200 logged steps."""
    lines = [{"step": step, "epoch": step // 1000, "loss": 10 / step, "accuracy": step / 4000, "learning_rate": 1e-3,
              "images_per_second": 50.0} for step in range(10, 2001, 10)]
    checks = [{"step": step, "epoch": step // 1000, "validation_loss": 1.5, "validation_accuracy": 0.4125}
              for step in (1000, 2000)]
    return TrainingRun({"model": "resnet50_se", "parameters": 1_234_567, "embedding_dim": 512}, {"batch_size": 32},
                       lines, checks)


@pytest.fixture
def selected(run):
    """The same run, measured on unseen landmarks, with the checkpoint of step 1000 kept."""
    lines = [{"step": step, "epoch": 0, "retrieval_map": value, "retrieval_mp5": value / 2, "retrieval_recall1": 0.9}
             for step, value in ((0, 0.551), (1000, 0.612), (2000, 0.601))]
    return dataclasses.replace(run, retrieval=lines, selection={
        "keep": "best", "photographs": 280, "landmarks": 4, "start": {"retrieval_map": 0.551},
        "kept": {"step": 1000, "epoch": 1, "retrieval_map": 0.612}, "gain": {"value": 0.061, "low": 0.039, "high": 0.082}})


@pytest.fixture
def workdir(tmp_path, run):
    """The folder of that run."""
    folder = tmp_path / "workdir"
    folder.mkdir()
    lines = [json.dumps(line) + "\n" for line in (*run.training, *run.validation)]
    (folder / "history.jsonl").write_text("".join(lines))
    (folder / "model.json").write_text(json.dumps({"config": {"model": "resnet50_se", "embedding_dim": 512},
                                                   "parameters": 1_234_567}))
    (folder / "flags.json").write_text(json.dumps({"batch_size": 32, "alpha": None}))
    return folder


@pytest.fixture
def make_manifest(tmp_path):
    """A function from photographs by landmark to the manifest of their records, saved in records/train."""
    def make(counts):
        folder = tmp_path / "records" / "train"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "shard").write_bytes(b"x")
        labels = LabelMap(counts)
        manifest = Manifest(folder, "train", labels, tuple(counts[landmark] for landmark in labels),
                            (Shard("shard", sum(counts.values()), 1, "0"),), 3, 0, 512, "<toys>", "plan")
        manifest.save()
        return manifest
    return make


@pytest.fixture
def find_image(tmp_path):
    """Finds a picture of noise for every id, but none for "i2"."""
    path = tmp_path / "noise.jpg"
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (300, 400, 3), np.uint8)).save(path, quality=95)

    def find(image_id):
        if image_id == "i2":
            raise UserError("a picture", "none", "Look.")
        return path
    return find


def encoded(seed, gray=False, size=(64, 48)):
    """Returns the JPEG of a picture; equal seeds, equal pictures."""
    coarse = np.random.default_rng(seed).integers(0, 256, (9, 12, 3), dtype=np.uint8)
    image = Image.fromarray(coarse).resize(size, Image.Resampling.BICUBIC)
    buffer = io.BytesIO()
    (image.convert("L") if gray else image).save(buffer, "JPEG", quality=95)
    return buffer.getvalue()


def part(name, images, landmarks=None, missing=()):
    """Returns measured photographs; None is one that cannot be read."""
    ids = [f"{name}{number}" for number in range(len(images))]
    table, faults = np.zeros(len(images), MEASURES), {}
    for number, data in enumerate(images):
        if data is None:
            faults[number] = "empty file"
        else:
            table[number] = measure_image(data)

    def read(number):
        if images[number] is None:
            raise InvalidImageError("empty file")
        return images[number]
    return MeasuredImages(ImageSplit(name, ids, landmarks or [""] * len(ids), [], read, missing), table, faults)


def judged(landmarks, strangeness, disagreement, likelier):
    """Returns a judgement of the first photographs."""
    names = sorted(set(landmarks))
    return JudgedImages(np.arange(len(landmarks)), LabelNoise(
        np.array(strangeness, np.float32), np.array(disagreement, np.float32),
        np.array([names.index(name) for name in likelier])), names)


LANDMARKS = ["set/taj_mahal", "set/taj_mahal", "set/taj_mahal", "<b>gate</b>", "<b>gate</b>", "lone"]


@pytest.fixture
def made():
    """The functions above."""
    return SimpleNamespace(encoded=encoded, part=part, judged=judged, landmarks=LANDMARKS)


@pytest.fixture
def findings():
    """Six photographs of training (one grey, one unreadable, two alike), two index images (one from training), one query."""
    train = part("train", [encoded(0), encoded(0), encoded(1, gray=True), encoded(2), None, encoded(3)], LANDMARKS, ["gone"])
    benchmark = [part("index", [encoded(2), encoded(7)]), part("queries", [encoded(8)])]
    doubts = judged(LANDMARKS, [0.2, 0.25, 0.5, 0.4, 0.3, np.nan], [0, 0.05, 0.5, 1, 0.2, np.nan],
                    [*LANDMARKS[:3], "set/taj_mahal", "set/taj_mahal", "lone"])
    return analyze_collection(["photos/wonders"], Collection([train, *benchmark], 1), doubts,
                              {"set/taj_mahal": "India", "lone": "<Chad>"})
