"""Engines that run an exported model on batches of images: TensorFlow, OpenVINO, ONNX Runtime."""

import importlib
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Protocol

import numpy as np
import tensorflow as tf

from landmark_zoo.core.errors import UserError
from landmark_zoo.data.datasets.image_refs import ImageRef
from landmark_zoo.saved_model import FINGERPRINT_KEY, SavedModel, fingerprint_of, resized_signature


class Engine(Protocol):
    """Interface of an engine that runs one exported model.

    Attributes:
        name: "tensorflow", "openvino" or "onnxruntime".
        fingerprint: `SavedModel.fingerprint` of the model that it runs or a copy of; None where the copy does not state it.
        settings: What else changes the embeddings, e.g. `{"precision": "bf16"}`; they belong to what was embedded so.
    """

    name: str
    fingerprint: str | None
    settings: Mapping[str, str]

    def embed_images(self, images: np.ndarray) -> np.ndarray:
        """Returns embeddings, float32 [N, D].

        Args:
            images: RGB, 0..255, float32 [N, H, W, 3], of the size to which the model's test protocol brings them.
        """


class TensorflowEngine:
    """Engine that calls the signature for resized images in TensorFlow.

    Args:
        model: The loaded model.
    """

    name, settings = "tensorflow", MappingProxyType({})

    def __init__(self, model: SavedModel):
        self._model = model

    @property
    def fingerprint(self) -> str:
        """See `Engine`."""
        return self._model.fingerprint

    def embed_images(self, images: np.ndarray) -> np.ndarray:
        """See `Engine`."""
        return self._model.embed_resized(images)


class OpenvinoEngine:
    """Engine that compiles the signature for resized images with OpenVINO.

    Args:
        path: `<name>/<version>`.
        precision: "f32", or "bf16" for processors that have it.

    Raises:
        UserError: OpenVINO is not installed, or does not know an operation of the model.
    """

    name = "openvino"

    def __init__(self, path: str | Path, precision: str = "f32"):
        try:
            import openvino
        except ImportError as error:
            raise UserError("the package openvino", "none installed", "pip install landmark_zoo[export].") from error
        self.fingerprint, self.settings = fingerprint_of(path), {"precision": precision}
        loaded = tf.saved_model.load(str(path))
        try:
            if sys.version_info >= (3, 13):
                # It imports tensorflow, which is there, and deletes the name, which no longer is: `locals()` of PEP 667.
                importlib.import_module("openvino.frontend.tensorflow.utils").exec = lambda statement: None
            model = openvino.convert_model(loaded.signatures[resized_signature(loaded)])
            self._compiled = openvino.Core().compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": precision})
        except Exception as error:  # OpenVINO raises errors of its own, among them plain Exception
            raise UserError(f"a model that OpenVINO can read at {path}", str(error).strip().splitlines()[-1],
                            "Use --engine=tensorflow.") from error

    def embed_images(self, images: np.ndarray) -> np.ndarray:
        """See `Engine`."""
        return self._compiled(images.astype(np.float32, copy=False))[self._compiled.output(0)]


class OnnxEngine:
    """Engine that runs a file of `export.onnx` in ONNX Runtime.

    Args:
        path: The `.onnx` file.

    Raises:
        UserError: ONNX Runtime is not installed, or cannot read the file.
    """

    name, settings = "onnxruntime", MappingProxyType({})

    def __init__(self, path: str | Path):
        try:
            import onnxruntime
        except ImportError as error:
            raise UserError("the package onnxruntime", "none installed", "pip install landmark_zoo[export].") from error
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3
        try:
            self._session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        except Exception as error:  # onnxruntime's exceptions share no public base class
            raise UserError(f"a readable ONNX file at {path}", str(error).strip().splitlines()[-1],
                            "Write it again with export.onnx.") from error
        self.fingerprint = self._session.get_modelmeta().custom_metadata_map.get(FINGERPRINT_KEY)

    def embed_images(self, images: np.ndarray) -> np.ndarray:
        """See `Engine`."""
        return self._session.run(["embedding"], {"images": images.astype(np.float32, copy=False)})[0]


def check_engine(engine: Engine, model: SavedModel) -> None:
    """Raises a UserError unless the engine runs that model; an engine of a user's own need not say which it runs."""
    fingerprint = getattr(engine, "fingerprint", model.fingerprint)
    if fingerprint != model.fingerprint:
        raise UserError(f"the engine {engine.name} to run the model with fingerprint {model.fingerprint[:12]}",
                        f"a copy of {fingerprint[:12]}" if fingerprint else "a copy that does not say of which it was made",
                        f"Write the copy again from {model.path}.")


def check_crops(engine: Engine, model: SavedModel, images: Iterable[ImageRef]) -> None:
    """Raises a UserError for crops that an ONNX file, which holds the signature `images` alone, would resize again."""
    if engine.name == OnnxEngine.name and model.protocol.crops_apart and any(image.box for image in images):
        raise UserError("whole images for --engine=onnxruntime, as this model's crops keep the image's scale",
                        "images with boxes", "Use --engine=tensorflow.")
