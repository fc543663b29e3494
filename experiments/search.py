"""Searches an index with one image: python -m experiments.search --savedmodel=DIR --index=DIR --image=FILE"""

from collections import defaultdict
from pathlib import Path

from absl import flags

from landmark_zoo.core.errors import UserError, printable
from landmark_zoo.core.scripts import run
from landmark_zoo.data.datasets.image_refs import ImageRef
from landmark_zoo.data.datasets.images import check_box
from landmark_zoo.retrieval.embed import embed_image
from landmark_zoo.retrieval.index.build import open_index
from landmark_zoo.saved_model import SavedModel

_SAVEDMODEL = flags.DEFINE_string("savedmodel", None, "Exported model: <name>, or <name>/<version>.", required=True)
_INDEX = flags.DEFINE_string("index", None, "Folder that experiments.embed or experiments.index wrote with the same model, "
                             "or a URI of Milvus (http://host:19530, or a path that ends in .db).", required=True)
_COLLECTION = flags.DEFINE_string("collection", "landmark_zoo", "For Milvus: name of the collection.")
_IMAGE = flags.DEFINE_string("image", None, "Image file to search with.", required=True)
_K = flags.DEFINE_integer("k", 10, "Number of index images to print.", lower_bound=1, upper_bound=100_000)
_BOX = flags.DEFINE_list("box", None, "x1,y1,x2,y2 in pixels of the upright image: search with that part only.")
_WHERE = flags.DEFINE_multi_string("where", [], "Search among these only: landmark=ID or source=NAME, as experiments.index "
                                   "stored them. Given twice for one field: either.")


def main(_):
    """Loads, embeds, searches, prints rank, score and id."""
    if _BOX.value is not None:
        check_box(_BOX.value, _IMAGE.value)
    model = SavedModel(_SAVEDMODEL.value)
    index = open_index(_INDEX.value, _COLLECTION.value)
    index.check_model(model.dimension, model.fingerprint)
    query = embed_image(model, ImageRef(_IMAGE.value, Path(_IMAGE.value), _BOX.value))
    where = _where()
    empty = [f"{name}={text}" for name, texts in where.items() for text in texts
             if not index.search(query, 1, {name: [text]})[0][0]]
    ids, scores = index.search(query, _K.value, where)
    if empty or not ids[0]:
        raise UserError(f"index images with {' and '.join(empty or _WHERE.value)}", "none",
                        "Check --where, or leave it out.")
    for rank, (image_id, score) in enumerate(zip(ids[0], scores[0], strict=True), start=1):
        print(f"{rank:4d}  {score:.4f}  {printable(image_id)}")


def _where() -> dict[str, list[str]]:
    where = defaultdict(list)
    for condition in _WHERE.value:
        name, equals, text = condition.partition("=")
        if not equals:
            raise UserError("--where=landmark=ID or --where=source=NAME", f"--where={condition}", "Write it so.")
        where[name].append(text)
    return where


if __name__ == "__main__":
    run(main)
