"""The SavedModel of a matcher."""

import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf

from landmark_zoo.serving.matcher import check_points
from tests.models.record_xfeat import RECORD, pictures

SIZES = [(image.shape[1], image.shape[0]) for image in pictures()]


def recorded_pair(count=(100, 100)):
    recorded, inputs = np.load(RECORD), {}
    for side in range(2):
        inputs |= {f"{name}{side}": tf.constant(recorded[f"{name}{side}"][None, :count[side]])
                   for name in ("keypoints", "descriptors")}
        inputs[f"size{side}"] = tf.constant([SIZES[side]], tf.float32)
    return inputs


def changed(inputs, name, change):
    values = inputs[name].numpy()
    change(values)
    return {**inputs, name: tf.constant(values)}


@pytest.fixture(scope="module")
def checked():
    """The assertions alone: small to trace."""
    @tf.function(input_signature=[tf.TensorSpec(shape) for shape in ([None, None, 2], [None, None, 64], [None, 2])])
    def check(keypoints, descriptors, size):
        with tf.control_dependencies(check_points(keypoints, descriptors, size, 1)):
            return tf.identity(size)
    return check


def corner(value):
    def change(values):
        values[0, 0] = value
    return change


@pytest.mark.parametrize(("name", "change", "message"), [
    ("keypoints1", corner(np.nan), "keypoints1, descriptors1 and size1 that are numbers"),
    ("descriptors1", corner(np.inf), "that are numbers"),
    ("keypoints1", corner(200), "keypoints1 as x and y in pixels within size1, width and height"),
    ("keypoints1", corner(-1), "within size1"), ("size1", corner(0), "a width and a height above 0")])
def test_what_is_refused(checked, name, change, message):
    inputs = recorded_pair()
    names = ("keypoints1", "descriptors1", "size1")
    checked(*(inputs[each] for each in names))
    with pytest.raises(tf.errors.InvalidArgumentError, match=message):
        checked(*(changed(inputs, name, change)[each] for each in names))


def test_shapes_that_do_not_fit(checked):
    inputs = recorded_pair()
    with pytest.raises(tf.errors.InvalidArgumentError, match="a keypoint1 for each descriptor1"):
        checked(inputs["keypoints1"][:, :5], inputs["descriptors1"], inputs["size1"])


def test_padding_may_stand_outside_the_image(checked):
    inputs = recorded_pair()
    points, descriptors = inputs["keypoints1"].numpy(), inputs["descriptors1"].numpy()
    points[0, 3], descriptors[0, 3] = 999, 0
    checked(points, descriptors, inputs["size1"])


@pytest.mark.slow
def test_the_export_equals_the_authors_code(xfeat_exports):
    loaded = tf.saved_model.load(str(xfeat_exports[1]))
    found = loaded.signatures["match"](**recorded_pair())
    recorded = np.load(RECORD)
    np.testing.assert_array_equal(found["matches"][0], recorded["matches_0.95"])
    for count in ((0, 100), (100, 0), (0, 0)):
        found = loaded.signatures["match"](**recorded_pair(count))
        assert found["matches"].numpy().tolist() == [[-1] * count[0]]
    info = {name: value.numpy() for name, value in loaded.signatures["info"]().items()}
    assert (info["name"], info["git_commit"], info["dimension"]) == (b"lighterglue", b"abc", 64)
    assert (info["pruning"], info["threshold"]) == (0.95, 0.1)
    uneven = {name: tf.repeat(value, 2 - int(name[-1]), 0) for name, value in recorded_pair().items()}
    with pytest.raises(tf.errors.InvalidArgumentError, match="as many first images as second ones; received 2 and 1"):
        loaded.signatures["match"](**uneven)


_ELSEWHERE = """
import sys, numpy, tensorflow
loaded = tensorflow.saved_model.load(sys.argv[1])
inputs = {name: tensorflow.constant(value) for name, value in numpy.load(sys.argv[2]).items()}
print(*loaded.signatures["match"](**inputs)["matches"].numpy()[0])
points = tensorflow.saved_model.load(sys.argv[3])
points.signatures["keypoints"](images=tensorflow.zeros([1, 64, 96, 3]), count=tensorflow.constant(5))
assert "landmark_zoo" not in sys.modules
"""


@pytest.mark.slow
def test_loads_without_our_code(xfeat_exports, tmp_path):
    np.savez(tmp_path / "inputs.npz", **recorded_pair())
    done = subprocess.run([sys.executable, "-I", "-c", _ELSEWHERE, xfeat_exports[1], tmp_path / "inputs.npz",
                           xfeat_exports[0]], check=True, capture_output=True, text=True, cwd=tmp_path)
    assert " E tensorflow/core/grappler" not in done.stderr  # a graph that an optimiser of TensorFlow cannot read
    assert done.stdout.split() == [str(number) for number in np.load(RECORD)["matches_0.95"]]
