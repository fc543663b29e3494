import json
import zipfile

import numpy as np
import pytest
import tensorflow as tf

from landmark_zoo.models.keras_file import CONFIG, as_keras_2_15, load_keras_file
from tests.serving.conftest import little


@pytest.fixture
def written(tmp_path):
    """A network with another one inside, and its file."""
    images, inner = tf.keras.Input([None, None, 3]), little()
    network = tf.keras.Model(images, inner(images)["embedding"])
    network.save(tmp_path / "network.keras")
    return network, tmp_path / "network.keras"


def rewritten(path, change):
    """The file with another configuration."""
    with zipfile.ZipFile(path) as source, zipfile.ZipFile(path.with_name("other.keras"), "w") as target:
        for name in source.namelist():
            data = source.read(name)
            target.writestr(name, json.dumps(change(json.loads(data))) if name == CONFIG else data)
    return path.with_name("other.keras")


def as_newer(config):
    """What TensorFlow 2.21 writes where 2.15 does not."""
    if isinstance(config, list):
        return [as_newer(item) for item in config]
    if not isinstance(config, dict):
        return config
    config = {name: as_newer(value) for name, value in config.items()}
    if str(config.get("module")).startswith("keras.src."):
        config["module"] = f"tf_{config['module']}"
    if config.get("class_name") == "InputLayer":
        config["config"]["optional"] = False
    return config


@pytest.mark.parametrize("change", [lambda config: config, as_newer, as_keras_2_15], ids=["own", "newer", "2.15"])
def test_files_of_either_tensorflow(written, change):
    network, path = written
    images = np.random.default_rng(0).uniform(0, 255, [2, 40, 40, 3]).astype(np.float32)
    np.testing.assert_array_equal(load_keras_file(rewritten(path, change))(images), network(images))


def test_it_names_no_class_of_tf_keras(written):
    with zipfile.ZipFile(written[1]) as file:
        newer = as_newer(json.loads(file.read(CONFIG)))
    assert "tf_keras" in json.dumps(newer)
    mended = json.dumps(as_keras_2_15(newer))
    assert "tf_keras" not in mended
    assert "optional" not in mended


def test_an_input_that_may_be_left_out():
    with pytest.raises(ValueError, match="inputs that are always given; received mask"):
        as_keras_2_15([{"class_name": "InputLayer", "name": "mask", "config": {"optional": True}}])
