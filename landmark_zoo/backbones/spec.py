"""A row of the table of backbones."""

import dataclasses
from collections.abc import Callable, Mapping

import tensorflow as tf


@dataclasses.dataclass(frozen=True)
class BackboneSpec:
    """A network (a Keras application, mostly) and what the zoo must know of it.

    Attributes:
        name: As in model names.
        application: Makes it; takes `include_top`, `weights`, `input_shape` and, with widths, `alpha`.
        preprocessing: A mode of `preprocessing.preprocess`.
        taps: From tap ("C3", "C4", "C5") to the Keras layer whose output it is.
        strides: From tap to input pixels per step of its feature map.
        has_width: Whether `alpha` (the width multiplier) may be given.
        paper: Authors, title, venue.
    """

    name: str
    application: Callable[..., tf.keras.Model]
    preprocessing: str
    taps: Mapping[str, str]
    strides: Mapping[str, int]
    paper: str
    has_width: bool = False
