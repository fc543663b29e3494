"""TensorFlow as an engine."""

import numpy as np

from landmark_zoo.retrieval.saved_model import EmbeddingModel


class TensorflowEngine:
    """Calls the signature `images`.

    Args:
        model: The loaded model.
    """

    name = "tensorflow"

    def __init__(self, model: EmbeddingModel):
        self._model = model

    def embed_images(self, images: np.ndarray) -> np.ndarray:
        """See `Engine`."""
        return self._model.embed_images(images)
