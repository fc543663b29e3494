"""Small SavedModels with the feeds and fetches of tensorflow/models, research/delf."""

from pathlib import Path

import numpy as np
import tensorflow as tf

CHANNELS, LOCAL_CHANNELS, CELL = 5, 4, 16
_V1 = tf.compat.v1
KERNELS = {"global": np.random.default_rng(1).normal(size=[CELL, CELL, 3, CHANNELS]).astype(np.float32),
           "local": np.random.default_rng(2).normal(size=[CELL, CELL, 3, LOCAL_CHANNELS]).astype(np.float32)}


def network(image, scales, threshold, count, indices, kernels):
    """Returns boxes (y0, x0, y1, x1), features, scales and scores [N, 1] of the best cells, and a global vector a scale."""
    def at(scale):
        size = tf.cast(tf.round(tf.cast(tf.shape(image)[:2], tf.float32) * scale), tf.int32)
        pixels = (tf.image.resize(tf.cast(image, tf.float32)[tf.newaxis], size) - 128) / 128
        cells, whole = (tf.nn.conv2d(pixels, kernels[name], CELL, "VALID") for name in ("local", "global"))
        y, x = tf.meshgrid(tf.range(tf.shape(cells)[1]), tf.range(tf.shape(cells)[2]), indexing="ij")
        corner = tf.cast(tf.reshape(tf.stack([y, x], -1), [-1, 2]) * CELL, tf.float32) / scale
        features = tf.reshape(cells, [-1, LOCAL_CHANNELS])
        return (tf.concat([corner, corner + CELL / scale], 1), features, tf.fill([tf.shape(features)[0]], scale),
                tf.norm(features, axis=1, keepdims=True), tf.reduce_mean(whole, [1, 2]))

    def add(number, *found):
        return (number + 1, *(tf.concat(pair, 0) for pair in zip(found, at(scales[number]), strict=True)))

    widths = (4, LOCAL_CHANNELS, None, 1, CHANNELS)
    start = [tf.zeros([0] if width is None else [0, width]) for width in widths]
    shapes = [tf.TensorShape([None] if width is None else [None, width]) for width in widths]
    _, boxes, features, at_scale, scores, vectors = tf.while_loop(
        lambda number, *_: number < tf.size(scales), add, [0, *start], [tf.TensorShape([]), *shapes])
    best = tf.argsort(scores[:, 0], direction="DESCENDING", stable=True)
    best = tf.boolean_mask(best, tf.gather(scores[:, 0], best) >= threshold)[:count]
    return (*(tf.gather(each, best) for each in (boxes, features, at_scale, scores)), tf.gather(vectors, indices))


FETCHES = ("boxes", "features", "scales", "scores", "global_descriptors")


def write_tf1(folder: Path, fetches=FETCHES) -> Path:
    """Writes a SavedModel as TensorFlow 1 does: placeholders and named outputs, found by the names of tensors."""
    graph = tf.Graph()
    with graph.as_default(), _V1.Session(graph=graph) as session:
        image = _V1.placeholder(tf.uint8, [None, None, 3], "input_image")
        scales = _V1.placeholder(tf.float32, [None], "input_scales")
        threshold, count = tf.constant(0.0), tf.constant(1000)
        if "boxes" in fetches:
            threshold = _V1.placeholder(tf.float32, [], "input_abs_thres")
            count = _V1.placeholder(tf.int32, [], "input_max_feature_num")
        indices = tf.range(3)
        if "global_descriptors" in fetches:
            indices = _V1.placeholder(tf.int32, [None], "input_global_scales_ind")
        kernels = {name: _V1.get_variable(name, initializer=value) for name, value in KERNELS.items()}
        for name, tensor in zip(FETCHES, network(image, scales, threshold, count, indices, kernels), strict=True):
            if name in fetches:
                tf.identity(tensor, name)
        session.run(_V1.global_variables_initializer())
        builder = _V1.saved_model.Builder(str(folder))
        builder.add_meta_graph_and_variables(session, ["serve"])
        builder.save()
    return folder


class _Trained(tf.Module):
    def __init__(self):
        super().__init__()
        self.kernels = {name: tf.Variable(value) for name, value in KERNELS.items()}

    @tf.function(input_signature=[
        tf.TensorSpec([None, None, 3], tf.uint8, "input_image"), tf.TensorSpec([None], tf.float32, "input_scales"),
        tf.TensorSpec([], tf.int32, "input_max_feature_num"), tf.TensorSpec([], tf.float32, "input_abs_thres"),
        tf.TensorSpec([None], tf.int32, "input_global_scales_ind")])
    def extract(self, image, scales, count, threshold, indices):
        return dict(zip(FETCHES, network(image, scales, threshold, count, indices, self.kernels), strict=True))


def write_tf2(folder: Path) -> Path:
    """Writes a SavedModel as the training code does: arguments and outputs of `serving_default` by the same names."""
    module = _Trained()
    tf.saved_model.save(module, str(folder), signatures={"serving_default": module.extract})
    return folder
