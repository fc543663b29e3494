"""The attention script."""

import numpy as np
from PIL import Image

from landmark_zoo.core.files import read_json
from landmark_zoo.report.attention import attention_overlays
from tests.run_script import run_script


def test_writes_maps_that_the_report_reads(tmp_path):
    path = tmp_path / "a.jpg"
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (80, 120, 3)).astype(np.uint8)).save(path)
    done = run_script("experiments.attention", model="mobilenet_spatial", alpha=0.25, image=path, side=96,
                      output=tmp_path / "out")
    assert done.code == 0, done.stderr
    overlays = read_json(tmp_path / "out" / "overlays.json")
    assert [entry["title"] for entry in overlays] == ["a"]
    assert {entry["name"] for entry in overlays[0]["maps"]} == {"attention/spatial", "feature norm"}
    for entry in overlays[0]["maps"]:
        assert np.load(tmp_path / "out" / entry["file"]).shape == (2, 3)
        width, height = Image.open((tmp_path / "out" / entry["file"]).with_suffix(".jpg")).size
        assert width == 96
        assert height > 64, "the range below it"


def test_channels_have_no_place(tmp_path):
    path = tmp_path / "a.jpg"
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (80, 120, 3)).astype(np.uint8)).save(path)
    done = run_script("experiments.attention", model="mobilenet_channel", alpha=0.25, image=path, side=96,
                      output=tmp_path / "out")
    assert done.code == 0, done.stderr
    maps = {entry["name"]: entry for entry in read_json(tmp_path / "out" / "overlays.json")[0]["maps"]}
    assert set(maps) == {"attention/channel", "feature norm"}
    assert np.load(tmp_path / "out" / maps["attention/channel"]["file"]).shape == (256,)
    assert attention_overlays(tmp_path / "out").count("<figure") == 3


def test_no_image(tmp_path):
    (tmp_path / "a.jpg").write_bytes(b"")
    done = run_script("experiments.attention", model="mobilenet_se", alpha=0.25, image=tmp_path / "a.jpg",
                      output=tmp_path / "out")
    assert done.code == 2
    assert "a.jpg" in done.stderr
