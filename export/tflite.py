"""Writes an exported model as TFLite.

    python -m export.tflite --savedmodel=DIR --precision=int8 --representative=FOLDER --output=FILE.tflite

One image of one size, float32 [1, height, width, 3], RGB 0..255, to its embedding [1, D]; images are stretched to that
size. The embeddings are compared with the SavedModel's.
"""

from pathlib import Path

from absl import flags

from export.options import convert_verified, sample_images
from landmark_zoo.core.scripts import define_output, run
from landmark_zoo.saved_model import SavedModel
from landmark_zoo.serving.converters import image_at_side, tflite_embedder, write_tflite

_SAVED_MODEL = flags.DEFINE_string("savedmodel", None, "Exported model: <name>, or <name>/<version>.", required=True)
_PRECISION = flags.DEFINE_enum("precision", "fp16", ["fp16", "int8"], "Number format: 16-bit weights, or 8-bit "
                                "weights and activations.")
_REPRESENTATIVE = flags.DEFINE_string("representative", None, "Folder of images: embeddings are compared on them; for "
                                      "int8 ranges are measured on every second.", required=True)
_NUMBER = flags.DEFINE_integer("number", 64, "Number of images used, spread evenly.", lower_bound=1, upper_bound=100_000)
_SIDE = flags.DEFINE_integer("side", None, "Height and width of the input in pixels; default the "
                             "model's longer side, to which the file resizes any other.", lower_bound=32, upper_bound=8192)
_OUTPUT = define_output("output", None, "Path of the .tflite file.", file=True, required=True)

LEAST_COSINE = {"fp16": 0.99, "int8": 0.95}


def main(_):
    """Converts, compares, writes."""
    model = SavedModel(_SAVED_MODEL.value)
    side = _SIDE.value or model.info["side"]
    images = [image_at_side(image, side, square=True)
              for image in sample_images(_REPRESENTATIVE.value, _NUMBER.value)]

    def write(path: Path) -> None:
        write_tflite(model.path, path, side, side, _PRECISION.value, images[::2])

    cosine = convert_verified(model.path, Path(_OUTPUT.value), write, tflite_embedder, images,
                              LEAST_COSINE[_PRECISION.value])
    megabytes = Path(_OUTPUT.value).stat().st_size / 1e6
    print(f"{_OUTPUT.value}: {megabytes:.1f} MB, smallest cosine to the SavedModel {cosine:.6f} on {len(images)} images")


if __name__ == "__main__":
    run(main)
