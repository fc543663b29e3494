"""Writes the SavedModel of a run, with its model card.

    python -m export.savedmodel --workdir=DIR --output=DIR
    python -m export.savedmodel --workdir=DIR --output=DIR --scales=0.7071,1,1.4142 --pca=256 --pca_images=DIR
    python -m export.savedmodel --workdir=DIR --output=DIR --protocol=cirtorch --scales=1
    python -m export.savedmodel --workdir=DIR --output=DIR --precision=bfloat16
    python -m export.savedmodel --workdir=DIR --output=DIR --noclass_activation
    python -m export.savedmodel --model=xfeat --weights=published --embedding_dim=0 --output=DIR
    python -m export.savedmodel --model=cirtorch/gl18-resnet101-gem-w --weights=FILE --output=DIR

A published network (--model=PROJECT/NETWORK) leaves with the test protocol of its authors, unless --protocol says otherwise.
"""

import dataclasses
import functools
from collections.abc import Callable
from pathlib import Path

import numpy as np
import tensorflow as tf
from absl import flags, logging

from export.options import CardOptions, ProtocolOptions, WhiteningOptions, write_export
from landmark_zoo.core.errors import UserError
from landmark_zoo.core.files import read_json
from landmark_zoo.core.provenance import git_commit
from landmark_zoo.core.scripts import define_flags, define_output, from_flags, run
from landmark_zoo.data.protocol import Protocol
from landmark_zoo.models.inspection import LARGEST_CLASSIFIER
from landmark_zoo.models.published.build import WHITENING_SET, file_of, fitted_whitening
from landmark_zoo.models.published.checkpoints import CHECKPOINTS
from landmark_zoo.models.registry import WHOLE, ModelConfig, describe_model_weights
from landmark_zoo.serving.embedders import Whitened, WhiteningMap, embedder_of
from landmark_zoo.training.checkpoints import RECIPE_FILE, kept_checkpoint, kept_factor, load_weights, read_selection
from landmark_zoo.training.history import NOT_TRAINED, read_model
from landmark_zoo.training.interpolation import place_in_words
from landmark_zoo.training.precision import precision

define_flags(ModelConfig)
define_flags(ProtocolOptions)
define_flags(WhiteningOptions)
define_flags(CardOptions)
_WORKDIR = flags.DEFINE_string("workdir", None, "Folder of a run of experiments.train, whose model.json names the model.")
_CHECKPOINT = flags.DEFINE_enum("checkpoint", None, ["best", "latest", "initial"], "Checkpoint of the run to export; by "
                                "default what the run keeps: best, on landmarks kept out of training, or else latest, "
                                "interpolated with the start where the run says so (--weight_interpolation).")
_WEIGHTS = flags.DEFINE_string("weights", None, "Without --workdir: pretrained weights of the backbone, see "
                               "experiments.train; of xfeat and of published networks their authors' file, or "
                               "published for the fetched one.")
_OUTPUT = define_output("output", None, "Folder <name>; the model goes to <name>/<next version>.", required=True)
_FOLD = flags.DEFINE_boolean("fold", True, "Make BatchNorm part of the convolutions before it, where the cosine of the "
                             "embeddings before and after is within 1e-5 of 1 (1e-3 with bfloat16).")
_CLASS_ACTIVATION = flags.DEFINE_boolean(
    "class_activation", None, "Keep the classifier's weights for the map of the winning class in the signature attention; "
    f"unset: where there is a classifier and it has {LARGEST_CLASSIFIER:g} MB or less.")
_PRECISION = flags.DEFINE_enum("precision", "float32", ["float32", "bfloat16"], "Number format of backbone and attention; "
                               "pooling, embedding and norms are float32 always. bfloat16 is faster on processors and GPUs "
                               "with units for it, slower elsewhere; its weights are written as constants.")


