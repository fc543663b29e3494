"""Writes the SavedModel of a run, with its model card.

    python -m export.savedmodel --workdir=DIR --output=DIR
    python -m export.savedmodel --workdir=DIR --output=DIR --scales=0.7071,1,1.4142 --pca=256 --pca_images=DIR
"""

from pathlib import Path

from absl import flags

from export.options.card import CardOptions
from export.options.whitening import WhiteningOptions
from export.options.write_export import write_export
from landmark_zoo.core.dataclass_flags import define_flags, from_flags
from landmark_zoo.core.errors import UserError
from landmark_zoo.core.files import read_json
from landmark_zoo.core.provenance import git_commit
from landmark_zoo.core.script import run
from landmark_zoo.models.config import ModelConfig
from landmark_zoo.serving.embedders.embedder_of import embedder_of
from landmark_zoo.serving.scales import Scales
from landmark_zoo.training.checkpoints import load_weights
from landmark_zoo.training.workdir import RECIPE_FILE, read_model

define_flags(ModelConfig)
define_flags(WhiteningOptions)
define_flags(CardOptions)
_WORKDIR = flags.DEFINE_string("workdir", None, "Folder of a run of experiments.train; its model.json says which model.")
_CHECKPOINT = flags.DEFINE_enum("checkpoint", "latest", ["latest", "initial"], "Which weights of the run.")
_WEIGHTS = flags.DEFINE_string("weights", None, "Without --workdir: the backbone's, see experiments.train.")
_OUTPUT = flags.DEFINE_string("output", None, "Folder <name>; the model goes to <name>/<next version>.", required=True)
_SIDE = flags.DEFINE_integer("side", 352, "Pixels of the longer side to which pictures are brought.", lower_bound=32)
_SCALES = flags.DEFINE_list("scales", ["1"], "Multiples of --side at which every picture is embedded.")
_SCALE_L2 = flags.DEFINE_boolean("scale_l2", True, "Bring each scale's embedding to length 1 before they are put together.")
_SCALE_POWER = flags.DEFINE_float("scale_power", 1.0, "p of the generalised mean over the scales; 1 is the mean.")


def main(_):
    """Builds, fills, writes."""
    scales, whitening, card = _scales(), from_flags(WhiteningOptions), from_flags(CardOptions)
    if _WORKDIR.value:
        config, data = read_model(_WORKDIR.value)
        model = config.build(data["num_classes"])
        step = load_weights(model, _WORKDIR.value, _CHECKPOINT.value)
        trained_on = (f"{data['source']}: {data['photographs']} photographs of {data['num_classes']} landmarks, "
                      f"step {step}")
        data = {"step": step, **{key: value for key, value in data.items() if key != "config"}}
        recipe = Path(_WORKDIR.value) / RECIPE_FILE
        recipe = {**vars(config), **(read_json(recipe) if recipe.exists() else {})}
    elif _WEIGHTS.value:
        config = from_flags(ModelConfig)
        model = config.build(weights=_WEIGHTS.value)
        trained_on, data, recipe = "pretrained backbone only", {"weights": Path(_WEIGHTS.value).name}, vars(config)
    else:
        raise UserError("--workdir, or --model with --weights", "neither", "Say which model shall be exported.")
    info = {"model": config.model, "training_data": trained_on, "git_commit": git_commit(), "weights": _CHECKPOINT.value}
    embedder = embedder_of(model, _SIDE.value, scales)
    print(write_export(embedder, _OUTPUT.value, info, whitening, card, data, recipe))


def _scales() -> Scales:
    try:
        return Scales(tuple(float(scale) for scale in _SCALES.value), _SCALE_L2.value, _SCALE_POWER.value)
    except ValueError as error:
        raise UserError("numbers for --scales", str(error), "Write for example --scales=0.7071,1,1.4142.") from error


if __name__ == "__main__":
    run(main)
