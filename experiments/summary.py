"""Prints what a model consists of and costs: python -m experiments.summary --model=resnet101_se"""

import tensorflow as tf
from absl import flags

from landmark_zoo.core.dataclass_flags import define_flags, from_flags
from landmark_zoo.core.script import run
from landmark_zoo.models import list_models
from landmark_zoo.models.complexity import multiply_accumulates
from landmark_zoo.models.config import ModelConfig

define_flags(ModelConfig)
_HEIGHT = flags.DEFINE_integer("height", 224, "Of the input, pixels.", lower_bound=32)
_WIDTH = flags.DEFINE_integer("width", 224, "Of the input, pixels.", lower_bound=32)
_CLASSES = flags.DEFINE_integer("num_classes", None, "With a head for so many landmarks.", lower_bound=2)
_LIST = flags.DEFINE_boolean("list", False, "Print the names of the zoo and nothing else.")


def main(_):
    """Builds, counts, prints."""
    if _LIST.value:
        print("\n".join(list_models()))
        return
    model = from_flags(ModelConfig).build(_CLASSES.value)
    model.summary(line_length=110)
    images = tf.TensorSpec([1, _HEIGHT.value, _WIDTH.value, 3], tf.float32)
    print(f"Parameters: {model.count_params():,}")
    print(f"Multiply-accumulates at {_HEIGHT.value} x {_WIDTH.value}: {multiply_accumulates(model, images):,}")
    outputs = tf.function(model).get_concrete_function(images).structured_outputs
    for name, output in sorted(outputs.items()):
        print(f"Output {name}: {tuple(output.shape)} {output.dtype.name}")


if __name__ == "__main__":
    run(main)
