"""Layers by registered name, and files that hold names of earlier versions."""

import zipfile

import numpy as np
import pytest
import tensorflow as tf

from landmark_zoo import layers
from landmark_zoo.layers import CUSTOM_OBJECTS, HEADS, L2Normalize, NeuralNearestNeighbors, SubCenterArcFace

FORMER = {"L2Normalise": L2Normalize, "NeuralNearestNeighbours": NeuralNearestNeighbors,
          "SubCentreArcFace": SubCenterArcFace}


def with_former_names(path, former):
    """Copies a `.keras` file with its configuration as an earlier version wrote it."""
    kind, copy = FORMER[former], path.with_name("former.keras")
    with zipfile.ZipFile(path) as source, zipfile.ZipFile(copy, "w") as target:
        for name in source.namelist():
            text = source.read(name)
            if name == "config.json":
                assert f'"landmark_zoo>{kind.__name__}"'.encode() in text
                text = text.replace(kind.__name__.encode(), former.encode())
            target.writestr(name, text)
    return copy


@pytest.mark.parametrize(("former", "layer", "shape"), [
    ("L2Normalise", L2Normalize(), [4]), ("SubCentreArcFace", SubCenterArcFace(3, sub_centres=2), [4]),
    ("NeuralNearestNeighbours", NeuralNearestNeighbors(k=2, reduction=2), [3, 2, 4])])
def test_files_with_former_names_load(former, layer, shape, tmp_path):
    inputs = tf.keras.Input(shape)
    model = tf.keras.Model(inputs, layer(inputs))
    values = np.random.default_rng(0).standard_normal((2, *shape)).astype(np.float32)
    model.save(tmp_path / "today.keras")
    path = with_former_names(tmp_path / "today.keras", former)
    for table in (None, CUSTOM_OBJECTS):
        loaded = tf.keras.models.load_model(path, custom_objects=table)
        assert type(loaded.layers[-1]) is FORMER[former]
        np.testing.assert_array_equal(loaded(values), model(values))


def test_every_exported_layer_is_in_the_table_by_its_registered_name():
    exported = [getattr(layers, name) for name in layers.__all__]
    kinds = {kind for kind in exported if isinstance(kind, type) and issubclass(kind, tf.keras.layers.Layer)}
    bases = {layers.Attention, layers.CosineHead, layers.Head, layers.Pooling, layers.VectorSum}
    assert kinds - bases == set(CUSTOM_OBJECTS.values())
    assert {name for name in CUSTOM_OBJECTS if name != tf.keras.utils.get_registered_name(CUSTOM_OBJECTS[name])} == {
        f"landmark_zoo>{former}" for former in FORMER}


def test_both_spellings_of_the_sub_center_head():
    assert HEADS["sub_centre_arcface"] is HEADS["sub_center_arcface"] is SubCenterArcFace
