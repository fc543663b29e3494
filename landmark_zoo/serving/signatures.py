"""The signatures of an exported model (DESIGN.md, "SavedModel").

    serving_default(image_bytes: string[N]) -> {"embedding": float32[N, D]}
    images(images: float32[N, H, W, 3]) -> {"embedding": float32[N, D]}
    crop(image_bytes: string[N], box: float32[N, 4]) -> {"embedding": float32[N, D]}
    info() -> constants
    local(images: float32[N, H, W, 3]) -> {"features": float32[N, h, w, C], "scores": float32[N, h, w]}

`images` takes pictures whose longer side is `info`'s `side`; `serving_default` and `crop` bring theirs there and go the same
way. A box is x0, y0, x1, y1 in pixels of the picture as it is stored, and is cut out before anything is resized.

`local` is for re-ranking, and only where a model has a feature map. Its features, of length 1, are the model's output
"local_features" where there is one, else its feature map; its scores say which locations to take: the model's
"attention/score" (DELF, DELG) or "attention/how", else the lengths of the feature map's vectors.
"""

from collections.abc import Callable, Mapping

import tensorflow as tf

from landmark_zoo.data.resize import resize_long_side
from landmark_zoo.serving.crop_or_name import crop_or_name
from landmark_zoo.serving.decode_or_name import decode_or_name
from landmark_zoo.serving.embedders.embedder import Embedder
from landmark_zoo.serving.never_empty import never_empty

NAMES = ("serving_default", "images", "crop", "info", "local")
_BYTES = tf.TensorSpec([None], tf.string, name="image_bytes")
_BOX = tf.TensorSpec([None, 4], tf.float32, name="box")
_IMAGES = tf.TensorSpec([None, None, None, 3], tf.float32, name="images")


class Signatures(tf.Module):
    """Puts an embedder behind its signatures.

    Encoded pictures go through one after another: each has its own size, and so no more than one lies decoded in memory,
    at three bytes a pixel.

    Args:
        embedder: Gives the embedding, and its facts for `info`.
        info: More facts for `info`: strings, ints, floats or lists of them.
    """

    def __init__(self, embedder: Embedder, info: Mapping[str, object]):
        super().__init__(name="landmark_model")
        self.embedder = embedder
        constants = {key: _constant(value) for key, value in {**embedder.facts, **info}.items()}

        def embed_one(image: tf.Tensor) -> tf.Tensor:
            return embedder(resize_long_side(image, embedder.side)[tf.newaxis])[0]

        def embed_each(read: Callable[[tuple], tf.Tensor], inputs: tuple[tf.Tensor, ...]) -> dict[str, tf.Tensor]:
            return {"embedding": tf.map_fn(lambda picture: embed_one(read(picture)), inputs, parallel_iterations=1,
                                           fn_output_signature=tf.TensorSpec([embedder.dimension], tf.float32))}

        @tf.function(input_signature=[_BYTES])
        def serving_default(image_bytes):
            return embed_each(lambda picture: decode_or_name(*picture), (image_bytes, tf.range(tf.size(image_bytes))))

        @tf.function(input_signature=[_BYTES, _BOX])
        def crop(image_bytes, box):
            count = tf.size(image_bytes)
            paired = tf.debugging.Assert(tf.shape(box)[0] == count, [tf.strings.format(
                "Expected a box for each of {} pictures; received {} boxes.", (count, tf.shape(box)[0]))])
            with tf.control_dependencies([paired]):
                return embed_each(lambda picture: crop_or_name(decode_or_name(picture[0], picture[2]), *picture[1:]),
                                  (image_bytes, box, tf.range(count)))

        @tf.function(input_signature=[_IMAGES])
        def images(images):
            return never_empty(lambda batch: {"embedding": embedder(batch)}, images)

        @tf.function(input_signature=[])
        def info_signature():
            return {key: tf.identity(value) for key, value in constants.items()}

        @tf.function(input_signature=[_IMAGES])
        def local(images):
            return never_empty(embedder.local, images)

        self.serving_default, self.images, self.crop, self.info = serving_default, images, crop, info_signature
        if embedder.has_local:
            self.local = local

    def functions(self) -> dict[str, tf.types.experimental.GenericFunction]:
        """Returns the signatures by name, as `tf.saved_model.save` asks for them."""
        return {name: getattr(self, name) for name in NAMES if hasattr(self, name)}


def _constant(value: object) -> tf.Tensor:
    """Returns a constant that gives a Python float back as it is."""
    floats = value if isinstance(value, list | tuple) else [value]
    return tf.constant(value, tf.float64 if any(isinstance(item, float) for item in floats) else None)
