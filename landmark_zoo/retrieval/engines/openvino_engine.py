"""OpenVINO as an engine; it reads SavedModels."""

from pathlib import Path

import numpy as np
import tensorflow as tf

from landmark_zoo.core.errors import UserError


class OpenvinoEngine:
    """Compiles the signature `images` for the processor.

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
        loaded = tf.saved_model.load(str(path))
        try:
            model = openvino.convert_model(loaded.signatures["images"])
            self._compiled = openvino.Core().compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": precision})
        except Exception as error:  # OpenVINO raises errors of its own, among them plain Exception
            raise UserError(f"a model that OpenVINO can read at {path}", str(error).strip().splitlines()[-1],
                            "Use --engine=tensorflow.") from error

    def embed_images(self, images: np.ndarray) -> np.ndarray:
        """See `Engine`."""
        return self._compiled(images.astype(np.float32, copy=False))[self._compiled.output(0)]
