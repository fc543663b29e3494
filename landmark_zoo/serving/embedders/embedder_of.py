"""From a model of the zoo to an embedder."""

import tensorflow as tf

from landmark_zoo.serving.embedders.embedder import Embedder
from landmark_zoo.serving.embedders.multi_scale import MultiScale
from landmark_zoo.serving.embedders.network import Network
from landmark_zoo.serving.scales import Scales


def embedder_of(model: tf.keras.Model, side: int, scales: Scales | None = None) -> Embedder:
    """Returns the model's network, behind its scales where there are several.

    Args:
        model: Images [B, H, W, 3] (RGB, 0..255) to a dict with "embedding" [B, D].
        side: Pixels of the longer side.
        scales: At which sizes; None for that of `side` alone.
    """
    if scales is None or scales.factors == (1.0,):
        return Network(model, side)
    return MultiScale(Network(model, side, unit=scales.unit), scales)
