import pickle
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from landmark_zoo.data.manifest import read_manifest
from tests.run_script import run_script


@pytest.fixture
def build(tmp_path, caplog):
    """Runs the command in this process; what it logs counts as stderr."""
    caplog.set_level("INFO", logger="absl")

    def run(*arguments):
        caplog.clear()
        done = run_script("experiments.build_tfds", f"--data_dir={tmp_path / 'tfds'}", *arguments)
        return SimpleNamespace(returncode=done.code, stderr=caplog.text + done.stderr)
    return run


@pytest.fixture
def photos(tmp_path):
    (tmp_path / "photos").mkdir()
    for number in range(4):
        pixels = np.full((40, 60, 3), 50 * number, np.uint8)
        Image.fromarray(pixels).save(tmp_path / "photos" / f"all_souls_{number:06d}.jpg")
    return tmp_path / "photos"


def test_a_folder_of_ones_own(build, photos, tmp_path):
    done = build("--dataset=landmark_folder/mine", f"--photos={photos}", "--num_shards=2", "--max_side=40")
    assert done.returncode == 0, done.stderr
    directory = tmp_path / "tfds/landmark_folder/mine-40/2.0.0"
    assert f"--records={directory}" in done.stderr
    assert read_manifest(directory / "train").num_examples == 4


def test_the_original_pickle_is_enough(build, photos, tmp_path):
    names = [path.stem for path in sorted(photos.glob("*.jpg"))]
    (photos / "gnd_roxford5k.pkl").write_bytes(pickle.dumps({"imlist": names[1:], "qimlist": names[:1], "gnd": []}))
    done = build("--dataset=roxford5k", f"--photos={photos}")
    assert done.returncode == 0, done.stderr
    assert read_manifest(tmp_path / "tfds/roxford5k/1.0.0/index").num_examples == 3


@pytest.mark.parametrize(("arguments", "complaint"), [
    (["--dataset=gldv3"], "received 'gldv3'"),
    (["--dataset=gldv2/dirty", "--photos={}"], "a config among clean, noisy; received 'dirty'"),
    (["--dataset=gldv1"], "a folder of photographs for gldv1; received none")])
def test_mistakes_end_with_one_line(build, photos, arguments, complaint):
    failed = build(*(argument.format(photos) for argument in arguments))
    assert failed.returncode == 2, failed.stderr
    assert failed.stderr.splitlines()[-1].startswith("Error: Expected ")
    assert complaint in failed.stderr.splitlines()[-1]
