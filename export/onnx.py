"""Writes an exported model as ONNX: python -m export.onnx --savedmodel=DIR --images=FOLDER --output=FILE.onnx

Input `images` float32 [N, H, W, 3], RGB 0..255; output `embedding`. The embeddings are compared with the SavedModel's.
"""

from pathlib import Path

from absl import flags

from export.options import convert_verified, sample_images
from landmark_zoo.core.scripts import define_output, run
from landmark_zoo.retrieval.engines import OnnxEngine
from landmark_zoo.saved_model import SavedModel
from landmark_zoo.serving.converters import image_at_side, write_onnx

_SAVED_MODEL = flags.DEFINE_string("savedmodel", None, "Exported model: <name>, or <name>/<version>.", required=True)
_IMAGES = flags.DEFINE_string("images", None, "Folder of images to compare embeddings on.", required=True)
flags.DEFINE_alias("pictures", "images")
_NUMBER = flags.DEFINE_integer("number", 16, "Number of images compared, spread evenly.", lower_bound=1, upper_bound=100_000)
_OUTPUT = define_output("output", None, "Path of the .onnx file.", file=True, required=True)

LEAST_COSINE = 0.99


def main(_):
    """Converts, compares, writes."""
    model = SavedModel(_SAVED_MODEL.value)
    images = [image_at_side(image, model.info["side"]) for image in sample_images(_IMAGES.value, _NUMBER.value)]
    cosine = convert_verified(model.path, Path(_OUTPUT.value), lambda path: write_onnx(model.path, path),
                              lambda path: OnnxEngine(path).embed_images, images, LEAST_COSINE)
    print(f"{_OUTPUT.value}: smallest cosine to the SavedModel {cosine:.6f} on {len(images)} images")


if __name__ == "__main__":
    run(main)
