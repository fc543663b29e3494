"""Warm start: a run that begins with the weights of another run, for training in two stages."""

import dataclasses
from pathlib import Path

import tensorflow as tf
from absl import logging

from landmark_zoo.core.errors import UserError
from landmark_zoo.data.manifest import LabelMap
from landmark_zoo.layers.attention.base import Attention
from landmark_zoo.layers.attention.delf import DELGLocalBranch
from landmark_zoo.layers.pooling.global_pooling import Pooling
from landmark_zoo.training.checkpoints import load_weights
from landmark_zoo.training.history import LABELS_FILE, read_model

MIN_BACKBONE_FRACTION = 0.5  # of the backbone's weights that must fit


@dataclasses.dataclass(frozen=True)
class WarmStart:
    """Layers that a warm start copied, and those that it skipped.

    Attributes:
        copied: Names of the layers whose weights were copied.
        skipped: Names of the layers that keep their own initial weights, each with the reason.
    """

    copied: tuple[str, ...]
    skipped: tuple[str, ...]


def warm_start(model: tf.keras.Model, run: str | Path, label_map: LabelMap) -> WarmStart:
    """Copies the kept weights of another run, its EMA where it has one, into every layer that fits.

    A layer fits if its name and the shapes of its weights are the same, and of attention and pooling the settings too: the
    weights of another form of a method mean something else. Layers with weights per landmark, heads above all,
    are skipped unless the landmarks are the same, in the same order.

    Args:
        model: Model that will be trained.
        run: Folder of the other run.
        label_map: Landmarks of `model`.

    Returns:
        Copied and skipped layers, which are also logged.

    Raises:
        UserError: No run, or one of another backbone: less than half of the backbone's weights fit.
    """
    config, facts = read_model(run)
    other = config.build(facts["num_classes"])
    step = load_weights(other, run)
    same_landmarks = LabelMap.load(Path(run) / LABELS_FILE).fingerprint == label_map.fingerprint
    layers, other_layers, copied, skipped = _layers(model), _layers(other), [], []
    for name, layer in layers.items():
        reason = _misfit(layer, other_layers.get(name), same_landmarks)
        if reason is None:
            copied.append(name)
        else:
            skipped.append(f"{name} ({reason})")
    _check_backbone(model, set(copied), run, config.model)
    for name in copied:
        layers[name].set_weights(other_layers[name].get_weights())
    logging.info("Started from step %d of %s: %d layers copied; skipped: %s.", step, run, len(copied),
                 ", ".join(skipped) or "none")
    return WarmStart(tuple(copied), tuple(skipped))


def _layers(model: tf.keras.Model) -> dict[str, tf.keras.layers.Layer]:
    """Returns the layers with weights by name, those of nested networks as "<network>/<layer>"."""
    found = {}
    for layer in model.layers:
        if isinstance(layer, tf.keras.Model):
            found |= {f"{layer.name}/{name}": inner for name, inner in _layers(layer).items()}
        elif layer.weights:
            found[layer.name] = layer
    return found


def _misfit(layer: tf.keras.layers.Layer, other: tf.keras.layers.Layer | None, same_landmarks: bool) -> str | None:
    """Returns the reason why a layer cannot take the weights of another; None where it can."""
    if other is None:
        return "not in that run"
    if [weight.shape for weight in layer.weights] != [weight.shape for weight in other.weights]:
        return "of other sizes"
    if isinstance(layer, Attention | DELGLocalBranch | Pooling) and _settings(layer) != _settings(other):
        return "of other settings"
    if not same_landmarks and (hasattr(layer, "num_classes") or layer.name == "attention_classifier"):
        return "other landmarks"
    return None


def _settings(layer: tf.keras.layers.Layer) -> dict[str, object]:
    return {key: value for key, value in layer.get_config().items() if key not in ("dtype", "trainable")}


def _check_backbone(model: tf.keras.Model, copied: set[str], run: str | Path, name: str) -> None:
    weights = {path: layer.count_params() for path, layer in _layers(model).items()
               if "/" in path and not isinstance(layer, Attention)}
    fitting = sum(count for path, count in weights.items() if path in copied)
    if fitting < MIN_BACKBONE_FRACTION * sum(weights.values()):
        raise UserError(f"a run with the backbone of {model.name} in {run}",
                        f"one of {name}, of which {fitting:,} of the {sum(weights.values()):,} weights of the backbone fit",
                        "Name a run of the same backbone and width.")
