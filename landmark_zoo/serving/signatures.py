"""The three signatures of an exported model (DESIGN.md, "SavedModel")."""

from collections.abc import Mapping

import tensorflow as tf

from landmark_zoo.data.resize import resize_long_side
from landmark_zoo.serving.decode_or_name import decode_or_name


class Signatures(tf.Module):
    """Holds a model's variables, and nothing of Keras, behind `serving_default`, `images` and `info`.

    Args:
        model: Images [B, H, W, 3] to a dict with "embedding" [B, D].
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

        self.serving_default, self.images, self.info = serving_default, images, info_signature
