"""A small collection made up for the pages."""

import io
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from landmark_zoo.data.analysis.collection import Collection
from landmark_zoo.data.analysis.findings import find
from landmark_zoo.data.analysis.judged import Judged
from landmark_zoo.data.analysis.label_noise import LabelNoise
from landmark_zoo.data.analysis.measure import MEASURES, measure
from landmark_zoo.data.analysis.measured import Measured
from landmark_zoo.data.analysis.photographs import Photographs
from landmark_zoo.data.photograph import BadPhotograph


def encoded(seed, grey=False, size=(64, 48)):
    """Returns the JPEG of a picture; equal seeds, equal pictures."""
    coarse = np.random.default_rng(seed).integers(0, 256, (9, 12, 3), dtype=np.uint8)
    image = Image.fromarray(coarse).resize(size, Image.Resampling.BICUBIC)
    buffer = io.BytesIO()
    (image.convert("L") if grey else image).save(buffer, "JPEG", quality=95)
    return buffer.getvalue()


def part(name, pictures, landmarks=None, missing=()):
    """Returns measured photographs; None is one that cannot be read."""
    ids = [f"{name}{number}" for number in range(len(pictures))]
    table, faults = np.zeros(len(pictures), MEASURES), {}
    for number, data in enumerate(pictures):
        if data is None:
            faults[number] = "empty file"
        else:
            table[number] = measure(data)

    def read(number):
        if pictures[number] is None:
            raise BadPhotograph("empty file")
        return pictures[number]
    return Measured(Photographs(name, ids, landmarks or [""] * len(ids), [], read, missing), table, faults)


def judged(landmarks, strangeness, disagreement, likelier):
    """Returns a judgement of the first photographs."""
    names = sorted(set(landmarks))
    return Judged(np.arange(len(landmarks)), LabelNoise(
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
    train = part("train", [encoded(0), encoded(0), encoded(1, grey=True), encoded(2), None, encoded(3)], LANDMARKS, ["gone"])
    benchmark = [part("index", [encoded(2), encoded(7)]), part("queries", [encoded(8)])]
    doubts = judged(LANDMARKS, [0.2, 0.25, 0.5, 0.4, 0.3, np.nan], [0, 0.05, 0.5, 1, 0.2, np.nan],
                    [*LANDMARKS[:3], "set/taj_mahal", "set/taj_mahal", "lone"])
    return find(["photos/wonders"], Collection([train, *benchmark], 1), doubts, {"set/taj_mahal": "India", "lone": "<Chad>"})
