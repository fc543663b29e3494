"""The signatures of an exported model (DESIGN.md, "SavedModel").

    serving_default(image_bytes: string[N]) -> {"embedding": float32[N, D]}
    images(images: float32[N, H, W, 3]) -> {"embedding": float32[N, D]}
    info() -> constants
    local(images: float32[N, H, W, 3]) -> {"features": float32[N, h, w, C], "scores": float32[N, h, w]}

The last one is for re-ranking, and only where a model has a feature map. Its features, of length 1, are the model's output
"local_features" where there is one, else its feature map; its scores say which locations to take: the model's
"attention/score" (DELF, DELG) or "attention/how", else the lengths of the feature map's vectors.
"""

from collections.abc import Mapping

import tensorflow as tf

from landmark_zoo.data.resize import resize_long_side
from landmark_zoo.layers.l2_normalise import l2_normalise
from landmark_zoo.serving.decode_or_name import decode_or_name

NAMES = ("serving_default", "images", "info", "local")


class Signatures(tf.Module):
    """Holds a model's variables, and nothing of Keras, behind its signatures.

    Args:
        model: Images [B, H, W, 3] to a dict with "embedding" [B, D]; with "feature_map" or "local_features" [B, h, w, C] it
            gets the signature `local`.
        side: Pixels of the longer side to which `serving_default` brings every picture.
        info: Facts for `info`: strings, ints, floats or lists of them.
    """

    def __init__(self, model: tf.keras.Model, side: int, info: Mapping[str, object]):
        super().__init__(name="landmark_model")
        self.parameters = model.variables
        dimension = model.output_shape["embedding"][-1]
        constants = {key: tf.constant(value) for key, value in info.items()}

        def embed(images: tf.Tensor) -> tf.Tensor:
            return model(images, training=False)["embedding"]

        def embed_one(picture: tuple[tf.Tensor, tf.Tensor]) -> tf.Tensor:
            image = resize_long_side(decode_or_name(*picture), side)
            return embed(image[tf.newaxis])[0]

        @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="image_bytes")])
        def serving_default(image_bytes):
            embeddings = tf.map_fn(embed_one, (image_bytes, tf.range(tf.size(image_bytes))),
                                   fn_output_signature=tf.TensorSpec([dimension], tf.float32))
            return {"embedding": embeddings}

        @tf.function(input_signature=[tf.TensorSpec([None, None, None, 3], tf.float32, name="images")])
        def images(images):
            return {"embedding": embed(images)}

        @tf.function(input_signature=[])
        def info_signature():
            return {key: tf.identity(value) for key, value in constants.items()}

        @tf.function(input_signature=[tf.TensorSpec([None, None, None, 3], tf.float32, name="images")])
        def local(images):
            return local_features(model(images, training=False))

        self.serving_default, self.images, self.info = serving_default, images, info_signature
        if not model.output.keys().isdisjoint(("feature_map", "local_features")):
            self.local = local

    def functions(self) -> dict[str, tf.types.experimental.GenericFunction]:
        """Returns the signatures by name, as `tf.saved_model.save` asks for them."""
        return {name: getattr(self, name) for name in NAMES if hasattr(self, name)}


def local_features(outputs: Mapping[str, tf.Tensor]) -> dict[str, tf.Tensor]:
    """Returns "features" and "scores" of the signature `local`.

    Args:
        outputs: Of a model with "feature_map" or "local_features" [B, h, w, C].
    """
    features = outputs["local_features"] if "local_features" in outputs else outputs["feature_map"]
    attention = outputs.get("attention/score", outputs.get("attention/how"))
    scores = tf.norm(tf.cast(features, tf.float32), axis=-1) if attention is None else tf.cast(attention[..., 0], tf.float32)
    return {"features": l2_normalise(features), "scores": scores}
