"""Training in two stages: a run that starts from the weights of another."""

import dataclasses
from pathlib import Path

import tensorflow as tf
from absl import logging

from landmark_zoo.core.errors import UserError
from landmark_zoo.data.label_map import LabelMap
from landmark_zoo.layers.attention import Attention
from landmark_zoo.training.checkpoints import load_weights
from landmark_zoo.training.workdir import LABELS_FILE, read_model

LEAST = 0.5  # of the backbone's weights


@dataclasses.dataclass(frozen=True)
class WarmStart:
    """What a run took from another.

    Attributes:
        taken: Names of the layers whose weights were copied.
        left: Layers of the model that keep their own start, each with the reason.
    """

    taken: tuple[str, ...]
    left: tuple[str, ...]


def warm_start(model: tf.keras.Model, run: str | Path, label_map: LabelMap) -> WarmStart:
    """Copies the newest weights of another run, averaged where it has averages, into every layer that fits.

    A layer fits by its name and the shapes of its weights. Layers with something per landmark, heads above all, are left
    out unless the landmarks are the same, in the same order.

    Args:
        model: What will be trained.
        run: Folder of the other run.
        label_map: Landmarks of `model`.

    Returns:
        What was taken and what was not, which is also logged.

    Raises:
        UserError: No run, or one of another backbone: less than half of the backbone's weights fit.
    """
    config, facts = read_model(run)
    other = config.build(facts["num_classes"])
    step = load_weights(other, run)
    same_landmarks = LabelMap.load(Path(run) / LABELS_FILE).fingerprint == label_map.fingerprint
    theirs, taken, left = _layers(other), [], []
    for name, layer in _layers(model).items():
        reason = _misfit(layer, theirs.get(name), same_landmarks)
        if reason is None:
            taken.append(name)
        else:
            left.append(f"{name} ({reason})")
    _check_backbone(model, set(taken), run, config.model)
    for name in taken:
        _layers(model)[name].set_weights(theirs[name].get_weights())
    logging.info("Started from step %d of %s: %d layers taken; not taken: %s.", step, run, len(taken),
                 ", ".join(left) or "none")
    return WarmStart(tuple(taken), tuple(left))


def _layers(model: tf.keras.Model) -> dict[str, tf.keras.layers.Layer]:
    """Returns the layers with weights, those of the networks inside under "<network>/<layer>"."""
    found = {}
    for layer in model.layers:
        if isinstance(layer, tf.keras.Model):
            found |= {f"{layer.name}/{name}": inner for name, inner in _layers(layer).items()}
        elif layer.weights:
            found[layer.name] = layer
    return found


def _misfit(layer: tf.keras.layers.Layer, theirs: tf.keras.layers.Layer | None, same_landmarks: bool) -> str | None:
    if theirs is None:
        return "not in that run"
    if [weight.shape for weight in layer.weights] != [weight.shape for weight in theirs.weights]:
        return "of other sizes"
    if not same_landmarks and (hasattr(layer, "num_classes") or layer.name == "attention_classifier"):
        return "other landmarks"
    return None


def _check_backbone(model: tf.keras.Model, taken: set[str], run: str | Path, name: str) -> None:
    weights = {path: layer.count_params() for path, layer in _layers(model).items()
               if "/" in path and not isinstance(layer, Attention)}
    fitting = sum(count for path, count in weights.items() if path in taken)
    if fitting < LEAST * sum(weights.values()):
        raise UserError(f"a run with the backbone of {model.name} in {run}",
                        f"one of {name}, of which {fitting:,} of the {sum(weights.values()):,} weights of the backbone fit",
                        "Name a run of the same backbone and width.")
