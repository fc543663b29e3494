"""SavedModel: the one loader of exported models.

An exported model is a folder `<name>/<integer version>/` that loads with plain TensorFlow. Its signatures are
`serving_default(image_bytes: string[N]) -> {"embedding": float32[N, D]}`, `images(images: float32[N, H, W, 3])`,
`info() -> constants` and, where the model has them, `crop`, `resized`, `local`, `attention` and `keypoints`. Retrieval,
evaluation and ensembles know models only through this class.
"""

import hashlib
import re
from collections.abc import Mapping, Sequence
from functools import cached_property
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from landmark_zoo.core.errors import UserError
from landmark_zoo.core.files import read_json, sha256
from landmark_zoo.data.datasets.images import InvalidImageError
from landmark_zoo.data.protocol import Protocol

SIGNATURES = ("serving_default", "images", "info")
LENGTH_TOLERANCE = 1e-3
_REMEDY = "Export it with the scripts in export/."


def load_model(path: str | Path) -> "SavedModel":
    """Loads an exported model; the same as `SavedModel(path)`.

    Example:
        >>> import landmark_zoo as lz
        >>> network = lz.create_model("resnet18_gem", alpha=0.125, embedding_dim=8)
        >>> model = load_model(lz.export_saved_model(network, "runs/export/tiny", side=64, info={}))
        >>> model.embed_images(np.zeros([2, 48, 64, 3])).shape
        (2, 8)

    Args:
        path: `<name>/<version>`, or `<name>`, of which the highest version is taken.

    Raises:
        UserError: No SavedModel there, an unreadable one, or one without the signatures of an export.
    """
    return SavedModel(path)


