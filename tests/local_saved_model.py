"""A SavedModel with the signature `local`, small enough for tests: mean colours of cells of 32 pixels."""

from pathlib import Path

import tensorflow as tf


class LocalModel(tf.Module):
    """Embeds a picture as its mean colour; local features are the cells' mean colours, scores their brightness."""

    def __init__(self):
        super().__init__()
        facts = {"name": tf.constant("local"), "dimension": tf.constant(3), "side": tf.constant(64)}

        def embed_images(images):
            return {"embedding": tf.math.l2_normalize(tf.reduce_mean(tf.cast(images, tf.float32), (1, 2)), 1)}

        def embed_one(encoded):
            image = tf.io.decode_image(encoded, channels=3, expand_animations=False)
            return embed_images(tf.ensure_shape(image, [None, None, 3])[None])["embedding"][0]

        def embed_bytes(image_bytes):
            return {"embedding": tf.map_fn(embed_one, image_bytes, tf.TensorSpec([3], tf.float32))}

        def local(images):
            means = tf.nn.avg_pool2d(images, 32, 32, "SAME")
            return {"features": tf.math.l2_normalize(means, -1), "scores": tf.reduce_sum(means, -1)}

        spec = tf.TensorSpec([None, None, None, 3], tf.float32, name="images")
        self.functions = {
            "serving_default": tf.function(embed_bytes, [tf.TensorSpec([None], tf.string, name="image_bytes")]),
            "images": tf.function(embed_images, [spec]), "info": tf.function(lambda: facts, []),
            "local": tf.function(local, [spec])}


def write_local_saved_model(path: Path) -> Path:
    """Writes the SavedModel."""
    module = LocalModel()
    tf.saved_model.save(module, str(path), signatures=module.functions)
    return path
