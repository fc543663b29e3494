"""Building an index of embedding folders, and opening one of any kind."""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
from absl import logging

from landmark_zoo.core.errors import UserError
from landmark_zoo.core.files import atomic_directory, read_json
from landmark_zoo.core.parallel import progress
from landmark_zoo.core.provenance import versions
from landmark_zoo.retrieval.embedding_set import EmbeddingSet
from landmark_zoo.retrieval.index.base import Index
from landmark_zoo.retrieval.index.exact import ExactIndex
from landmark_zoo.retrieval.index.faiss_index import FaissIndex
from landmark_zoo.retrieval.index.milvus_index import MilvusIndex, is_milvus_uri

BATCH = 1000
TRAINING_SAMPLE = 131_072


def build_index(folders: Sequence[str | Path], kind: str, output: str | Path, landmarks: Mapping[str, str] | None = None,
                collection: str = "landmark_zoo") -> Index:
    """Builds an index of embeddings and saves it.

    An interrupted build of a faiss kind leaves nothing. One into Milvus leaves a collection that no search takes until the
    build is started again and goes on; ids that are there already get these embeddings and fields, in their old place.

    Args:
        folders: Folders of `EmbeddingSet`s of one model, e.g. the index images and a million distractors; their names become
            the field source.
        kind: One of `FAISS_KINDS`, or "milvus".
        output: Folder of the index, or a URI of Milvus.
        landmarks: Id to landmark, for the field landmark; "" for ids that are not in it.
        collection: Name of the collection in Milvus.

    Returns:
        The index, opened.

    Raises:
        UserError: Embeddings of two models, an id in two folders, a folder that is there already or that another process is
            writing, a collection in which the build of other images was interrupted.

    Example:
        >>> import tempfile
        >>> folder = Path(tempfile.mkdtemp())
        >>> EmbeddingSet(["a", "b"], np.eye(2, dtype=np.float32), "model").save(folder / "embeddings")
        >>> index = build_index([folder / "embeddings"], "flat", folder / "index")
        >>> index.search(np.array([[0.6, 0.8]], np.float32), k=1)[0]
        [['b']]
    """
    if not folders:
        raise UserError("folders of embeddings", "none", "Name one or more.")
    if kind == "milvus":
        sets, model = _loaded(folders)
        index = MilvusIndex(*model, str(output), collection)
        with index.writing(itertools.chain.from_iterable(one.ids for one in sets.values())):
            for ids, vectors, fields in _batches(sets, landmarks or {}):
                index.add(ids, vectors, fields, replace_known=True)
        _warn_of_others(index, sum(map(len, sets.values())))
        return index
    with atomic_directory(output) as folder:  # from the start, so that of two builds the second ends at once
        sets, model = _loaded(folders)
        index = FaissIndex(*model, kind).train(*_training_sample(list(sets.values())))
        index.provenance = {"embeddings": {path.name: embeddings.provenance for path, embeddings in sets.items()},
                            "versions": versions()}
        for ids, vectors, fields in _batches(sets, landmarks or {}):
            index.add(ids, vectors, fields)
        index.write(folder)
    return index


def _loaded(folders: Sequence[str | Path]) -> tuple[dict[Path, EmbeddingSet], tuple[int, str]]:
    """Returns the sets by their folders, and dimension and fingerprint of their model."""
    sets = {Path(folder): EmbeddingSet.load(folder) for folder in folders}
    _check_sets(sets)
    first = next(iter(sets.values()))
    return sets, (first.dimension, first.model_fingerprint)


def _warn_of_others(index: MilvusIndex, built: int) -> None:
    others = len(index) - built
    if others:
        logging.warning("The collection %s holds %d images besides these %d: remove them, or build into another collection, "
                        "unless they belong there", index.collection, others, built)


def _check_sets(sets: Mapping[Path, EmbeddingSet]) -> None:
    first, seen = next(iter(sets.values())), set()
    for path, embeddings in sets.items():
        first.check_model(embeddings.dimension, embeddings.model_fingerprint)
        twice = seen.intersection(embeddings.ids)
        if twice:
            raise UserError("every id in one folder", f"{min(twice)} in {path} and in one before it", "Leave one out.")
        seen.update(embeddings.ids)


def _training_sample(sets: Sequence[EmbeddingSet]) -> tuple[np.ndarray, int]:
    """Returns embeddings drawn evenly from all sets, and how many there are in all."""
    size = sum(map(len, sets))
    share = min(1.0, TRAINING_SAMPLE / size)
    random = np.random.default_rng(0)
    drawn = [one.vectors if share == 1 else one.vectors[np.sort(random.choice(len(one), round(share * len(one)), False))]
             for one in sets]
    return (drawn[0] if len(drawn) == 1 else np.concatenate(drawn)), size


def _batches(sets: Mapping[Path, EmbeddingSet],
             landmarks: Mapping[str, str]) -> Iterator[tuple[Sequence[str], np.ndarray, dict[str, list[str]]]]:
    """Yields ids, embeddings and fields of up to `BATCH` images."""
    places = [(path, start) for path, one in sets.items() for start in range(0, len(one), BATCH)]
    for path, start in progress(places, "indexing", unit="thousand image"):
        ids = sets[path].ids[start:start + BATCH]
        fields = {"landmark": [landmarks.get(image_id, "") for image_id in ids], "source": [path.name] * len(ids)}
        yield ids, sets[path].vectors[start:start + BATCH], fields


def open_index(place: str | Path, collection: str = "landmark_zoo") -> Index:
    """Opens an index to search in; the files at `place` say of what kind.

    Args:
        place: Folder of an index (a faiss one is memory-mapped) or of an `EmbeddingSet`, or a URI of Milvus.
        collection: Name of the collection, where `place` is a URI of Milvus.

    Raises:
        UserError: No index there.

    Example:
        >>> import tempfile
        >>> folder = Path(tempfile.mkdtemp())
        >>> EmbeddingSet(["a", "b"], np.eye(2, dtype=np.float32), "model").save(folder / "embeddings")
        >>> len(open_index(folder / "embeddings"))
        2
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
