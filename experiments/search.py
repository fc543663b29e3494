"""The index images most like a photograph: python -m experiments.search --savedmodel=DIR --index=DIR --image=FILE"""

from collections import defaultdict
from pathlib import Path

from absl import flags

from landmark_zoo.core.errors import UserError
from landmark_zoo.core.script import run
from landmark_zoo.retrieval.embed_photograph import embed_photograph
from landmark_zoo.retrieval.index.open_index import open_index
from landmark_zoo.retrieval.picture import Picture
from landmark_zoo.retrieval.saved_model import EmbeddingModel

_SAVEDMODEL = flags.DEFINE_string("savedmodel", None, "Exported model: <name>, or <name>/<version>.", required=True)
_INDEX = flags.DEFINE_string("index", None, "Folder that experiments.embed or experiments.index wrote with the same model, "
                             "or a URI of Milvus (http://host:19530, or a path that ends in .db).", required=True)
_COLLECTION = flags.DEFINE_string("collection", "landmark_zoo", "For Milvus: name of the collection.")
_IMAGE = flags.DEFINE_string("image", None, "The photograph.", required=True)
_K = flags.DEFINE_integer("k", 10, "How many index images to print.", lower_bound=1)
_BOX = flags.DEFINE_list("box", None, "x1,y1,x2,y2 in pixels of the upright photograph: search with that part only.")
_WHERE = flags.DEFINE_multi_string("where", [], "Search among these only: landmark=ID or source=NAME, as experiments.index "
                                   "stored them. Given twice for one field: either.")


def main(_):
    """Loads, embeds, searches, prints rank, score and id."""
    model = EmbeddingModel(_SAVEDMODEL.value)
    index = open_index(_INDEX.value, _COLLECTION.value)
    index.check_model(model.dimension, model.fingerprint)
    query = embed_photograph(model, Picture(_IMAGE.value, Path(_IMAGE.value), _BOX.value))
    ids, scores = index.search(query, _K.value, _where())
    if not ids[0]:
        raise UserError(f"index images with {' and '.join(_WHERE.value)}", "none", "Check --where, or leave it out.")
    for rank, (image_id, score) in enumerate(zip(ids[0], scores[0], strict=True), start=1):
        print(f"{rank:4d}  {score:.4f}  {image_id}")


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
