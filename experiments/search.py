"""The index images most like a photograph: python -m experiments.search --savedmodel=DIR --index=DIR --image=FILE"""

from pathlib import Path

from absl import flags

from landmark_zoo.core.script import run
from landmark_zoo.retrieval.embed_photograph import embed_photograph
from landmark_zoo.retrieval.exact_index import ExactIndex
from landmark_zoo.retrieval.picture import Picture
from landmark_zoo.retrieval.saved_model import EmbeddingModel

_SAVEDMODEL = flags.DEFINE_string("savedmodel", None, "Exported model: <name>, or <name>/<version>.", required=True)
_INDEX = flags.DEFINE_string("index", None, "Folder that experiments.embed wrote with the same model.", required=True)
_IMAGE = flags.DEFINE_string("image", None, "The photograph.", required=True)
_K = flags.DEFINE_integer("k", 10, "How many index images to print.", lower_bound=1)
_BOX = flags.DEFINE_list("box", None, "x1,y1,x2,y2 in pixels of the upright photograph: search with that part only.")


def main(_):
    """Loads, embeds, searches, prints rank, score and id."""
    model = EmbeddingModel(_SAVEDMODEL.value)
    index = ExactIndex.load(_INDEX.value)
    index.check_model(model.dimension, model.fingerprint)
    query = embed_photograph(model, Picture(_IMAGE.value, Path(_IMAGE.value), _BOX.value))
    ids, scores = index.search(query, _K.value)
    for rank, (image_id, score) in enumerate(zip(ids[0], scores[0], strict=True), start=1):
        print(f"{rank:4d}  {score:.4f}  {image_id}")


if __name__ == "__main__":
    run(main)
