"""What every engine can do."""

from typing import Protocol

import numpy as np


class Engine(Protocol):
    """Runs one exported model.

    Attributes:
        name: "tensorflow", "openvino" or "onnxruntime".
    """

    name: str

    def embed_images(self, images: np.ndarray) -> np.ndarray:
        """Returns embeddings, float32 [N, D].

        Args:
            images: RGB, 0..255, float32 [N, H, W, 3], the longer side that of the model's `info`.
        """
