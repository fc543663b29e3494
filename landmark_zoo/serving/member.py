"""An exported model as part of an ensemble."""

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from landmark_zoo.core.errors import UserError
from landmark_zoo.core.files import read_json, sha256

REQUIRED = ("serving_default", "images", "info")
TOLERANCE = 1e-3


class Member(tf.Module):
    """Loads a SavedModel with the signatures of DESIGN.md and keeps its variables.

    Whatever the network wants of its pixels happens inside the signature `images`, so members of all kinds go together.

    Args:
        path: `<name>/<version>`, or `<name>`, of which the highest version is taken.

    Attributes:
        dimension: D of its embeddings.
        side: Pixels of the longer side that it wants.

    Raises:
        UserError: No SavedModel, not one of this project's, or one whose embeddings do not have length 1.
    """

    def __init__(self, path: str | Path):
        super().__init__(name="member")
        self._folder = str(_version_folder(Path(path)))
        try:
            self._loaded = tf.saved_model.load(self._folder)
        except (OSError, ValueError, tf.errors.OpError) as error:
            raise UserError(f"a readable SavedModel at {self._folder}", str(error).splitlines()[0],
                            "Export the model again or copy it again.") from error
        signatures = self._loaded.signatures
        missing = [name for name in REQUIRED if name not in signatures]
        if missing:
            raise UserError(f"a member with the signature {missing[0]} at {self._folder}",
                            f"signatures {', '.join(sorted(signatures)) or '(none)'}", "Export it with export.savedmodel.")
        facts = {key: _python_value(value.numpy()) for key, value in signatures["info"]().items()}
        for key in ("dimension", "side"):
            if not isinstance(facts.get(key), int):
                raise UserError(f"a member whose info() states its {key}, at {self._folder}", repr(facts.get(key)),
                                "Export it with export.savedmodel.")
        self.dimension, self.side = facts["dimension"], facts["side"]
        self._facts = json.dumps(facts)
        self._check_length()

    @property
    def path(self) -> Path:
        """The version folder."""
        return Path(self._folder)

    @property
    def facts(self) -> dict[str, Any]:
        """What it says of itself, as Python values."""
        return json.loads(self._facts)

    def __call__(self, images: tf.Tensor) -> tf.Tensor:
        """Returns float32 [B, D].

        Args:
            images: RGB, 0..255, float32 [B, H, W, 3], the longer side `side`.
        """
        return tf.ensure_shape(self._loaded.signatures["images"](images=images)["embedding"], [None, self.dimension])

    @property
    def parameters(self) -> int:
        """How many numbers its variables hold; 0 for a frozen graph."""
        variables = tf.train.list_variables(str(self.path / "variables" / "variables"))
        return sum(math.prod(shape) for name, shape in variables if not name.startswith("_CHECKPOINTABLE"))

    @property
    def fingerprint(self) -> str:
        """Equal for copies of one export."""
        files = [self.path / "saved_model.pb", *sorted((self.path / "variables").glob("*"))]
        return " ".join(sha256(file) for file in files)

    @property
    def card(self) -> Mapping[str, Any]:
        """The model card beside it; empty where there is none."""
        path = self.path / "card.json"
        return read_json(path) if path.is_file() else {}

    def _check_length(self) -> None:
        picture = tf.random.stateless_uniform([1, self.side, self.side, 3], [0, 0], maxval=255.0)
        length = float(np.linalg.norm(self(picture).numpy()))
        if not abs(length - 1) <= TOLERANCE:
            raise UserError(f"a member whose embeddings have length 1 at {self._folder}", f"length {length:.4f}",
                            "Export it with export.savedmodel.")


def _version_folder(path: Path) -> Path:
    if (path / "saved_model.pb").is_file():
        return path
    versions = [file.parent for file in path.glob("*/saved_model.pb") if file.parent.name.isdecimal()]
    if not versions:
        raise UserError(f"a SavedModel at {path}", "none" if path.is_dir() else "no such folder", "Check --members.")
    return max(versions, key=lambda folder: int(folder.name))


def _python_value(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return [_python_value(item) for item in value]
    return value.decode() if isinstance(value, bytes) else value.item()
