"""A SavedModel with the signatures of DESIGN.md, small enough for tests: mean colours of the four quarters."""

from pathlib import Path

import tensorflow as tf

from landmark_zoo.data.image_ops import decode_image, resize_long_side

SIDE = 64


class TinyModel(tf.Module):
    """Embeds a picture as the mean colours of its quarters: [12], L2-normalised; a black one has length 0."""

    def __init__(self, scale: float, signatures: tuple[str, ...]):
        super().__init__()
        self.scale = tf.Variable(scale)
        facts = {"name": tf.constant("tiny"), "dimension": tf.constant(12), "scales": tf.constant([1.0]),
                 "side": tf.constant(SIDE), "preprocessing": tf.constant("none")}

        def embed_images(images):
            cells = tf.image.resize(tf.cast(images, tf.float32), [2, 2], method="area")
            return {"embedding": tf.math.l2_normalize(tf.reshape(cells, [-1, 12]), axis=1) * self.scale}

        def embed_one(encoded):
            return embed_images(resize_long_side(decode_image(encoded), SIDE)[None])["embedding"][0]

        def embed_bytes(image_bytes):
            return {"embedding": tf.map_fn(embed_one, image_bytes, tf.TensorSpec([12], tf.float32))}

        functions = {
            "serving_default": tf.function(embed_bytes, [tf.TensorSpec([None], tf.string, name="image_bytes")]),
            "images": tf.function(embed_images, [tf.TensorSpec([None, None, None, 3], tf.float32, name="images")]),
            "info": tf.function(lambda: facts, []),
        }
        self.functions = {name: functions[name] for name in signatures}


def write_tiny_saved_model(path: Path, scale: float = 1.0,
                           signatures: tuple[str, ...] = ("serving_default", "images", "info")) -> Path:
    """Writes the SavedModel; `scale` is the length of its embeddings (1 in a sane model)."""
    model = TinyModel(scale, signatures)
    tf.saved_model.save(model, str(path), signatures=model.functions)
    return path
