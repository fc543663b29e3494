"""Draws maps of what a model looks at over images: attention, class activation, feature norm.

    python -m experiments.attention --workdir=DIR --image=a.jpg --output=DIR
    python -m experiments.attention --savedmodel=DIR --image=a.jpg,b.jpg --output=DIR

A SavedModel brings its own maps (signature `attention`), an ensemble those of all members. Beside each overlay (.jpg) stands
the map itself (.npy); `experiments.report --attention=...` puts them on a page. Colors are on a fixed scale for each kind of
map. Attention to channels alone has no place to show: it is a chart of the channels of most and least attention and, but for
a SavedModel, which does not give them, of their feature maps.
"""

import functools
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import tensorflow as tf
from absl import flags, logging
from PIL import Image

from landmark_zoo.core.errors import UserError
from landmark_zoo.core.files import atomic_write, write_json, write_npy
from landmark_zoo.core.scripts import define_flags, define_output, from_flags, run
from landmark_zoo.data.datasets.images import EncodedImage, InvalidImageError, read_image
from landmark_zoo.data.image_ops import decode_image, resize_long_side
from landmark_zoo.models.inspection import attention_kinds, drawable, find_classifier, gated_features, maps_of_images
from landmark_zoo.models.registry import ModelConfig
from landmark_zoo.report.attention import (
    SHOWN_CHANNELS,
    WORDS,
    caption,
    channel_picture,
    end_channels,
    guessed_kind,
    is_flat,
    map_picture,
    with_caption,
)
from landmark_zoo.saved_model import SavedModel
from landmark_zoo.training.checkpoints import load_weights
from landmark_zoo.training.history import read_model

define_flags(ModelConfig)
_WORKDIR = flags.DEFINE_string("workdir", None, "Folder of a run, whose model.json names the model.")
_SAVED_MODEL = flags.DEFINE_string("savedmodel", None, "Exported model, in place of a run: <name>, or <name>/<version>.")
_WEIGHTS = flags.DEFINE_string("weights", None, "Without --workdir: the backbone's pretrained weights.")
_IMAGES = flags.DEFINE_list("image", None, "Images, one or more with commas between.", required=True)
_SIDE = flags.DEFINE_integer("side", 352, "Pixels of the longer side to which images are brought; a SavedModel states "
                             "its own.", lower_bound=32, upper_bound=8192)
_OUTPUT = define_output("output", None, "Folder for overlays, maps and overlays.json.", required=True)


def main(_):
    """Writes the maps and overlays of each image."""
    model, look, kinds, side = _from_saved_model() if _SAVED_MODEL.value else _from_run()
    output, overlays = Path(_OUTPUT.value), []
    for number, path in enumerate(_IMAGES.value):
        image = decode_image(tf.constant(_image(path).encoded))
        image, maps = resize_long_side(image, side), []
        for name, values in look(image[tf.newaxis]).items():
            values = drawable(values[0])
            kind = kinds[name] if kinds[name] in WORDS else guessed_kind(values)
            entry = {"name": name, "file": f"{number:03d}_{name.replace('/', '_').replace(' ', '_')}.npy", "kind": kind}
            write_npy(output / entry["file"], values)
            drawn = map_picture(_pixels(image), values, kind) if values.ndim == 2 else _channels(
                output, entry, model, image, values)
            with atomic_write((output / entry["file"]).with_suffix(".jpg"), "wb") as file:
                with_caption(drawn, caption(name, values, kind)).save(file, "JPEG", quality=90)
            maps.append(entry)
        overlays.append({"image": str(Path(path).absolute()), "title": Path(path).stem, "maps": maps})
    write_json(output / "overlays.json", overlays)
    print(output / "overlays.json")


Look = Callable[[tf.Tensor], Mapping[str, np.ndarray]]
"""From images [1, H, W, 3] to maps [1, h, w, c] by name."""


def _from_run() -> tuple[tf.keras.Model, Look, Mapping[str, str], int]:
    if _WORKDIR.value:
        config, facts = read_model(_WORKDIR.value)
        model = config.build(facts["num_classes"])
        load_weights(model, _WORKDIR.value)
    else:
        if not _WEIGHTS.value:
            logging.warning("RANDOM WEIGHTS: NEITHER --workdir NOR --weights. THE MAPS SHOW WHAT A MODEL STARTS WITH.")
        model = from_flags(ModelConfig).build(weights=_WEIGHTS.value or None)
    return model, functools.partial(maps_of_images, model), attention_kinds(model, find_classifier(model)), _SIDE.value


def _from_saved_model() -> tuple[None, Look, Mapping[str, str], int]:
    if _WORKDIR.value or _WEIGHTS.value:
        raise UserError("--savedmodel, --workdir or --weights", "two of them", "Choose one.")
    model = SavedModel(_SAVED_MODEL.value)
    if flags.FLAGS["side"].present and _SIDE.value != model.side:
        raise UserError(f"--side={model.side}, the SavedModel's own", str(_SIDE.value), "Leave --side out.")
    return None, model.attention, model.attention_kinds, model.side


def _channels(output: Path, entry: dict, model: tf.keras.Model | None, image: tf.Tensor, values: np.ndarray) -> Image.Image:
    """Draws the attention to channels; writes their feature maps and names them in the entry of overlays.json."""
    flat = model is None or is_flat(values, entry["kind"])
    features = None if flat else gated_features(model, image, entry["name"])
    if features is None:
        return channel_picture(_pixels(image), values, entry["kind"])
    channels = [channel for end in end_channels(values, SHOWN_CHANNELS) for channel in end]
    entry |= {"features": entry["file"].replace(".npy", "_features.npy"), "channels": channels,
              "largest": float(features.max())}
    write_npy(output / entry["features"], features[..., channels])
    return channel_picture(_pixels(image), values, entry["kind"], features[..., channels], channels, entry["largest"])


def _pixels(image: tf.Tensor) -> np.ndarray:
    return np.clip(image.numpy().round(), 0, 255).astype(np.uint8)


def _image(path: str) -> EncodedImage:
    try:
        return read_image(path, max_side=1024)
    except InvalidImageError as error:
        raise UserError("a photograph", f"{path}: {error.reason}", "Check --image.") from error


if __name__ == "__main__":
    run(main)
