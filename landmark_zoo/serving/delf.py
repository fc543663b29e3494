"""TensorFlow's own DELF, DELG and GLDv2 baseline: their SavedModels behind the interface of embedders.

Files of tensorflow/models, research/delf (Apache-2.0). They take one image, its scales and limits, and give a global vector
a scale, local features, or both. Files of TensorFlow 1 are fed and fetched by the names of tensors (`input_image:0`),
those that the training code exports by the same names as arguments of `serving_default`.
"""

import functools
from collections.abc import Callable, Mapping
from math import prod
from pathlib import Path
from typing import Any

import tensorflow as tf

from landmark_zoo.core.errors import UserError
from landmark_zoo.data.protocol import PUBLISHED, Protocol
from landmark_zoo.layers.embedding import l2_normalize
from landmark_zoo.saved_model import fingerprint_of, load_signatures
from landmark_zoo.serving.network import Embedder

LOCAL_SCALES = (0.25, 0.35355, 0.5, 0.70711, 1.0, 1.41421, 2.0)
"""Scales of local features, as factors of the image; those of the global vector are the protocol's."""
MOST_FEATURES, STRIDE = 1000, 16
_LOCAL, _GLOBAL = ("boxes", "features", "scores"), ("global_descriptors",)
_LIMITS = ("input_abs_thres", "input_max_feature_num")
_FEEDS = {"input_image": tf.uint8, "input_scales": tf.float32, "input_abs_thres": tf.float32,
          "input_max_feature_num": tf.int32, "input_global_scales_ind": tf.int32}