class SavedModel:
    """Exported model: image bytes or pixels to embeddings, and what the model says of itself.

    The loaded object is kept here, because TensorFlow's signatures alone do not keep their variables (tensorflow#46708).

    Args:
        path: `<name>/<version>`, or `<name>`, of which the highest version is taken.

    Attributes:
        path: Version folder that was loaded.
        info: Constants of `info()` as Python values: name, dimension, side, scales, preprocessing, ...
        dimension: Length D of an embedding.

    Raises:
        UserError: No SavedModel there, an unreadable one, or one without these signatures.

    Example:
        >>> import tempfile
        >>> from landmark_zoo.models import build_model
        >>> from landmark_zoo.serving.export import export_saved_model
        >>> network = build_model("mobilenet", "se", alpha=0.25, embedding_dim=16, num_classes=3)
        >>> path = export_saved_model(network, tempfile.mkdtemp() + "/small", side=64, info={})
        >>> model = SavedModel(path)
        >>> model.name, model.dimension, model.side
        ('small', 16, 64)
        >>> model.embed_images(np.zeros([2, 48, 64, 3], np.float32)).shape
        (2, 16)
    """

    def __init__(self, path: str | Path):
        self.path = version_folder(Path(path))
        self._loaded = load_signatures(self.path)
        self._check_signatures()
        self.info = read_info(self._loaded)
        self.dimension = self._checked_dimension()

    @property
    def name(self) -> str:
        """Name that the model states; that of its folder where it states none."""
        return self.info.get("name", self.path.parent.name)

    @property
    def side(self) -> int:
        """Longer side, in pixels, to which an image is brought before it goes through `images`.

        Raises:
            UserError: A model whose `info()` does not state it.
        """
        side = self.info.get("side")
        if not isinstance(side, int):
            raise UserError(f"a SavedModel whose info() states its side, at {self.path}", repr(side), _REMEDY)
        return side

    @cached_property
    def protocol(self) -> Protocol:
        """Test protocol: how images and crops come to their size; that of earlier releases where `info()` does not state it.

        Raises:
            UserError: A model whose `info()` states no side, or rules that this version does not know.
        """
        return Protocol.from_constants({**self.info, "side": self.side})

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 over `saved_model.pb` and the variables; equal for every copy of an export."""
        return fingerprint_of(self.path)

    @property
    def parameters(self) -> int:
        """Number of values in the variables, without those of a classifier; 0 for a frozen graph."""
        variables = tf.train.list_variables(str(self.path / "variables" / "variables"))
        return sum(prod(shape) for name, shape in variables
                   if not name.startswith("_CHECKPOINTABLE") and "/classifier_weights/" not in name)

    @property
    def megabytes(self) -> float:
        """Size on disk, in 10^6 bytes."""
        return sum(file.stat().st_size for file in self.path.rglob("*") if file.is_file()) / 1e6

    @property
    def card(self) -> Mapping[str, Any]:
        """Model card beside the model; empty where there is none."""
        path = self.path / "card.json"
        return read_json(path, dict) if path.is_file() else {}

    def embed_bytes(self, encoded: Sequence[bytes]) -> np.ndarray:
        """Returns the embeddings of encoded images (JPEG, PNG): float32 [N, D].

        Raises:
            InvalidImageError: The model refuses one of them.
        """
        if len(encoded) == 0:
            return np.zeros((0, self.dimension), np.float32)
        return self._run("serving_default", image_bytes=tf.constant(list(encoded), tf.string))["embedding"].numpy()

    def embed_images(self, images: np.ndarray) -> np.ndarray:
        """Returns the embeddings of images of one size: float32 [N, D].

        Args:
            images: RGB, 0..255, float32 [N, H, W, 3], both sides 32 or more. The model brings them to the size of its
                protocol; exports whose `info` states no "orientation" do not, and want the longer side to be `side`.

        Raises:
            InvalidImageError: A side under 32, NaN or infinite pixels.
        """
        return self._run("images", images=tf.constant(images, tf.float32))["embedding"].numpy()

    def embed_resized(self, images: np.ndarray) -> np.ndarray:
        """Returns the embeddings of images, or of crops, that have the size of the protocol already: float32 [N, D].

        Args:
            images: See `embed_images`.

        Raises:
            InvalidImageError: A side under 32, NaN or infinite pixels.
        """
        return self._run(resized_signature(self._loaded), images=tf.constant(images, tf.float32))["embedding"].numpy()

    def local(self, images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Returns the local features of images of one size, float32 [N, h, w, C], and their scores, float32 [N, h, w].

        Args:
            images: RGB, 0..255, float32 [N, H, W, 3], both sides 32 or more.

        Raises:
            UserError: A model without the signature `local`.
            InvalidImageError: A side under 32, NaN or infinite pixels.
        """
        self.check_local()
        found = self._run("local", images=tf.constant(images, tf.float32))
        return found["features"].numpy(), found["scores"].numpy()

    def attention(self, images: np.ndarray) -> dict[str, np.ndarray]:
        """Returns the maps of what the model looks at in images of one size: name to float32 [N, 1 or h, 1 or w, 1 or C].

        Args:
            images: RGB, 0..255, float32 [N, H, W, 3], both sides 32 or more. The model brings the longer one to `side`.

        Raises:
            UserError: A model without the signature `attention`.
            InvalidImageError: A side under 32, NaN or infinite pixels.
        """
        if not self.has_attention:
            raise UserError(f"a SavedModel with the signature attention at {self.path}",
                            f"signatures {', '.join(sorted(self._loaded.signatures))}",
                            "Export the model again, or give the run's folder (--workdir).")
        found = self._run("attention", images=tf.constant(images, tf.float32))
        return {name: found[name].numpy() for name in self.attention_kinds}

    @property
    def has_attention(self) -> bool:
        """True where the model has the signature `attention`; exports of earlier releases have none."""
        return "attention" in self._loaded.signatures

    @property
    def attention_kinds(self) -> dict[str, str]:
        """Kind of each map of `attention` by its name, as `info` states them: gate, share, score, signed or norm.

        Raises:
            UserError: A model whose `info()` does not state name and kind of each map.
        """
        if not self.has_attention:
            return {}
        names, kinds = (self.info.get(key, []) for key in ("attention_maps", "attention_kinds"))
        given = self._loaded.signatures["attention"].structured_outputs
        if len(names) != len(kinds) or set(names) != set(given):
            raise UserError(f"info() to state name and kind of the maps {', '.join(sorted(given))} at {self.path}",
                            f"names {', '.join(map(str, names))}; kinds {', '.join(map(str, kinds))}", _REMEDY)
        return dict(zip(names, kinds, strict=True))

    def keypoints(self, images: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Returns the best points of images of one size, float32 [N, K, 2], x and y in pixels, the descriptors there,
        float32 [N, K, C], and their scores, float32 [N, K]; rows of zeros beyond an image's points.

        Args:
            images: RGB, 0..255, float32 [N, H, W, 3], both sides 32 or more.
            count: Most points of an image.

        Raises:
            UserError: A model without the signature `keypoints`.
            InvalidImageError: A side under 32, NaN or infinite pixels.
        """
        self.check_keypoints()
        found = self._run("keypoints", images=tf.constant(images, tf.float32), count=tf.constant(count, tf.int32))
        return found["keypoints"].numpy(), found["descriptors"].numpy(), found["scores"].numpy()

    def check_keypoints(self) -> None:
        """Raises a UserError unless the model has the signature `keypoints`."""
        if "keypoints" not in self._loaded.signatures:
            raise UserError(f"a SavedModel with the signature keypoints at {self.path}",
                            f"signatures {', '.join(sorted(self._loaded.signatures))}",
                            "Export xfeat: python -m export.savedmodel --model=xfeat --weights=published.")

    def _run(self, signature: str, **inputs: tf.Tensor) -> Mapping[str, tf.Tensor]:
        try:
            return self._loaded.signatures[signature](**inputs)
        except tf.errors.InvalidArgumentError as error:
            raise InvalidImageError(refusal(error)) from error

    @property
    def finds_points(self) -> bool:
        """True where its only local features are `keypoints`: TensorFlow's DELF and DELG."""
        return "keypoints" in self._loaded.signatures and "local" not in self._loaded.signatures

    def check_local(self) -> None:
        """Raises a UserError unless the model has the signature `local`."""
        if "local" not in self._loaded.signatures:
            raise UserError(f"a SavedModel with the signature local at {self.path}",
                            f"signatures {', '.join(sorted(self._loaded.signatures))}",
                            "Export the model again, or re-rank by SIFT.")

    def as_module(self) -> "SavedModelModule":
        """Returns the signature for resized images as a module, which another model can hold and be saved with.

        Raises:
            UserError: A model that does not state its side, or whose embeddings do not have length 1.
        """
        module = SavedModelModule(self, self._loaded)
        image = tf.random.stateless_uniform([1, self.side, self.side, 3], [0, 0], maxval=255.0)
        length = float(np.linalg.norm(module(image).numpy()))
        if not abs(length - 1) <= LENGTH_TOLERANCE:
            raise UserError(f"a SavedModel whose embeddings have length 1 at {self.path}", f"length {length:.4f}", _REMEDY)
        return module

    def _check_signatures(self):
        signatures = self._loaded.signatures
        for name in SIGNATURES:
            if name not in signatures:
                raise UserError(f"a SavedModel with the signature {name} at {self.path}",
                                f"signatures {', '.join(sorted(signatures)) or '(none)'}", _REMEDY)
        inputs = signatures["serving_default"].structured_input_signature[1]
        outputs = signatures["serving_default"].structured_outputs
        types = {name: spec.dtype.name for name, spec in {**inputs, **outputs}.items()}
        if types.get("image_bytes") != "string" or types.get("embedding") != "float32":
            raise UserError("serving_default(image_bytes: string) -> embedding: float32", f"{types} at {self.path}", _REMEDY)

    def _checked_dimension(self) -> int:
        stated = self.info.get("dimension")
        actual = self._loaded.signatures["serving_default"].structured_outputs["embedding"].shape[-1]
        if not isinstance(stated, int) or actual not in (None, stated):
            raise UserError(f"info() to state the dimension {actual} of the embedding", f"{stated!r} at {self.path}",
                            _REMEDY)
        return stated


def resized_signature(loaded: tf.Module) -> str:
    """Returns the signature that leaves images at the size of the protocol: `images`, but for crops of some models."""
    return "resized" if "resized" in loaded.signatures else "images"


FINGERPRINT_KEY = "model_fingerprint"
"""Name under which a copy in another format (ONNX, TFLite) states the fingerprint of what it was made of."""


def fingerprint_of(path: str | Path) -> str:
    """Returns the fingerprint of an exported model, `<name>/<version>`; see `SavedModel.fingerprint`."""
    files = [Path(path) / "saved_model.pb", *sorted((Path(path) / "variables").glob("*"))]
    return hashlib.sha256("".join(f"{file.name} {sha256(file)}\n" for file in files).encode()).hexdigest()


class SavedModelModule(tf.Module):
    """Signatures `images` (or `resized`) and `attention` of an exported model, with its variables.

    Args:
        model: The exported model.
        loaded: What TensorFlow loaded of it; keeps the variables.

    Attributes:
        model: The exported model.
    """

    def __init__(self, model: SavedModel, loaded: tf.Module):
        super().__init__(name="member")
        self.model, self._loaded = model, loaded

    def __call__(self, images: tf.Tensor) -> tf.Tensor:
        embeddings = self._loaded.signatures[resized_signature(self._loaded)](images=images)["embedding"]
        return tf.ensure_shape(embeddings, [None, self.model.dimension])

    def attention(self, images: tf.Tensor) -> dict[str, tf.Tensor]:
        """Returns the maps of the signature `attention`, which the model must have."""
        found = self._loaded.signatures["attention"](images=images)
        return {name: found[name] for name in self.model.attention_kinds}


def load_signatures(path: Path) -> tf.Module:
    """Returns what TensorFlow loads of a SavedModel, a `version_folder`; it keeps the variables of its `signatures`.

    Raises:
        UserError: An unreadable one.
    """
    try:
        return tf.saved_model.load(str(path))
    except (OSError, ValueError, tf.errors.OpError) as error:
        raise UserError(f"a readable SavedModel at {path}", str(error).splitlines()[0],
                        "Export the model again or copy it again.") from error


def read_info(loaded: tf.Module) -> dict[str, Any]:
    """Returns the constants of the signature `info` as Python values."""
    return {key: _python_value(value.numpy()) for key, value in loaded.signatures["info"]().items()}


def version_folder(path: Path) -> Path:
    """Returns the folder of a SavedModel: `path` itself, or the highest version in it.

    Raises:
        UserError: None there.
    """
    if (path / "saved_model.pb").is_file():
        return path
    versions = [file.parent for file in path.glob("*/saved_model.pb") if file.parent.name.isdecimal()]
    if not versions:
        raise UserError(f"a SavedModel at {path} (saved_model.pb, or folders 1, 2, ... with one)",
                        "none" if path.is_dir() else "no such folder", "Check the path, or export a model first.")
    return max(versions, key=lambda folder: int(folder.name))


def refusal(error: tf.errors.InvalidArgumentError) -> str:
    """Returns what an export's assertion says, else the line of TensorFlow's message that is about the image."""
    asserted = re.search(r"assertion failed: \[(.*)\]", error.message)
    if asserted:
        return asserted[1]
    about_the_graph = ("Graph execution error", "Detected at node", "<stack traces", "\t", " ")
    lines = [line for line in error.message.splitlines() if line and not line.startswith(about_the_graph)]
    return lines[-1] if lines else "refused by the model"


def _python_value(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return [_python_value(item) for item in value]
    return value.decode() if isinstance(value, bytes) else value.item()
