"""ONNX Runtime as an engine."""

from pathlib import Path

import numpy as np

from landmark_zoo.core.errors import UserError


class OnnxEngine:
    """Runs a file that `export.onnx` wrote.

    Args:
        path: The `.onnx` file.

    Raises:
        UserError: ONNX Runtime is not installed, or cannot read the file.
    """

    name = "onnxruntime"

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

    def embed_images(self, images: np.ndarray) -> np.ndarray:
        """See `Engine`."""
        return self._session.run(["embedding"], {"images": images.astype(np.float32, copy=False)})[0]
