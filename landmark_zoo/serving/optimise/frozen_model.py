"""A SavedModel without variables, as functions that can be rewritten."""

from dataclasses import dataclass

import numpy as np
import tensorflow as tf


@dataclass(frozen=True)
class FrozenSignature:
    """One signature.

    Attributes:
        function: Name of the function that computes it.
        inputs: Keyword and TensorSpec of each argument of the function, in its order.
        outputs: Keyword to the number of the function's result.
    """

    function: str
    inputs: tuple[tuple[str, tf.TensorSpec], ...]
    outputs: dict[str, int]


@dataclass
class FrozenModel:
    """The functions of a SavedModel and the values that its variables had.

    Attributes:
        functions: FunctionDefs by name.
        weights: Arrays by name, each of which stands for a function without arguments ("constant/...").
        signatures: By name.
    """

    functions: dict
    weights: dict[str, np.ndarray]
    signatures: dict[str, FrozenSignature]
