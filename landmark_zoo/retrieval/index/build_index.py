"""Embeddings to an index."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from landmark_zoo.core.errors import UserError
from landmark_zoo.core.progress import progress
from landmark_zoo.core.provenance import versions
from landmark_zoo.retrieval.embedding_set import EmbeddingSet
from landmark_zoo.retrieval.index.faiss_index import FaissIndex
from landmark_zoo.retrieval.index.index import Index
from landmark_zoo.retrieval.index.milvus_index import MilvusIndex

BATCH = 1000
TRAINING_SAMPLE = 131_072


def build_index(folders: Sequence[str | Path], kind: str, output: str | Path, landmarks: Mapping[str, str] | None = None,
                collection: str = "landmark_zoo") -> Index:
    """Builds an index of embeddings, and saves it.

    An interrupted build of a faiss kind leaves nothing. One into Milvus goes on where it was: ids that are there already are
    left alone.

    Args:
        folders: Of `EmbeddingSet`s of one model, e.g. the index images and a million distractors; their names become the
            field source.
        kind: One of `FAISS_KINDS`, or "milvus".
        output: Folder of the index, or a URI of Milvus.
        landmarks: Id to landmark, for the field landmark; "" for ids that are not in it.
        collection: Of Milvus.

    Returns:
        The index, opened.

    Raises:
        UserError: Embeddings of two models, an id in two folders, a folder that is there already.
    """
    if not folders:
        raise UserError("folders of embeddings", "none", "Name one or more.")
    if kind != "milvus" and Path(output).exists():
        raise UserError(f"no folder at {output}", "one that exists", "Choose another output folder or remove it.")
    sets = {Path(folder): EmbeddingSet.load(folder) for folder in folders}
    _check_sets(sets)
    first = next(iter(sets.values()))
    model = (first.dimension, first.model_fingerprint)
    index = MilvusIndex(*model, str(output), collection) if kind == "milvus" else FaissIndex(*model, kind)
    if isinstance(index, FaissIndex):
        index.train(*_training_sample(list(sets.values())))
        index.provenance = {"embeddings": {path.name: embeddings.provenance for path, embeddings in sets.items()},
                            "versions": versions()}
    total = sum(-(-len(embeddings) // BATCH) for embeddings in sets.values())
    for source, ids, vectors in progress(_batches(sets), "indexing", total, unit="thousand image"):
        texts = {"landmark": [(landmarks or {}).get(image_id, "") for image_id in ids], "source": [source] * len(ids)}
        index.add(ids, vectors, texts, skip_known=isinstance(index, MilvusIndex))
    if isinstance(index, FaissIndex):
        index.save(output)
    return index


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


def _batches(sets: Mapping[Path, EmbeddingSet]) -> Iterator[tuple[str, Sequence[str], np.ndarray]]:
    for path, embeddings in sets.items():
        for start in range(0, len(embeddings), BATCH):
            yield path.name, embeddings.ids[start:start + BATCH], embeddings.vectors[start:start + BATCH]
