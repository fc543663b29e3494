"""Trains a landmark model on records.

    python -m experiments.train --flagfile=experiments/recipes/NAME.flags --records=DIR --workdir=DIR
"""

import tensorflow as tf
from absl import flags

from landmark_zoo.core.dataclass_flags import define_flags, from_flags
from landmark_zoo.core.script import run
from landmark_zoo.models.config import ModelConfig
from landmark_zoo.training.config import TrainingConfig
from landmark_zoo.training.run import INITIAL_EMBEDDINGS, run_training

define_flags(ModelConfig)
define_flags(TrainingConfig)
_RECORDS = flags.DEFINE_string("records", None, "Folder that experiments.prepare wrote.", required=True)
_WORKDIR = flags.DEFINE_string("workdir", None, "Folder of this run: checkpoints, history, facts.", required=True)
_WEIGHTS = flags.DEFINE_string("weights", None, 'Of the backbone: "imagenet", a .h5 file, a folder of them, or an address.')
_INITIAL = flags.DEFINE_enum("initial_embedding", "random", INITIAL_EMBEDDINGS, "How the embedding layer starts.")
_DETERMINISTIC = flags.DEFINE_boolean("deterministic", False, "Whether every TensorFlow operation must be deterministic.")


def main(_):
    """Parses, trains."""
    if _DETERMINISTIC.value:
        tf.config.experimental.enable_op_determinism()
    run_training(from_flags(ModelConfig), from_flags(TrainingConfig), _RECORDS.value, _WORKDIR.value, _WEIGHTS.value,
                 _INITIAL.value)


if __name__ == "__main__":
    run(main)
