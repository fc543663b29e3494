"""Writes an exported model as ONNX: python -m export.onnx --savedmodel=DIR --pictures=FOLDER --output=FILE.onnx

Input `images` float32 [N, H, W, 3], RGB 0..255; output `embedding`. The embeddings are compared with the SavedModel's.
"""

from pathlib import Path

from absl import flags

from export.options.sample_pictures import sample_pictures
from export.options.written_if_equal import written_if_equal
from landmark_zoo.core.script import run
from landmark_zoo.retrieval.engines.onnx_engine import OnnxEngine
from landmark_zoo.retrieval.saved_model import EmbeddingModel
from landmark_zoo.serving.picture_at_side import picture_at_side
from landmark_zoo.serving.write_onnx import write_onnx

_SAVED_MODEL = flags.DEFINE_string("savedmodel", None, "Exported model: <name>, or <name>/<version>.", required=True)
_PICTURES = flags.DEFINE_string("pictures", None, "Folder of photographs to compare embeddings on.", required=True)
_NUMBER = flags.DEFINE_integer("number", 16, "How many of them, spread evenly.", lower_bound=1)
_OUTPUT = flags.DEFINE_string("output", None, "The .onnx file.", required=True)

LEAST_COSINE = 0.99


def main(_):
    """Converts, compares, writes."""
    model = EmbeddingModel(_SAVED_MODEL.value)
    images = [picture_at_side(picture, model.info["side"]) for picture in sample_pictures(_PICTURES.value, _NUMBER.value)]
    cosine = written_if_equal(model.path, Path(_OUTPUT.value), lambda path: write_onnx(model.path, path),
                              lambda path: OnnxEngine(path).embed_images, images, LEAST_COSINE)
    print(f"{_OUTPUT.value}: smallest cosine to the SavedModel {cosine:.6f} on {len(images)} pictures")


if __name__ == "__main__":
    run(main)
