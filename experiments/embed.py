"""Photographs to embeddings: python -m experiments.embed --savedmodel=DIR --photos=DIR_or_csv --output=DIR

However many photographs there are, memory stays the same, and a run that was interrupted goes on where it was. In a SLURM
job array every task gets --num_shards=N --shard=$SLURM_ARRAY_TASK_ID and the same --output; the last to finish joins what
all have made, and --merge does it by hand.
"""

from collections.abc import Iterator
from pathlib import Path

from absl import flags

from landmark_zoo.core.dataclass_flags import define_flags, from_flags
from landmark_zoo.core.errors import UserError
from landmark_zoo.core.files import read_csv, write_json
from landmark_zoo.core.provenance import resolved_flags
from landmark_zoo.core.script import run
from landmark_zoo.data.locator import ImageLocator
from landmark_zoo.retrieval.at_scale.embed_at_scale import embed_at_scale
from landmark_zoo.retrieval.at_scale.folder_pictures import folder_pictures
from landmark_zoo.retrieval.at_scale.join_shards import join_shards
from landmark_zoo.retrieval.at_scale.scale_config import ScaleConfig
from landmark_zoo.retrieval.engines.engine import Engine
from landmark_zoo.retrieval.engines.onnx_engine import OnnxEngine
from landmark_zoo.retrieval.engines.openvino_engine import OpenvinoEngine
from landmark_zoo.retrieval.engines.tensorflow_engine import TensorflowEngine
from landmark_zoo.retrieval.picture import Picture
from landmark_zoo.retrieval.saved_model import EmbeddingModel

_SAVEDMODEL = flags.DEFINE_string("savedmodel", None, "Exported model: <name>, or <name>/<version>.")
_PHOTOS = flags.DEFINE_string("photos", None, "Folder of photographs (all below it), or a csv file with a column id.")
_PHOTOS_DIR = flags.DEFINE_string("photos_dir", None, "With a csv file: the folder in which the ids are looked up.")
_OUTPUT = flags.DEFINE_string("output", None, "Folder of the embeddings; an interrupted run goes on there.",
                              required=True)
_ENGINE = flags.DEFINE_enum("engine", "tensorflow", ["tensorflow", "openvino", "onnxruntime"], "What runs the model.")
_ONNX = flags.DEFINE_string("onnx", None, "With --engine=onnxruntime: the file that export.onnx made of the model.")
_MERGE = flags.DEFINE_boolean("merge", False, "Embed nothing; join what all shards have made.")
define_flags(ScaleConfig)


def main(_):
    """Lists, embeds, joins, says what came out."""
    if not _MERGE.value:
        model = EmbeddingModel(_needed("savedmodel", _SAVEDMODEL.value))
        missing = embed_at_scale(model, _engine(model), _pictures(), _OUTPUT.value, from_flags(ScaleConfig))
        if missing:
            print(f"This part is done; {missing} shards of other parts are missing in {_OUTPUT.value}")
            return
    facts = join_shards(_OUTPUT.value)
    write_json(Path(_OUTPUT.value) / "flags.json", resolved_flags())
    print(f"{facts['count']} embeddings of dimension {facts['dimension']} in {_OUTPUT.value}, "
          f"{facts['provenance']['skipped']} photographs skipped")


def _engine(model: EmbeddingModel) -> Engine:
    if _ENGINE.value == "onnxruntime":
        return OnnxEngine(_needed("onnx", _ONNX.value))
    return OpenvinoEngine(model.path) if _ENGINE.value == "openvino" else TensorflowEngine(model)


def _pictures() -> Iterator[Picture]:
    photos = _needed("photos", _PHOTOS.value)
    if not photos.endswith(".csv"):
        return folder_pictures(photos)
    if not _PHOTOS_DIR.value:
        raise UserError("--photos_dir beside a csv file", "none", "Name the folder that holds the photographs.")
    locator = ImageLocator(_PHOTOS_DIR.value)
    return (Picture.located(row["id"], locator) for row in read_csv(photos, ["id"]))


def _needed(flag: str, value: str | None) -> str:
    if not value:
        raise UserError(f"--{flag}", "none", f"Give --{flag}.")
    return value


if __name__ == "__main__":
    run(main)
