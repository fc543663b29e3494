"""Embeds images: python -m experiments.embed --savedmodel=DIR --photos=DIR_or_csv --output=DIR

Memory does not grow with the number of images, and a run that was interrupted goes on where it was. In a SLURM
job array every task gets --num_shards=N --shard=$SLURM_ARRAY_TASK_ID and the same --output; the last to finish joins what
all have made, and --merge does it by hand.
"""

from collections.abc import Iterator
from pathlib import Path

from absl import flags

from landmark_zoo.core.errors import UserError
from landmark_zoo.core.files import read_csv, write_json
from landmark_zoo.core.provenance import resolved_flags
from landmark_zoo.core.scripts import define_flags, define_output, from_flags, run
from landmark_zoo.data.datasets.image_refs import ImageLocator, ImageRef
from landmark_zoo.retrieval.embed import EmbedConfig, embed_shards
from landmark_zoo.retrieval.embedding_shards import merge_shards
from landmark_zoo.retrieval.engines import Engine, OnnxEngine, OpenvinoEngine, TensorflowEngine
from landmark_zoo.retrieval.image_sequence import folder_images
from landmark_zoo.saved_model import SavedModel

_SAVEDMODEL = flags.DEFINE_string("savedmodel", None, "Exported model: <name>, or <name>/<version>.")
_PHOTOS = flags.DEFINE_string("photos", None, "Folder of images (all below it), or a csv file with a column id.")
_PHOTOS_DIR = flags.DEFINE_string("photos_dir", None, "With a csv file: folder in which the ids are looked up.")
_OUTPUT = define_output("output", None, "Folder of the embeddings; an interrupted run goes on there.",
                        required=True)
_ENGINE = flags.DEFINE_enum("engine", "tensorflow", ["tensorflow", "openvino", "onnxruntime"], "Engine that runs the model.")
_ONNX = flags.DEFINE_string("onnx", None, "With --engine=onnxruntime: the file that export.onnx made of the model.")
_MERGE = flags.DEFINE_boolean("merge", False, "Merge the finished shards; embeds nothing.")
define_flags(EmbedConfig)


def main(_):
    """Lists, embeds, joins, says what came out."""
    if not _MERGE.value:
        model = SavedModel(_needed("savedmodel", _SAVEDMODEL.value))
        missing = embed_shards(model, _images(), _OUTPUT.value, from_flags(EmbedConfig), engine=_engine(model))
        if missing:
            print(f"This part is done; {missing} shards of other parts are missing in {_OUTPUT.value}")
            return
    facts = merge_shards(_OUTPUT.value)
    write_json(Path(_OUTPUT.value) / "flags.json", resolved_flags())
    print(f"{facts['count']} embeddings of dimension {facts['dimension']} in {_OUTPUT.value}, "
          f"{facts['provenance']['skipped']} photographs skipped")


def _engine(model: SavedModel) -> Engine:
    if _ENGINE.value == "onnxruntime":
        return OnnxEngine(_needed("onnx", _ONNX.value))
    return OpenvinoEngine(model.path) if _ENGINE.value == "openvino" else TensorflowEngine(model)


def _images() -> Iterator[ImageRef]:
    photos = _needed("photos", _PHOTOS.value)
    if not photos.endswith(".csv"):
        if _PHOTOS_DIR.value:
            raise UserError("--photos_dir with a csv file alone", f"it with --photos={photos}", "Leave it out.")
        return folder_images(photos)
    if not _PHOTOS_DIR.value:
        raise UserError("--photos_dir beside a csv file", "none", "Name the folder that holds the photographs.")
    locator = ImageLocator(_PHOTOS_DIR.value)
    return (ImageRef.located(row["id"], locator) for row in read_csv(photos, ["id"]))


def _needed(flag: str, value: str | None) -> str:
    if not value:
        raise UserError(f"--{flag}", "none", f"Give --{flag}.")
    return value


if __name__ == "__main__":
    run(main)
