"""Lays what a model attends to over photographs: python -m experiments.attention --workdir=... --image=a.jpg --output=...

Beside each overlay (.jpg) stands the map itself (.npy); `experiments.report --attention=...` puts them on a page.
"""

from pathlib import Path

import numpy as np
import tensorflow as tf
from absl import flags
from PIL import Image

from landmark_zoo.core.dataclass_flags import define_flags, from_flags
from landmark_zoo.core.errors import UserError
from landmark_zoo.core.files import atomic_write, write_json, write_npy
from landmark_zoo.core.script import run
from landmark_zoo.data.decode import decode_image
from landmark_zoo.data.photograph import BadPhotograph, Photograph, read_photograph
from landmark_zoo.data.resize import resize_long_side
from landmark_zoo.models.attention_maps import attention_maps
from landmark_zoo.models.config import ModelConfig
from landmark_zoo.report.attention_overlay import overlay
from landmark_zoo.training.checkpoints import load_weights
from landmark_zoo.training.workdir import read_model

define_flags(ModelConfig)
_WORKDIR = flags.DEFINE_string("workdir", None, "Folder of a run; its model.json says which model.")
_WEIGHTS = flags.DEFINE_string("weights", None, "Without --workdir: the backbone's pretrained weights.")
_IMAGES = flags.DEFINE_list("image", None, "Photographs, one or more with commas between.", required=True)
_SIDE = flags.DEFINE_integer("side", 352, "Pixels of the longer side to which pictures are brought.", lower_bound=32)
_OUTPUT = flags.DEFINE_string("output", None, "Folder for overlays, maps and overlays.json.", required=True)


def main(_):
    """Builds, looks at each picture, writes its maps."""
    if _WORKDIR.value:
        config, facts = read_model(_WORKDIR.value)
        model = config.build(facts["num_classes"])
        load_weights(model, _WORKDIR.value)
    else:
        model = from_flags(ModelConfig).build(weights=_WEIGHTS.value)
    output, overlays = Path(_OUTPUT.value), []
    for number, path in enumerate(_IMAGES.value):
        image = decode_image(tf.constant(_photograph(path).encoded))
        image, maps = resize_long_side(image, _SIDE.value), []
        for name, values in attention_maps(model, image).items():
            stem = f"{number:03d}_{name.replace('/', '_')}"
            maps.append({"name": name, "file": f"{stem}.npy"})
            write_npy(output / maps[-1]["file"], values)
            drawn = Image.fromarray(overlay(image.numpy().round().astype(np.uint8), values))
            with atomic_write(output / f"{stem}.jpg", "wb") as file:
                drawn.save(file, "JPEG", quality=90)
        overlays.append({"image": str(Path(path).absolute()), "title": Path(path).stem, "maps": maps})
    write_json(output / "overlays.json", overlays)
    print(output / "overlays.json")


def _photograph(path: str) -> Photograph:
    try:
        return read_photograph(path, max_side=1024)
    except BadPhotograph as error:
        raise UserError("a photograph", f"{path}: {error.reason}", "Check --image.") from error


if __name__ == "__main__":
    run(main)
