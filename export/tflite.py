"""Writes an exported model as TFLite.

    python -m export.tflite --savedmodel=DIR --precision=int8 --representative=FOLDER --output=FILE.tflite

One picture of one size, float32 [1, height, width, 3], RGB 0..255, to its embedding [1, D]; pictures are stretched to that
size. The embeddings are compared with the SavedModel's.
"""

from pathlib import Path

from absl import flags

from export.options.sample_pictures import sample_pictures
from export.options.written_if_equal import written_if_equal
from landmark_zoo.core.script import run
from landmark_zoo.retrieval.saved_model import EmbeddingModel
from landmark_zoo.serving.picture_at_side import picture_at_side
from landmark_zoo.serving.write_tflite import tflite_embedder, write_tflite

_SAVED_MODEL = flags.DEFINE_string("savedmodel", None, "Exported model: <name>, or <name>/<version>.", required=True)
_PRECISION = flags.DEFINE_enum("precision", "fp16", ["fp16", "int8"], "Weights of 16 bits, or everything of 8.")
_REPRESENTATIVE = flags.DEFINE_string("representative", None, "Folder of photographs: embeddings are compared on them; for "
                                      "int8 ranges are measured on every second.", required=True)
_NUMBER = flags.DEFINE_integer("number", 64, "How many of them, spread evenly.", lower_bound=1)
_SIDE = flags.DEFINE_integer("side", None, "Height and width in pixels; default the model's longer side.", lower_bound=32)
_OUTPUT = flags.DEFINE_string("output", None, "The .tflite file.", required=True)

LEAST_COSINE = {"fp16": 0.99, "int8": 0.95}


def main(_):
    """Converts, compares, writes."""
    model = EmbeddingModel(_SAVED_MODEL.value)
    side = _SIDE.value or model.info["side"]
    images = [picture_at_side(picture, side, square=True)
              for picture in sample_pictures(_REPRESENTATIVE.value, _NUMBER.value)]

    def write(path: Path) -> None:
        write_tflite(model.path, path, side, side, _PRECISION.value, images[::2])

    cosine = written_if_equal(model.path, Path(_OUTPUT.value), write, tflite_embedder, images,
                              LEAST_COSINE[_PRECISION.value])
    megabytes = Path(_OUTPUT.value).stat().st_size / 1e6
    print(f"{_OUTPUT.value}: {megabytes:.1f} MB, smallest cosine to the SavedModel {cosine:.6f} on {len(images)} pictures")


if __name__ == "__main__":
    run(main)
