"""The reader of `.keras` files of either TensorFlow: 2.15, or a newer one with tf_keras."""

import json
import os
import tempfile
import zipfile
from pathlib import Path

import tensorflow as tf

from landmark_zoo.layers.registry import CUSTOM_OBJECTS

CONFIG = "config.json"


def load_keras_file(path: str | Path) -> tf.keras.Model:
    """Loads a model that `model.save("NAME.keras")` wrote, in this TensorFlow or in another one; its optimizer stays behind.

    `tf.keras.models.load_model(path, custom_objects=CUSTOM_OBJECTS)` does the same for files of this TensorFlow and older
    ones. TensorFlow 2.15 does not know what newer ones write into the file: classes of the package tf_keras, and inputs that
    may be left out.

    Args:
        path: File with the suffix `.keras`.

    Raises:
        ValueError: The file has an input that may be left out, which TensorFlow 2.15 does not have.

    Example:
        >>> import landmark_zoo as lz
        >>> folder = tempfile.TemporaryDirectory()
        >>> lz.create_model("resnet18_gem", alpha=0.125, embedding_dim=8).save(f"{folder.name}/tiny.keras")
        >>> load_keras_file(f"{folder.name}/tiny.keras").name
        'resnet18_gem'
    """
    if not tf.__version__.startswith("2.15."):
        return tf.keras.models.load_model(path, custom_objects=CUSTOM_OBJECTS, compile=False)
    with tempfile.TemporaryDirectory() as folder:
        mended = os.path.join(folder, Path(path).name)
        with zipfile.ZipFile(path) as source, zipfile.ZipFile(mended, "w") as target:
            for name in source.namelist():
                data = source.read(name)
                target.writestr(name, json.dumps(as_keras_2_15(json.loads(data))) if name == CONFIG else data)
        return tf.keras.models.load_model(mended, custom_objects=CUSTOM_OBJECTS, compile=False)


def as_keras_2_15(config: object) -> object:
    """Returns a serialized configuration with the modules of Keras 2.15, and inputs without `optional`."""
    if isinstance(config, list):
        return [as_keras_2_15(item) for item in config]
    if not isinstance(config, dict):
        return config
    config = {name: as_keras_2_15(value) for name, value in config.items()}
    if str(config.get("module")).startswith("tf_keras."):
        config["module"] = config["module"].removeprefix("tf_")
    if config.get("class_name") == "InputLayer" and config["config"].pop("optional", False):
        raise ValueError(f"load_keras_file: expected inputs that are always given; received {config['name']}, which may be "
                         "left out.")
    return config
