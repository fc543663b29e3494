"""Builds an index of embeddings: python -m experiments.index --embeddings=DIR --kind=hnsw --output=DIR_or_Milvus_URI"""

from pathlib import Path

from absl import flags

from landmark_zoo.core.files import read_csv, write_json
from landmark_zoo.core.provenance import resolved_flags
from landmark_zoo.core.scripts import define_output, run
from landmark_zoo.data.datasets.selection import read_landmarks
from landmark_zoo.retrieval.index.build import build_index
from landmark_zoo.retrieval.index.faiss_kinds import FAISS_KINDS

_EMBEDDINGS = flags.DEFINE_list("embeddings", None, "Folders that experiments.embed wrote with one model; the name of each "
                                "becomes the field source of its images.", required=True)
_KIND = flags.DEFINE_enum("kind", "flat", [*FAISS_KINDS, "milvus"], "flat: exact; sq: 8 bits per number; hnsw: a graph, "
                          "fast; ivfpq: compressed lists, smallest; milvus: exact, on a server or in a file.")
_OUTPUT = define_output("output", None, "Folder of the index; for milvus http://host:19530, or a path that ends in "
                        ".db. An interrupted run into Milvus goes on there.", file=".db", required=True)
_COLLECTION = flags.DEFINE_string("collection", "landmark_zoo", "For milvus: name of the collection.")
_LANDMARKS = flags.DEFINE_string("landmarks", None, "Csv file with the columns id and landmark_id, for the field landmark.")


def main(_):
    """Builds the index and prints its size."""
    landmarks = None
    if _LANDMARKS.value:
        ids = [row["id"] for folder in _EMBEDDINGS.value for row in read_csv(Path(folder) / "ids.csv", ["id"])]
        landmarks = read_landmarks(_LANDMARKS.value, ids, "landmark_id")
    index = build_index(_EMBEDDINGS.value, _KIND.value, _OUTPUT.value, landmarks, _COLLECTION.value)
    if _KIND.value != "milvus":
        write_json(Path(_OUTPUT.value) / "flags.json", resolved_flags())
    print(f"{len(index)} images in {_OUTPUT.value}")


if __name__ == "__main__":
    run(main)
