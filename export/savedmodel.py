"""Writes the SavedModel of a run: python -m export.savedmodel --workdir=... --output=..."""

from absl import flags

from landmark_zoo.core.dataclass_flags import define_flags, from_flags
from landmark_zoo.core.errors import UserError
from landmark_zoo.core.provenance import git_commit
from landmark_zoo.core.script import run
from landmark_zoo.models.config import ModelConfig
from landmark_zoo.serving.export import export_saved_model
from landmark_zoo.training.checkpoints import load_weights
from landmark_zoo.training.workdir import read_model

define_flags(ModelConfig)
_WORKDIR = flags.DEFINE_string("workdir", None, "Folder of a run of experiments.train; its model.json says which model.")
_CHECKPOINT = flags.DEFINE_enum("checkpoint", "latest", ["latest", "initial"], "Which weights of the run.")
_WEIGHTS = flags.DEFINE_string("weights", None, "Without --workdir: the backbone's, see experiments.train.")
_OUTPUT = flags.DEFINE_string("output", None, "Folder <name>; the model goes to <name>/<next version>.", required=True)
_SIDE = flags.DEFINE_integer("side", 352, "Pixels of the longer side to which pictures are brought.", lower_bound=32)


def main(_):
    """Builds, fills, writes."""
    if _WORKDIR.value:
        config, facts = read_model(_WORKDIR.value)
        model = config.build(facts["num_classes"])
        step = load_weights(model, _WORKDIR.value, _CHECKPOINT.value)
        trained_on = (f"{facts['source']}: {facts['photographs']} photographs of {facts['num_classes']} landmarks, "
                      f"step {step}")
    elif _WEIGHTS.value:
        config = from_flags(ModelConfig)
        model = config.build(weights=_WEIGHTS.value)
        trained_on = "pretrained backbone only"
    else:
        raise UserError("--workdir, or --model with --weights", "neither", "Say which model shall be exported.")
    path = export_saved_model(model, _OUTPUT.value, side=_SIDE.value, info={
        "model": config.model, "training_data": trained_on, "git_commit": git_commit(), "weights": _CHECKPOINT.value})
    print(path)


if __name__ == "__main__":
    run(main)
