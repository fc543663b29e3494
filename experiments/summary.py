"""Prints the layers, parameters and multiply-accumulates of a model: python -m experiments.summary --model=resnet101_se

    python -m experiments.summary --list="resnet101_*"             from a table, in a second
    python -m experiments.summary --list="resnet101_*" --costs     built and counted, at --height and --width
    python -m experiments.summary --table=docs/models.csv          every backbone and network, measured here
"""

import re
import sys

from absl import flags

from landmark_zoo.core.errors import UserError
from landmark_zoo.core.scripts import define_flags, define_output, from_flags, run
from landmark_zoo.models.zoo_table import SIDE, listing, no_models

if not any(re.match("--?list(=|$)", word) for word in sys.argv[1:]):  # which needs no TensorFlow, unlike a model's flags
    from landmark_zoo.models.registry import ModelConfig

    define_flags(ModelConfig)
_HEIGHT = flags.DEFINE_integer("height", SIDE, "Height of the input, pixels.", lower_bound=32, upper_bound=8192)
_WIDTH = flags.DEFINE_integer("width", SIDE, "Width of the input, pixels.", lower_bound=32, upper_bound=8192)
_CLASSES = flags.DEFINE_integer("num_classes", None, "Number of landmarks of the head; unset for no head.", lower_bound=2,
                                upper_bound=10_000_000)
_LIST = flags.DEFINE_string("list", None, 'Print the models whose names match, e.g. "resnet101_*", and what their backbones '
                            "cost.")
_COSTS = flags.DEFINE_boolean("costs", False, "With --list: build the models and print what each costs as a whole; so does "
                              f"another --height or --width than {SIDE}.")
_TAXONOMY = flags.DEFINE_boolean("taxonomy", False, "Print the table of attention methods.")
_TABLE = define_output("table", None, "Csv file for the costs of every backbone and network, measured here; what it has "
                       "is kept.", file=True)


def main(_):
    """Prints the taxonomy, the zoo or one model, or writes the table."""
    if _LIST.value:
        built = _COSTS.value or (_HEIGHT.value, _WIDTH.value) != (SIDE, SIDE)
        for line in counted(_LIST.value) if built else listing(_LIST.value):
            print(line, flush=True)
    elif _TAXONOMY.value:
        from landmark_zoo.layers.attention.registry import ATTENTION, taxonomy_table

        print(taxonomy_table(ATTENTION[name] for name in ATTENTION))
    elif _TABLE.value:
        from experiments.benchmarks.zoo import write_table

        write_table(_TABLE.value)
    else:
        print_model()


def print_model() -> None:
    """Prints the model that the flags describe."""
    import tensorflow as tf

    from landmark_zoo.models.inspection import multiply_accumulates
    from landmark_zoo.models.registry import ModelConfig

    model = from_flags(ModelConfig).build(_CLASSES.value)
    model.summary(line_length=110)
    images = tf.TensorSpec([1, _HEIGHT.value, _WIDTH.value, 3], tf.float32)
    print(f"Parameters: {model.count_params():,}")
    print(f"Multiply-accumulates at {_HEIGHT.value} x {_WIDTH.value}: {multiply_accumulates(model, images):,}")
    outputs = tf.function(model).get_concrete_function(images).structured_outputs
    for name, output in sorted(outputs.items()):
        print(f"Output {name}: {tuple(output.shape)} {output.dtype.name}")


def counted(pattern: str):
    """Yields name, parameters, multiply-accumulates, embedding size, quadrant and paper of the models that match.

    They are built; a network that cannot be without a head gets one of 27 classes.
    """
    import tensorflow as tf

    from landmark_zoo.backbones.registry import BACKBONES
    from landmark_zoo.layers.attention.registry import ATTENTION
    from landmark_zoo.models.inspection import Costs, costs, multiply_accumulates
    from landmark_zoo.models.published.checkpoints import CHECKPOINTS
    from landmark_zoo.models.registry import MODELS, NETWORKS, WHOLE, create_model, list_models

    def whole(name: str) -> Costs:
        try:
            model = create_model(name)
        except UserError:
            model = create_model(name, num_classes=27)
        images = tf.TensorSpec([1, _HEIGHT.value, _WIDTH.value, 3], tf.float32)
        return Costs(model.count_params(), multiply_accumulates(model, images), model.output_shape["embedding"][-1])

    names = list_models(pattern)
    if not names:
        raise no_models(pattern)
    yield f"{'name':<34}{'parameters':>12}{'GMACs':>8}{'D':>6}  quadrant; paper"
    for name in names:
        parts = MODELS[name]
        if "builder" in parts:
            network = None if name in CHECKPOINTS else WHOLE[name] if name in WHOLE else NETWORKS[
                name.removeprefix(f"{parts['backbone']}_")]
            cost, text = whole(name), network.paper if network else CHECKPOINTS[name].about
        else:
            method = ATTENTION[parts["attention"]] if "attention" in parts else None
            cost = costs(parts["backbone"], parts.get("attention"), parts.get("pooling", "gem"), 512, _HEIGHT.value,
                         _WIDTH.value)
            text = f"{method.quadrant}; {method.paper}" if method else BACKBONES[parts["backbone"]].paper
        yield f"{name:<34}{cost.parameters:>12,}{cost.macs / 1e9:>8.2f}{cost.embedding:>6}  {text}"


if __name__ == "__main__":
    run(main)
