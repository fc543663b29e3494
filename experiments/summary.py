"""Prints the layers, parameters and multiply-accumulates of a model: python -m experiments.summary --model=resnet101_se"""

from collections.abc import Mapping

import tensorflow as tf
from absl import flags

from landmark_zoo.backbones.registry import BACKBONES
from landmark_zoo.core.errors import UserError
from landmark_zoo.core.scripts import define_flags, from_flags, run
from landmark_zoo.layers.attention.registry import ATTENTION, taxonomy_table
from landmark_zoo.models.inspection import Costs, costs, multiply_accumulates
from landmark_zoo.models.published.checkpoints import CHECKPOINTS
from landmark_zoo.models.registry import MODELS, NETWORKS, WHOLE, ModelConfig, create_model, list_models

define_flags(ModelConfig)
_HEIGHT = flags.DEFINE_integer("height", 224, "Height of the input, pixels.", lower_bound=32, upper_bound=8192)
_WIDTH = flags.DEFINE_integer("width", 224, "Width of the input, pixels.", lower_bound=32, upper_bound=8192)
_CLASSES = flags.DEFINE_integer("num_classes", None, "Number of landmarks of the head; unset for no head.", lower_bound=2,
                                upper_bound=10_000_000)
_LIST = flags.DEFINE_string("list", None, 'Print the models whose names match, e.g. "resnet101_*", and their costs.')
_TAXONOMY = flags.DEFINE_boolean("taxonomy", False, "Print the table of attention methods.")


def main(_):
    """Prints the taxonomy, the zoo or one model."""
    if _TAXONOMY.value:
        print(taxonomy_table(ATTENTION[name] for name in ATTENTION))
        return
    if _LIST.value:
        print_zoo(_LIST.value)
        return
    model = from_flags(ModelConfig).build(_CLASSES.value)
    model.summary(line_length=110)
    images = tf.TensorSpec([1, _HEIGHT.value, _WIDTH.value, 3], tf.float32)
    print(f"Parameters: {model.count_params():,}")
    print(f"Multiply-accumulates at {_HEIGHT.value} x {_WIDTH.value}: {multiply_accumulates(model, images):,}")
    outputs = tf.function(model).get_concrete_function(images).structured_outputs
    for name, output in sorted(outputs.items()):
        print(f"Output {name}: {tuple(output.shape)} {output.dtype.name}")


def print_zoo(pattern: str) -> None:
    """Prints name, parameters, multiply-accumulates, embedding size, quadrant and paper of the models that match."""
    names = list_models(pattern)
    if not names:
        raise UserError("a pattern of models", f"{pattern!r}, which matches none", 'Check --list; "*" prints all.')
    print(f"{'name':<34}{'parameters':>12}{'GMACs':>8}{'D':>6}  quadrant; paper")
    for name in names:
        parts = MODELS[name]
        if "builder" in parts:
            cost, text = _whole(name), _about(name, parts)
        else:
            method = ATTENTION[parts["attention"]] if "attention" in parts else None
            cost = costs(parts["backbone"], parts.get("attention"), parts.get("pooling", "gem"), 512, _HEIGHT.value,
                         _WIDTH.value)
            text = f"{method.quadrant}; {method.paper}" if method else BACKBONES[parts["backbone"]].paper
        print(f"{name:<34}{cost.parameters:>12,}{cost.macs / 1e9:>8.2f}{cost.embedding:>6}  {text}", flush=True)


def _about(name: str, parts: Mapping[str, object]) -> str:
    """Returns paper or source of a network that has a builder of its own."""
    if name in CHECKPOINTS:
        return "; ".join(filter(None, (CHECKPOINTS[name].score, CHECKPOINTS[name].source)))
    return (WHOLE[name] if name in WHOLE else NETWORKS[name.removeprefix(f"{parts['backbone']}_")]).paper


def _whole(name: str) -> Costs:
    """Costs of a network that is built to be counted, with a head of 27 classes where it cannot be without."""
    try:
        model = create_model(name)
    except UserError:
        model = create_model(name, num_classes=27)
    images = tf.TensorSpec([1, _HEIGHT.value, _WIDTH.value, 3], tf.float32)
    return Costs(model.count_params(), multiply_accumulates(model, images), model.output_shape["embedding"][-1])


if __name__ == "__main__":
    run(main)