class DelfSavedModel(Embedder):
    """Embedder of a SavedModel of DELF, DELG or the GLDv2 baseline, at its authors' protocol.

    The embedding is the sum of the global vectors of three scales, each at length 1, brought to length 1. DELF has no global
    vector: there it is the sum of the directions of its local features times their scores, as when it was trained.
    `keypoints` are the local features that are found at seven scales: centers of boxes, unit vectors, attention scores.

    Args:
        path: Folder with `saved_model.pb`.
        threshold: Attention score that a local feature must reach: 175.0 for r50delg_gld, 357.48 for
            r101delg_gldv2clean as their authors set it.
        protocol: Side, resize rule and scales; "delg" where None.

    Raises:
        UserError: An unreadable SavedModel, or one of another network.
    """

    def __init__(self, path: str | Path, threshold: float = 0.0, protocol: Protocol | None = None):
        super().__init__(name="delf")
        self._path, self._protocol = Path(path), protocol or PUBLISHED["delg"]
        self._loaded, self._threshold = load_signatures(self._path), threshold  # keeps the variables
        self._feeds, self._fetches = _names(self._loaded, self._path)
        self._call = _caller(self._loaded, self._feeds)
        self.side, self.has_keypoints = self._protocol.side, set(_LOCAL) <= set(self._fetches)
        self._has_global = _GLOBAL[0] in self._fetches
        probe = self(tf.zeros([1, 64, 64, 3]))
        self.dimension = int(probe.shape[-1])

    def __call__(self, images: tf.Tensor) -> tf.Tensor:
        return tf.map_fn(self._embed, images, fn_output_signature=tf.float32, parallel_iterations=1)

    def _embed(self, image: tf.Tensor) -> tf.Tensor:
        scales = self._protocol.scales.factors
        if self._has_global:
            found = self._run(_GLOBAL, image, scales, threshold=self._threshold, count=MOST_FEATURES)
            vectors, = found.values()
            return l2_normalize(tf.reduce_sum(l2_normalize(vectors), axis=0))
        found = self._run(("features", "scores"), image, scales, threshold=0.0, count=MOST_FEATURES)
        return l2_normalize(tf.reduce_sum(l2_normalize(found["features"]) * tf.reshape(found["scores"], [-1, 1]), axis=0))

    def keypoints(self, images: tf.Tensor, count: tf.Tensor) -> dict[str, tf.Tensor]:
        """Returns "keypoints", "descriptors" and "scores" of the signature `keypoints`."""
        def find(image: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
            found = self._run(_LOCAL, image, LOCAL_SCALES, self._threshold, count)
            boxes, scores = found["boxes"], tf.reshape(found["scores"], [-1])
            best = tf.argsort(scores, direction="DESCENDING", stable=True)[:count]
            centers = (boxes[:, :2] + boxes[:, 2:]) / 2
            rows = (centers[:, ::-1], l2_normalize(found["features"]), scores)
            return tuple(_padded(tf.gather(each, best), count) for each in rows)

        points, vectors, scores = tf.map_fn(find, images, parallel_iterations=1,
                                            fn_output_signature=(tf.float32, tf.float32, tf.float32))
        most = tf.reduce_max(tf.reduce_sum(tf.cast(scores > 0, tf.int32), axis=1))
        return {"keypoints": points[:, :most], "descriptors": vectors[:, :most], "scores": scores[:, :most]}

    def _run(self, fetches: tuple[str, ...], image: tf.Tensor, scales: tuple[float, ...], threshold: float,
             count: tf.Tensor | int) -> dict[str, tf.Tensor]:
        """Runs the network on one image [H, W, 3], float32; fetches those outputs."""
        pixels = tf.cast(tf.clip_by_value(tf.round(image), 0.0, 255.0), tf.uint8)
        given = {"input_image": pixels, "input_scales": scales, "input_abs_thres": threshold,
                 "input_max_feature_num": count, "input_global_scales_ind": list(range(len(scales)))}
        given = {name: tf.cast(tf.convert_to_tensor(given[name]), _FEEDS[name]) for name in self._feeds}
        return self._call(fetches, given)

    @property
    def protocol(self) -> Protocol:
        return self._protocol

    @property
    def facts(self) -> dict[str, Any]:
        local = {"local_stride": STRIDE, "local_threshold": self._threshold} if self.has_keypoints else {}
        return {"dimension": self.dimension, **self._protocol.constants, "resize": self._protocol.words,
                "aggregation": self._protocol.aggregation, "whitening": "none", "whitening_learnt_on": "none",
                "preprocessing": "inside; RGB 0..255", "weights_sha256": fingerprint_of(self._path), **local}

    @property
    def parameters(self) -> int:
        file = self._path / "variables" / "variables"
        variables = tf.train.list_variables(str(file)) if file.with_suffix(".index").exists() else []
        return sum(prod(shape) for name, shape in variables if shape and not name.startswith("_CHECKPOINTABLE"))

    def multiply_accumulates(self, height: int, width: int) -> None:
        """Returns None: the network sees seven scales or three, of sizes that its graph computes."""


def _caller(loaded: Any, feeds: list[str]) -> Callable[[tuple[str, ...], Mapping[str, tf.Tensor]], dict[str, tf.Tensor]]:
    """Returns a function of the outputs that are wanted and of all feeds by name."""
    if not hasattr(loaded, "prune"):  # not of TensorFlow 1
        signature = loaded.signatures["serving_default"]

        def call(fetches: tuple[str, ...], given: Mapping[str, tf.Tensor]) -> dict[str, tf.Tensor]:
            found = signature(**given)
            return {name: found[name] for name in fetches}

        return call

    @functools.cache
    def pruned(fetches: tuple[str, ...]) -> tuple[list[str], Any]:
        unused = _LIMITS if fetches == _GLOBAL else ("input_global_scales_ind",)
        needed = [name for name in feeds if name not in unused]
        return needed, loaded.prune([f"{name}:0" for name in needed], [f"{name}:0" for name in fetches])

    def call_pruned(fetches: tuple[str, ...], given: Mapping[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        needed, function = pruned(fetches)
        return dict(zip(fetches, function(*(given[name] for name in needed)), strict=True))

    return call_pruned


def _padded(rows: tf.Tensor, count: tf.Tensor) -> tf.Tensor:
    missing = tf.maximum(count - tf.shape(rows)[0], 0)
    return tf.pad(rows, [[0, missing], *([[0, 0]] * (rows.shape.rank - 1))])


def _names(loaded: Any, path: Path) -> tuple[list[str], list[str]]:
    """Returns which feeds and fetches a SavedModel has.

    Raises:
        UserError: It has neither global vectors nor local features of one image.
    """
    if hasattr(loaded, "prune"):
        known = {operation.name for operation in loaded.graph.get_operations()}
    else:
        signature = loaded.signatures.get("serving_default")
        inputs: Mapping[str, Any] = signature.structured_input_signature[1] if signature else {}
        known = {*inputs, *(signature.structured_outputs if signature else {})}
    feeds = [name for name in _FEEDS if name in known]
    fetches = [name for name in (*_LOCAL, *_GLOBAL) if name in known]
    if not {"input_image", "input_scales"} <= set(feeds) or not ({*_GLOBAL} <= set(fetches) or {*_LOCAL} <= set(fetches)):
        raise UserError("a SavedModel of DELF, DELG or the GLDv2 baseline (input_image, input_scales to global_descriptors, "
                        "or to boxes, features, scores)", f"{', '.join([*feeds, *fetches]) or 'none of these'} at {path}",
                        "Unpack an archive of storage.googleapis.com/delf and name its folder.")
    return feeds, fetches
