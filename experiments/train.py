"""Trains a landmark model on records.

    python -m experiments.train --flagfile=experiments/recipes/NAME.flags --records=DIR --workdir=DIR

Several workers train together where srun starts several tasks, or where TF_CONFIG names them; --batch_size is theirs
together. Where the records keep landmarks out of training, these are ranked before the first step and after each epoch, and
the best epoch, or the start, is what is exported (--keep, --patience). Where there were too few landmarks to keep any out,
nothing is trained, unless with --keep=last. With pretrained weights, --epochs, --learning_rate and others that are not given
follow from the number of images (`config.default_settings`). With --teacher and --distillation a small model learns the
embeddings, or the similarities, of a large one or of an ensemble.

--smoke goes through every part of the recipe in minutes, --overfit_one_batch tests whether the recipe can learn at all.
Exit codes: 0 done; 2 a mistake to mend; 3 another worker is gone; 42 saved at SIGUSR1 or SIGTERM: start the same command
again to continue; 1 anything else.
"""

import sys

import tensorflow as tf
from absl import flags, logging

from landmark_zoo.core.provenance import resolved_flags
from landmark_zoo.core.scripts import define_flags, define_output, from_flags, run
from landmark_zoo.data.manifest import read_manifest
from landmark_zoo.models.registry import ModelConfig
from landmark_zoo.training.config import MARGIN_HEADS, TrainingConfig, default_settings
from landmark_zoo.training.distributed.preemption import SAVED, PreemptionHandler
from landmark_zoo.training.distributed.strategy import DISTRIBUTIONS, create_strategy
from landmark_zoo.training.dry_runs import overfit_run, smoke_settings
from landmark_zoo.training.initialization import INITIAL_EMBEDDINGS, default_embedding
from landmark_zoo.training.objectives import ObjectiveConfig
from landmark_zoo.training.run import run_training
from landmark_zoo.training.sampling import SamplingConfig
from landmark_zoo.training.trainer import PreemptedError

for _config in (ModelConfig, TrainingConfig, ObjectiveConfig, SamplingConfig):
    define_flags(_config)
_RECORDS = flags.DEFINE_string("records", None, "Folder that experiments.prepare wrote.", required=True)
_WORKDIR = define_output("workdir", None, "Folder of this run: checkpoints, history, facts.", required=True)
_WEIGHTS = flags.DEFINE_string("weights", None, "Initial weights of the backbone: imagenet, a .h5 file (of "
                               "efficientnetlite and torchvision's ResNets also .pth or .safetensors), a folder of such "
                               "files, a URL, or the name of a published checkpoint such as torchvision/resnet101, whose "
                               "backbone the model gets; unset or empty for random weights, which may not be frozen.")
_INITIAL = flags.DEFINE_enum("initial_embedding", "auto", ("auto", *INITIAL_EMBEDDINGS), "Part of the model fitted to "
                             "training images before training: pca for the embedding layer and the head, whitening for "
                             "HOW's reduction, clusters for NetVLAD's centers, random for none; auto for what the model "
                             "has of these where the backbone is pretrained.")
_INITIAL_RUN = flags.DEFINE_string("initial_run", None, "Folder of another run whose kept weights, those that would be "
                                   "exported, training starts from.")
_TEACHER = flags.DEFINE_string("teacher", None, "Exported model, or ensemble of several, from which --distillation learns: "
                               "it embeds all training images before the first step. A run that goes on does not need it.")
_SMOKE = flags.DEFINE_boolean("smoke", False, "Make the smallest run of this recipe: four steps of small images.")
_OVERFIT = flags.DEFINE_boolean("overfit_one_batch", False, "Overfit one batch as a sanity check; writes nothing.")
_DETERMINISTIC = flags.DEFINE_boolean("deterministic", False, "Use deterministic TensorFlow operations only.")
_DISTRIBUTION = flags.DEFINE_enum("distribution", "auto", DISTRIBUTIONS, "Devices to train on: single for one device, "
                                  "mirrored for all GPUs of this process, workers for several processes, auto for all that "
                                  "there are.")
_START_SECONDS = flags.DEFINE_float("start_seconds", 30.0, "Seconds that several workers wait for each other at the start.",
                                    lower_bound=1.0, upper_bound=86_400.0)


def main(_):
    """Trains, or tries out, the recipe that the flags describe."""
    if _DETERMINISTIC.value:
        tf.config.experimental.enable_op_determinism()
    _fill_in()
    if _SMOKE.value:
        _shrink()
    model, training, objective, sampling = map(from_flags, (ModelConfig, TrainingConfig, ObjectiveConfig, SamplingConfig))
    more = {"objective": objective, "sampling": sampling, "initial_run": _INITIAL_RUN.value}
    weights = _WEIGHTS.value or None
    if _OVERFIT.value:
        overfit_run(model, training, _RECORDS.value, weights, _INITIAL.value, **more)
    else:
        _train(model, training, _RECORDS.value, _WORKDIR.value, weights, _INITIAL.value, **more, teacher=_TEACHER.value,
               dry_run=_SMOKE.value)


def _train(*arguments: object, **settings: object) -> None:
    facts = {f"--{name}": value for name, value in resolved_flags().items()}
    with PreemptionHandler() as should_stop, create_strategy(_DISTRIBUTION.value, facts, _START_SECONDS.value):
        should_stop.install()
        try:
            run_training(*arguments, **settings, should_stop=should_stop)
        except PreemptedError as preempted:
            logging.info("%s Start the same command again to go on.", preempted)
            sys.exit(SAVED)


def _fill_in() -> None:
    """Sets flags that are not given by the rule of `config.default_settings`, which depends on the number of images."""
    values, pretrained = flags.FLAGS, bool(_WEIGHTS.value) and not _INITIAL_RUN.value
    chosen = {}
    if pretrained and values["objective"].value == "classification" and values["head"].value in MARGIN_HEADS:
        settings = default_settings(read_manifest(f"{_RECORDS.value}/train").num_examples)
        chosen = {name: value for name, value in settings.items() if not values[name].present}
    if _INITIAL.value == "auto":
        chosen["initial_embedding"] = default_embedding(from_flags(ModelConfig)) if pretrained else "random"
    for name, value in chosen.items():
        values[name].value = value
    if pretrained:
        logging.info("By default: %s", " ".join(f"--{name}={value}" for name, value in chosen.items()))


def _shrink() -> None:
    changes = smoke_settings(flags.FLAGS.flag_values_dict())
    for name, value in changes.items():
        flags.FLAGS[name].value = value
    logging.info("Smoke run: %s", " ".join(f"--{name}={value}" for name, value in changes.items()))


if __name__ == "__main__":
    run(main)
