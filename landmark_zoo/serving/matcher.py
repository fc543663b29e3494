"""Export of a matcher of local features as a SavedModel of its own.

    match(keypoints0: float32[B, M, 2], descriptors0: float32[B, M, C], size0: float32[B, 2],
          keypoints1: float32[B, N, 2], descriptors1: float32[B, N, C], size1: float32[B, 2])
        -> {"matches": int32[B, M], "scores": float32[B, M]}
    info() -> constants

Keypoints are x and y in pixels of their image, whose width and height is its size; the signature `keypoints` of an exported
XFeat gives them. A row of zeros in the descriptors is no point: so pairs with different numbers of points go through as one
batch, and a side may have no point at all. `matches` holds, for each point of the first image, the number of one in the
second, or -1. What is no number, does not fit together or lies outside its image ends in InvalidArgumentError with the
reason.
"""

from collections.abc import Mapping
from pathlib import Path

import tensorflow as tf

from landmark_zoo.core.files import atomic_directory
from landmark_zoo.models.inspection import weights_fingerprint
from landmark_zoo.models.lighterglue import INPUT, LighterGlue
from landmark_zoo.serving.export import next_version
from landmark_zoo.serving.signatures import info_constant

TOLERANCE = 1e-3
"""Pixels by which a point may lie outside its image: those of XFeat are scaled in float32."""


class MatcherSignatures(tf.Module):
    """Puts a matcher behind its signatures.

    Args:
        model: The matcher, built.
        info: More facts for `info`.
    """

    def __init__(self, model: LighterGlue, info: Mapping[str, object]):
        super().__init__(name="matcher")
        self.weights = model.variables  # and not the model: Keras would be saved too
        facts = {"dimension": INPUT, "pruning": model.pruning, "threshold": model.threshold,
                 "weights_sha256": weights_fingerprint(model), **info}
        constants = {key: info_constant(value) for key, value in facts.items()}
        shapes = {"keypoints": [None, None, 2], "descriptors": [None, None, INPUT], "size": [None, 2]}

        @tf.function(input_signature=[tf.TensorSpec(shape, tf.float32, name=f"{name}{side}")
                                      for side in range(2) for name, shape in shapes.items()])
        def match(keypoints0, descriptors0, size0, keypoints1, descriptors1, size1):
            checks = [tf.debugging.Assert(tf.shape(keypoints0)[0] == tf.shape(keypoints1)[0], [tf.strings.format(
                "Expected as many first images as second ones; received {} and {}.",
                (tf.shape(keypoints0)[0], tf.shape(keypoints1)[0]))])]
            for side, values in enumerate(((keypoints0, descriptors0, size0), (keypoints1, descriptors1, size1))):
                checks += check_points(*values, side)
            with tf.control_dependencies(checks):
                values = map(tf.identity, (keypoints0, descriptors0, size0, keypoints1, descriptors1, size1))
            names = [f"{name}{side}" for side in range(2) for name in shapes]
            return model(dict(zip(names, values, strict=True)), training=False)

        @tf.function(input_signature=[])
        def info_signature():
            return {key: tf.identity(value) for key, value in constants.items()}

        self.match, self.info = match, info_signature


def check_points(keypoints: tf.Tensor, descriptors: tf.Tensor, size: tf.Tensor, side: int) -> list[tf.Operation]:
    """Returns assertions on the points of one side; see the head of this file.

    Args:
        keypoints: [B, K, 2].
        descriptors: [B, K, C].
        size: [B, 2].
        side: 0 or 1, for the messages.
    """
    shapes = tf.shape(keypoints)[:2], tf.shape(descriptors)[:2]
    fit = tf.reduce_all(shapes[0] == shapes[1]) & (tf.shape(size)[0] == shapes[0][0])
    fitting = tf.debugging.Assert(fit, [tf.strings.format(
        f"Expected a keypoint{side} for each descriptor{side}, a size{side} for each image; received {{}}, {{}}, {{}}.",
        (*shapes, tf.shape(size)[:1]))])
    with tf.control_dependencies([fitting]):
        keypoints, descriptors, size = map(tf.identity, (keypoints, descriptors, size))
    numbers = [tf.reduce_all(tf.math.is_finite(values)) for values in (keypoints, descriptors, size)]
    found = tf.reduce_any(descriptors != 0, axis=-1)
    inside = (keypoints >= -TOLERANCE) & (keypoints <= size[:, tf.newaxis] + TOLERANCE)
    return [
        tf.debugging.Assert(tf.reduce_all(numbers), [
            f"Expected keypoints{side}, descriptors{side} and size{side} that are numbers; received NaN or infinite ones."]),
        tf.debugging.Assert(tf.reduce_all(size > 0), [
            f"Expected size{side} of a width and a height above 0; received others."]),
        tf.debugging.Assert(tf.reduce_all(inside | ~found[..., tf.newaxis]), [
            f"Expected keypoints{side} as x and y in pixels within size{side}, width and height; received others."])]


def write_matcher(model: LighterGlue, directory: str | Path, info: Mapping[str, object]) -> Path:
    """Writes `directory/<version>/`, one version higher than those there, all of it or nothing.

    Args:
        model: The matcher, built.
        directory: `<name>` of the matcher.
        info: More facts for the `info` signature.

    Returns:
        The folder of the new version.
    """
    directory = Path(directory)
    path = next_version(directory)
    module = MatcherSignatures(model, {"name": directory.name, **info})
    with atomic_directory(path) as temporary:
        tf.saved_model.save(module, str(temporary), signatures={"match": module.match, "info": module.info})
    return path
