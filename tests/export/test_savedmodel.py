"""The export and check scripts, run as a user runs them."""

import subprocess
import sys

import pytest
import tensorflow as tf

from landmark_zoo.data.label_map import LabelMap
from landmark_zoo.models.config import ModelConfig
from landmark_zoo.training.checkpoints import Checkpoints
from landmark_zoo.training.workdir import claim


@pytest.fixture(scope="module")
def workdir(tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    config = ModelConfig("mobilenet_se", embedding_dim=8, alpha=0.25)
    claim(folder, config, LabelMap(["a", "b", "c"]), {"source": "test", "photographs": 9})
    checkpoints = Checkpoints(folder, config.build(3), step=tf.Variable(5, dtype=tf.int64))
    checkpoints.save_initial()
    checkpoints.save(5)
    return folder


def script(root, name, *arguments):
    return subprocess.run([sys.executable, "-m", f"export.{name}", *map(str, arguments)], cwd=root, capture_output=True,
                          text=True, check=False)


@pytest.mark.slow
def test_export_and_check(root, workdir, tmp_path):
    done = script(root, "savedmodel", f"--workdir={workdir}", f"--output={tmp_path / 'small'}", "--side=64")
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == str(tmp_path / "small" / "1")
    (tmp_path / "a.png").write_bytes(tf.io.encode_png(tf.zeros([40, 40, 3], tf.uint8)).numpy())
    checked = script(root, "check", f"--savedmodel={tmp_path / 'small' / '1'}", f"--images={tmp_path / 'a.png'}")
    assert checked.returncode == 0, checked.stderr
    assert "1 pictures embedded without this project's code" in checked.stdout
    loaded = tf.saved_model.load(str(tmp_path / "small" / "1"))
    assert b"test: 9 photographs of 3 landmarks, step 5" in loaded.signatures["info"]()["training_data"].numpy()


@pytest.mark.parametrize(("arguments", "said"), [
    ((), "received neither"), (("--workdir=absent",), "a JSON file at absent/model.json")])
def test_mistakes_are_one_line(root, tmp_path, arguments, said):
    done = script(root, "savedmodel", f"--output={tmp_path / 'out'}", *arguments)
    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "out").exists()


def test_check_of_nothing(root, tmp_path):
    done = script(root, "check", f"--savedmodel={tmp_path}")
    assert done.returncode == 2
    assert "a SavedModel at" in done.stderr
