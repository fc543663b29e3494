"""Interpolation of weights between those that a run started from and those that it trained (WiSE-FT).

A fine-tuned network loses on images unlike those that it was trained on some of what its start could do; in between, both
are kept. Nothing but the factor is stored: whoever loads the kept weights of a run interpolates again
(`checkpoints.load_weights`).

Source: Wortsman et al., Robust fine-tuning of zero-shot models, CVPR 2022, section 3.
"""

import contextlib
from collections.abc import Callable, Iterator, Sequence

import tensorflow as tf

FACTORS = (0.25, 0.5, 0.75)  # that --weight_interpolation=auto tries between the start, 0, and the trained weights, 1


def interpolate(start: Sequence[tf.Tensor], end: Sequence[tf.Tensor], factor: float) -> list[tf.Tensor]:
    """Returns (1 - factor) start + factor end, weight by weight.

    Args:
        start: Weights at factor 0, floating-point.
        end: Weights at factor 1, of the same shapes.
        factor: Place between them.

    Example:
        >>> [float(weight) for weight in interpolate([tf.constant(1.0)], [tf.constant(5.0)], 0.25)]
        [2.0]
    """
    return [(1 - factor) * first + factor * last for first, last in zip(start, end, strict=True)]


def interpolate_model(model: tf.keras.Model, read_start: Callable[[], object], factor: float) -> None:
    """Moves the floating-point weights of a model, BatchNorm statistics included, back towards those of the start.

    Other weights, counters for instance, stay as they are.

    Args:
        model: Model with the trained weights.
        read_start: Reads the weights of the start into the model.
        factor: Place between the start, 0, and the trained weights, 1.
    """
    weights = [weight for weight in model.weights if weight.dtype.is_floating]
    others = [weight for weight in model.weights if not weight.dtype.is_floating]
    end, kept = ([tf.identity(weight) for weight in part] for part in (weights, others))
    read_start()
    values = interpolate([tf.identity(weight) for weight in weights], end, factor)
    for weight, value in zip(weights + others, values + kept, strict=True):
        weight.assign(value)


@contextlib.contextmanager
def preserved(model: tf.keras.Model) -> Iterator[None]:
    """Context manager after which a model has the weights again that it had before."""
    backup = [tf.identity(weight) for weight in model.weights]
    try:
        yield
    finally:
        for weight, value in zip(model.weights, backup, strict=True):
            weight.assign(value)


def place_in_words(factor: float) -> str:
    """Returns where kept weights lie, to be put behind "step 5"; "" for weights as trained.

    Example:
        >>> place_in_words(0.5), place_in_words(1.0)
        (', weights 0.5 of the way from the start', '')
    """
    return f", weights {factor:g} of the way from the start" if factor < 1 else ""
