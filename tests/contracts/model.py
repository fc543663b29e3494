"""What every named model must do: build, learn, and leave as a SavedModel that needs no code of ours."""

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import tensorflow as tf

from landmark_zoo.layers.heads.softmax import Head
from landmark_zoo.serving.export import export_saved_model

_LOAD = """
import pathlib, sys
import numpy as np
import tensorflow as tf
folder = pathlib.Path(sys.argv[1])
images = tf.constant(np.load(folder / "images.npy"))
for name in sys.argv[2:]:
    model = tf.saved_model.load(str(folder / name / "1"))
    np.save(folder / f"{name}.npy", model.signatures["images"](images=images)["embedding"].numpy())
assert "landmark_zoo" not in sys.modules
"""


def train_one_step(model: tf.keras.Model, images: np.ndarray, labels: np.ndarray) -> None:
    """Takes one step of plain gradient descent on all that the model trains; every weight must have a finite gradient."""
    head = next(layer for layer in model.layers if isinstance(layer, Head))
    before = [variable.numpy() for variable in model.trainable_variables]
    with tf.GradientTape() as tape:
        outputs = model(images, training=True)
        logits = [head.training_logits(outputs["logits"], labels)]
        if "attention_logits" in outputs:
            logits.append(outputs["attention_logits"])
        loss = tf.add_n([tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels, row)) for row in logits])
        if "reconstruction_error" in outputs:
            loss += tf.reduce_mean(outputs["reconstruction_error"])
    gradients = tape.gradient(loss, model.trainable_variables)
    for variable, gradient in zip(model.trainable_variables, gradients, strict=True):
        assert gradient is not None, f"no gradient reaches {variable.name}"
        assert np.isfinite(tf.convert_to_tensor(gradient)).all(), f"the gradient of {variable.name} is not finite"
    tf.keras.optimizers.SGD(1e-3).apply_gradients(zip(gradients, model.trainable_variables, strict=True))
    moved = [np.any(new.numpy() != old) for new, old in zip(model.trainable_variables, before, strict=True)]
    assert np.mean(moved) > 0.5, "the step moves the weights"


def export_and_embed(model: tf.keras.Model, folder: Path, images: np.ndarray) -> np.ndarray:
    """Writes `folder/<name>/1` and returns the embedding [B, D] of the model itself."""
    embedding = model(images, training=False)["embedding"].numpy()
    np.testing.assert_allclose(np.linalg.norm(embedding, axis=1), 1, atol=1e-5)
    export_saved_model(model, folder / model.name, side=max(images.shape[1:3]), info={})
    return embedding


def embed_elsewhere(folder: Path, names: Sequence[str], images: np.ndarray) -> dict[str, np.ndarray]:
    """Loads each `folder/<name>/1` in one process that cannot see this project, and returns what each makes of `images`."""
    np.save(folder / "images.npy", images)
    subprocess.run([sys.executable, "-I", "-c", _LOAD, str(folder), *names], check=True, cwd=folder, capture_output=True,
                   text=True)
    return {name: np.load(folder / f"{name}.npy", allow_pickle=False) for name in names}
