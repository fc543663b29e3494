"""Published networks against twins in PyTorch (`twin.py`): random weights in the authors' files, one scale and several.

The twins are narrow here, an eighth of the width; those of full width are slow.
"""

import dataclasses
import json
import os
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
import tensorflow as tf

from landmark_zoo.data.protocol import PUBLISHED
from landmark_zoo.models.published.build import create_published, fitted_whitening
from landmark_zoo.models.published.checkpoints import CHECKPOINTS
from landmark_zoo.serving.embedders import Whitened, WhiteningMap, embedder_of
from landmark_zoo.serving.export import write_saved_model

SIZES = ((64, 64), (97, 65), (224, 160), (181, 259))
TOLERANCE = 1e-5
OPENCV = {"CVNet": 5e-4}  # whose resize of bytes rounds some pixels to another gray level than ours


@dataclasses.dataclass(frozen=True)
class Case:
    """A checkpoint and its twin: kind, depth, share of the width, dimension."""

    checkpoint: str
    kind: str
    depth: int
    alpha: float | None = 1 / 8
    dimension: int | None = 16

    @property
    def file(self) -> str:
        return f"{self.kind}_{self.depth}_{self.alpha}.pth"


FAST = {
    "cirtorch": Case("cirtorch/gl18-resnet50-gem-w", "CirTorch", 50), "how_r18": Case("how/r18", "HOW", 18),
    "naver": Case("naver/resnet50-ap-gem", "Naver", 50), "cvnet": Case("cvnet/resnet50", "CVNet", 50),
    "superglobal": Case("superglobal/resnet50", "SuperGlobal", 50),
    "cosplace": Case("cosplace/resnet18-64", "CosPlace", 18)}
DEEP = {
    "cirtorch_deep": Case("cirtorch/gl18-resnet101-gem-w", "CirTorch", 101),
    "cirtorch_sfm": Case("cirtorch/retrievalsfm120k-resnet101-gem", "WhitenedAfterwards", 101, dimension=256),
    "solar": Case("solar/gl18-resnet101", "Solar", 101), "how_r50": Case("how/r50-", "NewHOW", 50),
    "delg": Case("delg-pytorch/resnet50", "DELG", 50), "eigenplaces": Case("eigenplaces/resnet50-512", "CosPlace", 50),
    "torchvision": Case("torchvision/resnet50", "Torchvision", 50, dimension=None),
    "torchvision_basic": Case("torchvision/resnet34", "Torchvision", 34, dimension=None)}
FULL = {
    "cirtorch_full": Case("cirtorch/gl18-resnet50-gem-w", "CirTorch", 50, 1.0, 2048),
    "vgg16_full": Case("cirtorch/retrievalsfm120k-vgg16-gem", "WhitenedAfterwards", 16, 1.0, 512),
    "how_full": Case("how/r18", "HOW", 18, 1.0, 128), "cvnet_full": Case("cvnet/resnet50", "CVNet", 50, 1.0, 2048),
    "eigenplaces_full": Case("eigenplaces/resnet50-512", "CosPlace", 50, 1.0, 512)}
CASES = {**FAST, **DEEP, **FULL}
ONE_SCALE = ("Naver", "CosPlace", "Torchvision")
SCALED = [name for name in CASES if CASES[name].kind not in ONE_SCALE]


def marked(names, fast=FAST):
    return [name if name in fast else pytest.param(name, marks=pytest.mark.slow) for name in names]


def images():
    """Coloured waves, uint8 [H, W, 3], by number; and what OpenCV makes of them at CVNet's and DELG's scales."""
    made = {}
    for number, (height, width) in enumerate(SIZES):
        y, x = np.mgrid[:height, :width].astype(np.float64)
        waves = [np.sin(x / 7) + np.cos(y / 11), np.sin((x + y) / 13), np.cos(x * y / 900)]
        image = np.clip(127 + 60 * np.stack(waves, axis=-1), 0, 255).astype(np.uint8)
        made[f"{number}"] = image
        for factor, kernel in ((0.7071, cv2.INTER_AREA), (1.0, cv2.INTER_LINEAR), (1.4142, cv2.INTER_LINEAR)):
            size = round(width * factor), round(height * factor)
            made[f"{number}/bytes/{factor}"] = cv2.resize(image, None, fx=factor, fy=factor, interpolation=kernel)
            made[f"{number}/floats/{factor}"] = cv2.resize(np.float32(image), size, interpolation=cv2.INTER_LINEAR)
    return made


IMAGES = images()


def asked(folder, cases):
    """Runs the twins in a Python that has torch; they write their checkpoints and embeddings into the folder."""
    python = os.environ.get("LANDMARK_ZOO_TORCH") or pytest.skip("no LANDMARK_ZOO_TORCH, a Python with torch")
    np.savez(folder / "images.npz", **IMAGES)
    (folder / "asked.json").write_text(json.dumps([
        {"kind": case.kind, "depth": case.depth, "width": round(64 * case.alpha), "dimension": case.dimension or 8,
         "file": case.file} for case in cases.values()]))
    subprocess.run([python, str(Path(__file__).with_name("twin.py")), str(folder)], check=True,
                   env={key: value for key, value in os.environ.items() if key != "PYTHONPATH"})
    return folder


