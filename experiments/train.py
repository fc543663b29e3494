"""Trains a landmark model on records.

    python -m experiments.train --flagfile=experiments/recipes/NAME.flags --records=DIR --workdir=DIR

Several workers train together where srun starts several tasks, or where TF_CONFIG names them; --batch_size is theirs
together. With --smoke it goes through every part of the recipe in minutes, with --overfit_one_batch it asks whether the
recipe can learn at all. Exit codes: 0 done; 2 a mistake to mend; 3 another worker is gone; 42 all is saved as SIGUSR1 or
SIGTERM told it: start the same command again; 1 anything else.
"""

import sys

import tensorflow as tf
from absl import flags, logging

from landmark_zoo.core.dataclass_flags import define_flags, from_flags
from landmark_zoo.core.provenance import resolved_flags
from landmark_zoo.core.script import run
from landmark_zoo.models.config import ModelConfig
from landmark_zoo.training.config import TrainingConfig
from landmark_zoo.training.distribution import DISTRIBUTIONS, distribution
from landmark_zoo.training.initial_embedding import INITIAL_EMBEDDINGS
from landmark_zoo.training.objectives.config import ObjectiveConfig
from landmark_zoo.training.overfit_run import overfit_run
from landmark_zoo.training.run import run_training
from landmark_zoo.training.sampling import SamplingConfig
from landmark_zoo.training.smoke import smoke_settings
from landmark_zoo.training.stop_signal import SAVED, StopSignal
from landmark_zoo.training.trainer import ToldToStopError

for _config in (ModelConfig, TrainingConfig, ObjectiveConfig, SamplingConfig):
    define_flags(_config)
_RECORDS = flags.DEFINE_string("records", None, "Folder that experiments.prepare wrote.", required=True)
_WORKDIR = flags.DEFINE_string("workdir", None, "Folder of this run: checkpoints, history, facts.", required=True)
_WEIGHTS = flags.DEFINE_string("weights", None, 'Of the backbone: "imagenet", a .h5 file, a folder of them, or an address.')
_INITIAL = flags.DEFINE_enum("initial_embedding", "random", INITIAL_EMBEDDINGS, "What is fitted to photographs before "
                             "training: the embedding layer, HOW's whitening, NetVLAD's clusters, or nothing.")
_INITIAL_RUN = flags.DEFINE_string("initial_run", None, "Folder of another run, whose weights are the initial ones.")
_SMOKE = flags.DEFINE_boolean("smoke", False, "Whether to make the smallest run of this recipe; see training/smoke.py.")
_OVERFIT = flags.DEFINE_boolean("overfit_one_batch", False, "Whether to train on one batch only, leave nothing behind and "
                                "fail where its loss does not fall to a tenth.")
_DETERMINISTIC = flags.DEFINE_boolean("deterministic", False, "Whether every TensorFlow operation must be deterministic.")
_DISTRIBUTION = flags.DEFINE_enum("distribution", "auto", DISTRIBUTIONS, "Over what to train: one device, all GPUs of this "
                                  "process, several workers, or what there is.")
_START_SECONDS = flags.DEFINE_float("start_seconds", 30.0, "How long several workers wait for each other at the start.",
                                    lower_bound=1.0)


def main(_):
    """Parses, trains."""
    if _DETERMINISTIC.value:
        tf.config.experimental.enable_op_determinism()
    if _SMOKE.value:
        _shrink()
    model, training, objective, sampling = map(from_flags, (ModelConfig, TrainingConfig, ObjectiveConfig, SamplingConfig))
    more = {"objective": objective, "sampling": sampling, "initial_run": _INITIAL_RUN.value}
    if _OVERFIT.value:
        overfit_run(model, training, _RECORDS.value, _WEIGHTS.value, _INITIAL.value, **more)
    else:
        _train(model, training, _RECORDS.value, _WORKDIR.value, _WEIGHTS.value, _INITIAL.value, **more)


def _train(*arguments: object, **settings: object) -> None:
    facts = {f"--{name}": value for name, value in resolved_flags().items()}
    with StopSignal() as stop, distribution(_DISTRIBUTION.value, facts, _START_SECONDS.value):
        stop.listen()
        try:
            run_training(*arguments, **settings, stop=stop)
        except ToldToStopError as stopped:
            logging.info("%s Start the same command again to go on.", stopped)
            sys.exit(SAVED)


def _shrink() -> None:
    changes = smoke_settings(flags.FLAGS.flag_values_dict())
    for name, value in changes.items():
        flags.FLAGS[name].value = value
    logging.info("Smoke run: %s", " ".join(f"--{name}={value}" for name, value in changes.items()))


if __name__ == "__main__":
    run(main)
