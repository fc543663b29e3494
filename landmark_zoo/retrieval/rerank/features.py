"""What finds local features."""

from typing import Protocol

import numpy as np

from landmark_zoo.retrieval.rerank.keypoints import Keypoints


class Features(Protocol):
    """Turns a photograph into local features.

    Attributes:
        kind: "rootsift", or the fingerprint of the model: features of two kinds are never compared.
    """

    kind: str

    def __call__(self, photograph: np.ndarray) -> Keypoints:
        """Returns the local features of a photograph, uint8 RGB [H, W, 3]."""
