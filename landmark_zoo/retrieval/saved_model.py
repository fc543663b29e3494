"""An exported model as plain TensorFlow sees it: image bytes in, embeddings out."""

import hashlib
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from landmark_zoo.core.errors import UserError
from landmark_zoo.data.photograph import BadPhotograph

SIGNATURES = ("serving_default", "images", "info")


class EmbeddingModel:
    """Loads a SavedModel with the signatures of DESIGN.md and keeps it alive.

    `serving_default(image_bytes: string[N]) -> {"embedding": float32[N, D]}`, `images(images: [N, H, W, 3])` and
    `info()`; and, for re-ranking, `local`, which only models with a feature map have. (The signatures of a loaded object do
    not keep its variables, hence a class; tensorflow#46708.)

    Args:
        path: `<name>/<version>`, or `<name>`, of which the highest version is taken.

    Attributes:
        path: The version folder that was loaded.
        info: What the model says of itself, as Python values: name, dimension, scales, preprocessing, ...
        dimension: D, the length of an embedding.

    Raises:
        UserError: No SavedModel there, an unreadable one, or one without these signatures.
    """

    def __init__(self, path: str | Path):
        self.path = _version_folder(Path(path))
        try:
            self._loaded = tf.saved_model.load(str(self.path))
        except (OSError, ValueError, tf.errors.OpError) as error:
            raise UserError(f"a readable SavedModel at {self.path}", str(error).splitlines()[0],
                            "Export the model again or copy it again.") from error
        self._check_signatures()
        self.info = {key: _python_value(value) for key, value in self._loaded.signatures["info"]().items()}
        self.dimension = self._checked_dimension()

    def embed_bytes(self, encoded: Sequence[bytes]) -> np.ndarray:
        """Returns the embeddings of encoded pictures (JPEG, PNG): float32 [N, D].

        Raises:
            BadPhotograph: The model refuses one of them.
        """
        if len(encoded) == 0:
            return np.zeros((0, self.dimension), np.float32)
        embed = self._loaded.signatures["serving_default"]
        try:
            return embed(image_bytes=tf.constant(list(encoded), tf.string))["embedding"].numpy()
        except tf.errors.InvalidArgumentError as error:
            raise BadPhotograph(_reason(error)) from error

    def embed_images(self, images: np.ndarray) -> np.ndarray:
        """Returns the embeddings of pictures of one size, float32 [N, D].

        Args:
            images: RGB, 0..255, float32 [N, H, W, 3], both sides 32 or more.
        """
        return self._loaded.signatures["images"](images=tf.constant(images, tf.float32))["embedding"].numpy()

    def local(self, images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Returns the local features of pictures of one size, float32 [N, h, w, C], and their scores, float32 [N, h, w].

        Args:
            images: RGB, 0..255, float32 [N, H, W, 3], both sides 32 or more.

        Raises:
            UserError: A model without the signature `local`.
        """
        self.check_local()
        found = self._loaded.signatures["local"](images=tf.constant(images, tf.float32))
        return found["features"].numpy(), found["scores"].numpy()

    def check_local(self) -> None:
        """Raises a UserError unless the model has the signature `local`."""
        if "local" not in self._loaded.signatures:
            raise UserError(f"a SavedModel with the signature local at {self.path}",
                            f"signatures {', '.join(sorted(self._loaded.signatures))}",
                            "Export the model again, or re-rank by SIFT.")

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 over `saved_model.pb` and the variables; the same for every copy of an export."""
        digest = hashlib.sha256()
        for file in [self.path / "saved_model.pb", *sorted((self.path / "variables").glob("*"))]:
            with open(file, "rb") as stream:
                digest.update(f"{file.name} {hashlib.file_digest(stream, 'sha256').hexdigest()}\n".encode())
        return digest.hexdigest()

    def _check_signatures(self):
        signatures = self._loaded.signatures
        for name in SIGNATURES:
            if name not in signatures:
                raise UserError(f"a SavedModel with the signature {name} at {self.path}",
                                f"signatures {', '.join(sorted(signatures)) or '(none)'}",
                                "Export it with the scripts in export/.")
        inputs = signatures["serving_default"].structured_input_signature[1]
        outputs = signatures["serving_default"].structured_outputs
        types = {name: spec.dtype.name for name, spec in {**inputs, **outputs}.items()}
        if types.get("image_bytes") != "string" or types.get("embedding") != "float32":
            raise UserError("serving_default(image_bytes: string) -> embedding: float32", f"{types} at {self.path}",
                            "Export it with the scripts in export/.")

    def _checked_dimension(self) -> int:
        stated = self.info.get("dimension")
        actual = self._loaded.signatures["serving_default"].structured_outputs["embedding"].shape[-1]
        if not isinstance(stated, int) or actual not in (None, stated):
            raise UserError(f"info() to state the dimension {actual} of the embedding", f"{stated!r} at {self.path}",
                            "Export it with the scripts in export/.")
        return stated


def _version_folder(path: Path) -> Path:
    if (path / "saved_model.pb").is_file():
        return path
    versions = [file.parent for file in path.glob("*/saved_model.pb") if file.parent.name.isdecimal()]
    if not versions:
        raise UserError(f"a SavedModel at {path} (saved_model.pb, or folders 1, 2, ... with one)",
                        "none" if path.is_dir() else "no such folder", "Check --savedmodel, or export a model first.")
    return max(versions, key=lambda folder: int(folder.name))


def _reason(error: tf.errors.InvalidArgumentError) -> str:
    """Returns the line of TensorFlow's message that says something about the picture."""
    about_the_graph = ("Graph execution error", "Detected at node", "<stack traces", "\t", " ")
    lines = [line for line in error.message.splitlines() if line and not line.startswith(about_the_graph)]
    return lines[-1] if lines else "refused by the model"


def _python_value(tensor: tf.Tensor) -> Any:
    value = tensor.numpy()
    if isinstance(value, bytes):
        return value.decode()
    if isinstance(value, np.ndarray) and value.dtype == object:
        return [item.decode() for item in value.ravel()]
    return value.tolist()
