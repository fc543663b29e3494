"""Which weights a model has."""

import hashlib

import tensorflow as tf


def weights_fingerprint(model: tf.keras.Model) -> str:
    """Returns a SHA-256 over shape, type and values of every weight, in order; names do not count."""
    digest = hashlib.sha256()
    for weight in model.get_weights():
        digest.update(f"{weight.dtype} {weight.shape}\n".encode())
        digest.update(weight.tobytes())
    return digest.hexdigest()
