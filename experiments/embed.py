"""Photographs to embeddings: python -m experiments.embed --savedmodel=DIR --photos=DIR_or_csv --output=DIR"""

from pathlib import Path

from absl import flags

from landmark_zoo.core.errors import UserError
from landmark_zoo.core.files import read_csv, write_json
from landmark_zoo.core.provenance import resolved_flags
from landmark_zoo.core.script import run
from landmark_zoo.data.folder import read_folder
from landmark_zoo.data.locator import ImageLocator
from landmark_zoo.retrieval.embed import embed
from landmark_zoo.retrieval.picture import Picture
from landmark_zoo.retrieval.saved_model import EmbeddingModel

_SAVEDMODEL = flags.DEFINE_string("savedmodel", None, "Exported model: <name>, or <name>/<version>.", required=True)
_PHOTOS = flags.DEFINE_string("photos", None, "Folder of photographs (all below it), or a csv file with a column id.",
                              required=True)
_PHOTOS_DIR = flags.DEFINE_string("photos_dir", None, "With a csv file: the folder in which the ids are looked up.")
_OUTPUT = flags.DEFINE_string("output", None, "Folder of the embeddings; an interrupted run goes on there.",
                              required=True)
_BATCH_SIZE = flags.DEFINE_integer("batch_size", 32, "Photographs per call of the model.", lower_bound=1)
_APPLY_EXIF = flags.DEFINE_boolean("apply_exif", True, "Turn photographs as their EXIF orientation says.")
_STRICT = flags.DEFINE_boolean("strict", False, "Stop at the first bad photograph instead of skipping it.")


def main(_):
    """Lists, embeds, says what came out."""
    pictures = _listed_pictures() if _PHOTOS.value.endswith(".csv") else _pictures_below()
    embeddings = embed(EmbeddingModel(_SAVEDMODEL.value), pictures, _OUTPUT.value, batch_size=_BATCH_SIZE.value,
                       apply_exif=_APPLY_EXIF.value, strict=_STRICT.value)
    write_json(Path(_OUTPUT.value) / "flags.json", resolved_flags())
    print(f"{len(embeddings)} embeddings of dimension {embeddings.dimension} in {_OUTPUT.value}, "
          f"{embeddings.provenance['skipped']} photographs skipped")


def _pictures_below() -> list[Picture]:
    return [Picture(entry.id, Path(entry.path)) for entry in read_folder([_PHOTOS.value])]


def _listed_pictures() -> list[Picture]:
    if not _PHOTOS_DIR.value:
        raise UserError("--photos_dir beside a csv file", "none", "Name the folder that holds the photographs.")
    locator = ImageLocator(_PHOTOS_DIR.value)
    return [Picture.located(row["id"], locator) for row in read_csv(_PHOTOS.value, ["id"])]


if __name__ == "__main__":
    run(main)
