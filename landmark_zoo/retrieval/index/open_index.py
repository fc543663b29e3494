"""Any index from the place where it is."""

from pathlib import Path

from landmark_zoo.core.errors import UserError
from landmark_zoo.core.files import read_json
from landmark_zoo.retrieval.exact_index import ExactIndex
from landmark_zoo.retrieval.index.faiss_index import FaissIndex
from landmark_zoo.retrieval.index.index import Index
from landmark_zoo.retrieval.index.milvus_client import is_milvus_uri
from landmark_zoo.retrieval.index.milvus_index import MilvusIndex


def open_index(place: str | Path, collection: str = "landmark_zoo") -> Index:
    """Opens an index to search in; the files at `place` say of what kind.

    Args:
        place: Folder of an index (a faiss one is memory-mapped) or of an `EmbeddingSet`, or a URI of Milvus.
        collection: Of Milvus, where `place` is a URI.

    Raises:
        UserError: No index there.
    """
    if is_milvus_uri(str(place)):
        return MilvusIndex.open(str(place), collection)
    path = Path(place)
    if (path / "index.json").exists():
        facts = read_json(path / "index.json")
        is_milvus = isinstance(facts, dict) and facts.get("kind") == "milvus"
        return MilvusIndex.load(path) if is_milvus else FaissIndex.load(path, memory_map=True)
    if (path / "embeddings.json").exists():
        return ExactIndex.load(path)
    raise UserError(f"an index at {path} (a folder with index.json or embeddings.json, or a URI of Milvus)",
                    "none" if path.is_dir() else "no such folder", "Check the path, or build one with experiments.index.")