def main(_):
    """Builds the model, loads its weights and writes the SavedModel."""
    options, whitening, card = from_flags(ProtocolOptions), from_flags(WhiteningOptions), from_flags(CardOptions)
    fitted = None
    if _WORKDIR.value:
        config, data = read_model(_WORKDIR.value)
        build = functools.partial(config.build, data["num_classes"])
        model, checkpoint = build(), _CHECKPOINT.value or kept_checkpoint(_WORKDIR.value)
        step = load_weights(model, _WORKDIR.value, _CHECKPOINT.value or "kept")
        kept = step and _CHECKPOINT.value in (None, "best")
        place = place_in_words(kept_factor(_WORKDIR.value, step)) if kept else ""
        chosen = _chosen(_WORKDIR.value, place) if checkpoint == "best" else (
            {"checkpoint": f"step {step}{place}"} if place else {})
        trained_on = (f"{data['source']}: {data['photographs']} photographs of {data['num_classes']} landmarks, "
                      f"step {step}{place}" if step else f"untrained: the initial weights of a run on {data['source']}")
        why = f": {data[NOT_TRAINED]}" if NOT_TRAINED in data else ""
        data = {"step": step, **{key: value for key, value in data.items() if key != "config"}, **chosen} if step else {
            "training": f"none{why}", "initialized_for": f"a run on {data['source']}", **chosen}
        recipe = Path(_WORKDIR.value) / RECIPE_FILE
        recipe = {**vars(config), **(read_json(recipe, dict) if recipe.exists() else {})} if step else _untrained(config)
    elif _WEIGHTS.value:
        config, checkpoint = from_flags(ModelConfig).for_weights(_WEIGHTS.value), "latest"
        whole = config.model in WHOLE
        if config.model in CHECKPOINTS:
            published = CHECKPOINTS[config.model]
            options, card = options.by_default(published.protocol), card.by_default(published.license_words)
            config, fitted = _fitted(config, options.chosen())
            whole = published.network != "backbone"
        build, model = config.build, config.build(weights=_WEIGHTS.value)
        if fitted and options.scale_power is None:
            options = dataclasses.replace(options, scale_power=float(model.get_layer("gem").power))
        trained_on = "not trained here: its authors' weights" if whole else "pretrained backbone only"
        data, recipe = {
            "training": "none", "weights": Path(_WEIGHTS.value).name,
            **describe_model_weights(config.model, _WEIGHTS.value, config.alpha)}, _untrained(config)
    else:
        raise UserError("--workdir, or --model with --weights", "neither", "Say which model shall be exported.")
    protocol = options.chosen()
    info = {"model": config.model, "training_data": trained_on, "git_commit": git_commit(), "weights": checkpoint,
            "precision": _PRECISION.value}
    if _PRECISION.value == "bfloat16":
        model = _in_bfloat16(model, build, protocol.side)
    embedder = embedder_of(model, protocol, fold=_FOLD.value, class_activation=_CLASS_ACTIVATION.value)
    embedder = Whitened(embedder, fitted) if fitted else embedder
    print(write_export(embedder, _OUTPUT.value, info, whitening, card, data, recipe, frozen=_PRECISION.value == "bfloat16"))


def _fitted(config: ModelConfig, protocol: Protocol) -> tuple[ModelConfig, WhiteningMap | None]:
    """Returns the settings of a published network and the whitening that its authors put behind several scales.

    At one scale the whitening is a layer of the network, and so it is where it was trained with it.
    """
    checkpoint, path = CHECKPOINTS[config.model], file_of(config.model, _WEIGHTS.value)
    if checkpoint.project != "cirtorch_sfm" or len(protocol.scales.factors) < 2:
        return config, None
    mean, projection = fitted_whitening(checkpoint, path, "ms")
    return dataclasses.replace(config, embedding_dim=0), WhiteningMap(
        np.float32(mean), np.float32(projection), f"whitening of {config.model}, D = {projection.shape[1]}", WHITENING_SET)


def _chosen(workdir: str, place: str) -> dict[str, object]:
    """Returns by which figure the best checkpoint of a run was chosen, and where its weights lie, for the card."""
    selection = read_selection(workdir)
    start, kept, gain = selection["start"], selection["kept"], selection["gain"]
    figures = ", ".join(f"{name} {100 * kept[key]:.1f} %" for name, key in (
        ("mAP", "retrieval_map"), ("mP@5", "retrieval_mp5"), ("recall@1", "retrieval_recall1")))
    why = (f"the best, after epoch {kept['epoch']}; at the start mAP was {100 * start['retrieval_map']:.1f} %, the gain is "
           f"{100 * gain['value']:+.1f} [{100 * gain['low']:+.1f}, {100 * gain['high']:+.1f}]" if kept["step"]
           else "the start; training did not help")
    where = f"{selection['photographs']} photographs of {selection['landmarks']} landmarks kept out of training"
    return {"checkpoint": f"step {kept['step']}{place}: {why}", "chosen_by": f"{figures} on {where}"}


def _untrained(config: ModelConfig) -> dict[str, object]:
    """Returns the recipe of a model that made no training step: what it is, without what only training sees."""
    return {"training": "untrained: no training step was made",
            **{key: value for key, value in vars(config).items() if key not in ("head", "margin", "scale")}}


def _in_bfloat16(model: tf.keras.Model, build: Callable[[], tf.keras.Model], side: int) -> tf.keras.Model:
    """Returns the same network, built anew, with backbone and attention in bfloat16, and prints how near it stays."""
    with precision("mixed_bfloat16"):
        short = build()
    short.set_weights(model.get_weights())
    picture = tf.random.stateless_uniform([1, side, side, 3], [0, 0], maxval=255.0)
    cosine = tf.reduce_sum(model(picture, training=False)["embedding"] * short(picture, training=False)["embedding"])
    logging.info("bfloat16: cosine %.6f to the float32 embedding of a picture of noise", float(cosine))
    return short


if __name__ == "__main__":
    run(main)