@pytest.fixture(scope="module")
def twin(tmp_path_factory):
    """A function from the name of a case to the folder that its twin has written into, with those of its group."""
    folders = {}

    def folder(name):
        group = next(index for index, cases in enumerate((FAST, DEEP, FULL)) if name in cases)
        if group not in folders:
            folders[group] = asked(tmp_path_factory.mktemp("twins"), (FAST, DEEP, FULL)[group])
        return folders[group]

    return folder


def judged(case, expected, suffix):
    """The numbers of the images that the twin has embedded: all, but of HOW and SuperGlobal (see there) the large ones."""
    numbers = [name.removesuffix(suffix) for name in expected.files if name.endswith(suffix) and name.count("/") == len(
        suffix.split("/")) - 1]
    assert len(numbers) == len(SIZES) or (case.kind in ("SuperGlobal", "HOW", "NewHOW") and len(numbers) >= 2)
    return numbers


def built(case, folder):
    width = {} if case.alpha == 1.0 else {"alpha": case.alpha}
    return create_published(case.checkpoint, folder / case.file, embedding_dim=case.dimension, **width)


def over_scales(case, folder):
    """The embedder of the authors' test, or None where they use one scale."""
    checkpoint = CHECKPOINTS[case.checkpoint]
    protocol = PUBLISHED[checkpoint.protocol]
    if checkpoint.project != "cirtorch_sfm":
        return embedder_of(built(case, folder), protocol)
    width = {} if case.alpha == 1.0 else {"alpha": case.alpha}
    model = create_published(case.checkpoint, folder / case.file, embedding_dim=0, **width)
    scales = dataclasses.replace(protocol.scales, power=float(model.get_layer("gem").power))
    mean, projection = fitted_whitening(checkpoint, folder / case.file, "ms")
    return Whitened(embedder_of(model, dataclasses.replace(protocol, scales=scales)),
                    WhiteningMap(np.float32(mean), np.float32(projection), "", ""))


@pytest.mark.parametrize("name", marked(CASES))
def test_one_scale(name, twin):
    case, folder = CASES[name], twin(name)
    model, expected = built(case, folder), np.load(folder / f"{case.file}.npz")
    for number in judged(case, expected, ""):
        found = model(IMAGES[number][None])["embedding"][0]
        np.testing.assert_allclose(found, expected[number], rtol=0, atol=TOLERANCE, err_msg=str(IMAGES[number].shape))


@pytest.mark.parametrize("name", marked(SCALED, ["how_r18"]))
def test_over_the_scales_of_the_authors_test(name, twin):
    case, folder = CASES[name], twin(name)
    embedder, expected = over_scales(case, folder), np.load(folder / f"{case.file}.npz")
    for number in judged(case, expected, "/scales"):
        found = embedder(tf.cast(IMAGES[number][None], tf.float32))[0]
        np.testing.assert_allclose(found, expected[f"{number}/scales"], rtol=0, atol=OPENCV.get(case.kind, TOLERANCE),
                                   err_msg=str(IMAGES[number].shape))


LOAD = """
import sys
import numpy as np
import tensorflow as tf
folder = sys.argv[1]
images = np.load(f"{folder}/images.npz")
for name in sys.argv[2:]:
    embed = tf.saved_model.load(f"{folder}/{name}/1").signatures["images"]
    np.savez(f"{folder}/{name}.npz", **{number: embed(images=tf.constant(images[number][None], tf.float32))["embedding"][0]
                                        for number in images.files if "/" not in number})
assert not {"landmark_zoo", "torch"} & set(sys.modules)
"""


@pytest.mark.slow
@pytest.mark.parametrize("group", ["fast", "deep"])
def test_exports_in_a_process_without_torch_and_this_project(group, twin, tmp_path):
    """With their test protocols, in which images of these sizes keep them."""
    cases = {name: case for name, case in {"fast": FAST, "deep": DEEP}[group].items()
             if CHECKPOINTS[case.checkpoint].protocol}
    np.savez(tmp_path / "images.npz", **IMAGES)
    for name, case in cases.items():
        write_saved_model(over_scales(case, twin(name)), tmp_path / name, {})
    subprocess.run([sys.executable, "-I", "-c", LOAD, str(tmp_path), *cases], check=True, cwd=tmp_path)
    for name, case in cases.items():
        expected, found = np.load(twin(name) / f"{case.file}.npz"), np.load(tmp_path / f"{name}.npz")
        suffix = "/scales" if name in SCALED else ""
        for number in judged(case, expected, suffix):
            np.testing.assert_allclose(found[number], expected[number + suffix], rtol=0,
                                       atol=OPENCV.get(case.kind, TOLERANCE), err_msg=name)
