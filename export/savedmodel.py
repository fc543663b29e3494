"""Writes the SavedModel of a run, with its model card.

    python -m export.savedmodel --workdir=DIR --output=DIR
    python -m export.savedmodel --workdir=DIR --output=DIR --scales=0.7071,1,1.4142 --pca=256 --pca_images=DIR
    python -m export.savedmodel --workdir=DIR --output=DIR --precision=bfloat16
"""

import functools
from collections.abc import Callable
from pathlib import Path

import tensorflow as tf
from absl import flags, logging

from export.options import CardOptions, WhiteningOptions, write_export
from landmark_zoo.backbones.build import describe_weights
from landmark_zoo.core.errors import UserError
from landmark_zoo.core.files import read_json
from landmark_zoo.core.provenance import git_commit
from landmark_zoo.core.scripts import define_flags, define_output, from_flags, run
from landmark_zoo.models.registry import MODELS, ModelConfig
from landmark_zoo.serving.embedders import embedder_of
from landmark_zoo.serving.scales import Scales
from landmark_zoo.training.checkpoints import kept_checkpoint, load_weights, read_selection
from landmark_zoo.training.history import RECIPE_FILE, read_model
from landmark_zoo.training.precision import precision

define_flags(ModelConfig)
define_flags(WhiteningOptions)
define_flags(CardOptions)
_WORKDIR = flags.DEFINE_string("workdir", None, "Folder of a run of experiments.train, whose model.json names the model.")
_CHECKPOINT = flags.DEFINE_enum("checkpoint", None, ["best", "latest", "initial"], "Checkpoint of the run to export; by "
                                "default best, on landmarks kept out of training, where the run keeps one, else latest.")
_WEIGHTS = flags.DEFINE_string("weights", None, "Without --workdir: pretrained backbone weights, see experiments.train.")
_OUTPUT = define_output("output", None, "Folder <name>; the model goes to <name>/<next version>.", required=True)
_SIDE = flags.DEFINE_integer("side", 352, "Pixels of the longer side to which images are brought.", lower_bound=32,
                             upper_bound=8192)
_SCALES = flags.DEFINE_list("scales", ["1"], "Multiples of --side at which every image is embedded.")
_SCALE_L2 = flags.DEFINE_boolean("scale_l2", True, "Bring each scale's embedding to length 1 before they are put together.")
_SCALE_POWER = flags.DEFINE_float("scale_power", 1.0, "Power p of the generalised mean over the scales; 1 is the mean.")
flags.register_validator("scale_power", lambda power: 0 < power <= 100, "Expected a power above 0, at most 100.")
_FOLD = flags.DEFINE_boolean("fold", True, "Make BatchNorm part of the convolutions before it, where the cosine of the "
                             "embeddings before and after is within 1e-5 of 1 (1e-3 with bfloat16).")
_PRECISION = flags.DEFINE_enum("precision", "float32", ["float32", "bfloat16"], "Number format of backbone and attention; "
                               "pooling, embedding and norms are float32 always. bfloat16 is faster on processors and GPUs "
                               "with units for it, slower elsewhere; its weights are written as constants.")


def main(_):
    """Builds the model, loads its weights and writes the SavedModel."""
    scales, whitening, card = _scales(), from_flags(WhiteningOptions), from_flags(CardOptions)
    if _WORKDIR.value:
        config, data = read_model(_WORKDIR.value)
        build = functools.partial(config.build, data["num_classes"])
        model, checkpoint = build(), _CHECKPOINT.value or kept_checkpoint(_WORKDIR.value)
        step = load_weights(model, _WORKDIR.value, checkpoint)
        chosen = _chosen(_WORKDIR.value) if checkpoint == "best" else {}
        trained_on = (f"{data['source']}: {data['photographs']} photographs of {data['num_classes']} landmarks, "
                      f"step {step}" if step else f"untrained: the initial weights of a run on {data['source']}")
        data = {"step": step, **{key: value for key, value in data.items() if key != "config"}, **chosen} if step else {
            "training": "none", "initialized_for": f"a run on {data['source']}", **chosen}
        recipe = Path(_WORKDIR.value) / RECIPE_FILE
        recipe = {**vars(config), **(read_json(recipe, dict) if recipe.exists() else {})} if step else _untrained(config)
    elif _WEIGHTS.value:
        config, checkpoint = from_flags(ModelConfig), "latest"
        build, model = config.build, config.build(weights=_WEIGHTS.value)
        trained_on, data, recipe = "pretrained backbone only", {
            "training": "none", "weights": Path(_WEIGHTS.value).name,
            **describe_weights(MODELS[config.model]["backbone"], _WEIGHTS.value, config.alpha)}, _untrained(config)
    else:
        raise UserError("--workdir, or --model with --weights", "neither", "Say which model shall be exported.")
    info = {"model": config.model, "training_data": trained_on, "git_commit": git_commit(), "weights": checkpoint,
            "precision": _PRECISION.value}
    if _PRECISION.value == "bfloat16":
        model = _in_bfloat16(model, build)
    embedder = embedder_of(model, _SIDE.value, scales, _FOLD.value)
    print(write_export(embedder, _OUTPUT.value, info, whitening, card, data, recipe, frozen=_PRECISION.value == "bfloat16"))


def _chosen(workdir: str) -> dict[str, object]:
    """Returns by which figure the best checkpoint of a run was chosen, for the card."""
    selection = read_selection(workdir)
    start, kept, gain = selection["start"], selection["kept"], selection["gain"]
    figures = ", ".join(f"{name} {100 * kept[key]:.1f} %" for name, key in (
        ("mAP", "retrieval_map"), ("mP@5", "retrieval_mp5"), ("recall@1", "retrieval_recall1")))
    why = (f"the best, after epoch {kept['epoch']}; at the start mAP was {100 * start['retrieval_map']:.1f} %, the gain is "
           f"{100 * gain['value']:+.1f} [{100 * gain['low']:+.1f}, {100 * gain['high']:+.1f}]" if kept["step"]
           else "the start; training did not help")
    where = f"{selection['photographs']} photographs of {selection['landmarks']} landmarks kept out of training"
    return {"checkpoint": f"step {kept['step']}: {why}", "chosen_by": f"{figures} on {where}"}


def _untrained(config: ModelConfig) -> dict[str, object]:
    """Returns the recipe of a model that made no training step: what it is, without what only training sees."""
    return {"training": "untrained: no training step was made",
            **{key: value for key, value in vars(config).items() if key not in ("head", "margin", "scale")}}


def _in_bfloat16(model: tf.keras.Model, build: Callable[[], tf.keras.Model]) -> tf.keras.Model:
    """Returns the same network, built anew, with backbone and attention in bfloat16, and prints how near it stays."""
    with precision("mixed_bfloat16"):
        short = build()
    short.set_weights(model.get_weights())
    picture = tf.random.stateless_uniform([1, _SIDE.value, _SIDE.value, 3], [0, 0], maxval=255.0)
    cosine = tf.reduce_sum(model(picture, training=False)["embedding"] * short(picture, training=False)["embedding"])
    logging.info("bfloat16: cosine %.6f to the float32 embedding of a picture of noise", float(cosine))
    return short


def _scales() -> Scales:
    try:
        return Scales(tuple(float(scale) for scale in _SCALES.value), _SCALE_L2.value, _SCALE_POWER.value)
    except ValueError as error:
        raise UserError("numbers for --scales", str(error), "Write for example --scales=0.7071,1,1.4142.") from error


if __name__ == "__main__":
    run(main)
