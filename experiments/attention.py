"""Draws attention maps over images: python -m experiments.attention --workdir=... --image=a.jpg --output=...

Beside each overlay (.jpg) stands the map itself (.npy); `experiments.report --attention=...` puts them on a page. Colors are
on a fixed scale for each kind of map. Attention to channels alone has no place to show: it is a chart of the channels of
most and least attention, with their feature maps.
"""

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
from landmark_zoo.models.inspection import attention_kinds, attention_maps, gated_features
from landmark_zoo.models.registry import ModelConfig
from landmark_zoo.report.attention import (
    NORM,
    SHOWN_CHANNELS,
    caption,
    channel_picture,
    end_channels,
    is_flat,
    map_picture,
    with_caption,
)
from landmark_zoo.training.checkpoints import load_weights
from landmark_zoo.training.history import read_model

define_flags(ModelConfig)
_WORKDIR = flags.DEFINE_string("workdir", None, "Folder of a run, whose model.json names the model.")
_WEIGHTS = flags.DEFINE_string("weights", None, "Without --workdir: the backbone's pretrained weights.")
_IMAGES = flags.DEFINE_list("image", None, "Images, one or more with commas between.", required=True)
_SIDE = flags.DEFINE_integer("side", 352, "Pixels of the longer side to which images are brought.", lower_bound=32,
                             upper_bound=8192)
_OUTPUT = define_output("output", None, "Folder for overlays, maps and overlays.json.", required=True)


def main(_):
    """Writes the attention maps and overlays of each image."""
    if _WORKDIR.value:
        config, facts = read_model(_WORKDIR.value)
        model = config.build(facts["num_classes"])
        load_weights(model, _WORKDIR.value)
    else:
        if not _WEIGHTS.value:
            logging.warning("RANDOM WEIGHTS: NEITHER --workdir NOR --weights. THE MAPS SHOW WHAT A MODEL STARTS WITH.")
        model = from_flags(ModelConfig).build(weights=_WEIGHTS.value or None)
    output, overlays, kinds = Path(_OUTPUT.value), [], attention_kinds(model)
    for number, path in enumerate(_IMAGES.value):
        image = decode_image(tf.constant(_image(path).encoded))
        image, maps = resize_long_side(image, _SIDE.value), []
        for name, values in attention_maps(model, image).items():
            entry = {"name": name, "file": f"{number:03d}_{name.replace('/', '_').replace(' ', '_')}.npy",
                     "kind": kinds.get(name, NORM)}
            write_npy(output / entry["file"], values)
            drawn = _channels(output, entry, model, image, values) if values.ndim == 1 else map_picture(
                _pixels(image), values, entry["kind"])
            with atomic_write((output / entry["file"]).with_suffix(".jpg"), "wb") as file:
                with_caption(drawn, caption(name, values, entry["kind"])).save(file, "JPEG", quality=90)
            maps.append(entry)
        overlays.append({"image": str(Path(path).absolute()), "title": Path(path).stem, "maps": maps})
    write_json(output / "overlays.json", overlays)
    print(output / "overlays.json")


def _channels(output: Path, entry: dict, model: tf.keras.Model, image: tf.Tensor, values: np.ndarray) -> Image.Image:
    """Draws the attention to channels; writes their feature maps and names them in the entry of overlays.json."""
    features = None if is_flat(values, entry["kind"]) else gated_features(model, image, entry["name"])
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
