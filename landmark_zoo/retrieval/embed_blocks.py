"""Embeddings of photographs that lie anywhere, saved block by block."""

import itertools
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from landmark_zoo.core.errors import UserError
from landmark_zoo.core.files import write_npy
from landmark_zoo.core.progress import progress
from landmark_zoo.data.analysis.photographs import Block, Photographs
from landmark_zoo.data.photograph import BadPhotograph, read_photograph
from landmark_zoo.retrieval.embedding_faults import embedding_faults
from landmark_zoo.retrieval.embedding_set import EmbeddingSet
from landmark_zoo.retrieval.read_ahead import read_ahead
from landmark_zoo.retrieval.saved_model import EmbeddingModel


def embed_blocks(model: EmbeddingModel, parts: Sequence[Photographs], folder: str | Path,
                 batch_size: int = 32) -> EmbeddingSet:
    """Embeds the photographs of all parts; those that the model cannot embed are left out.

    Args:
        model: The exported model.
        parts: What to embed; no id twice.
        folder: Where finished blocks are kept, under their fingerprints and the model's.
        batch_size: Pictures per call of the model.

    Raises:
        UserError: No photograph can be read, or an id occurs twice.
    """
    ids, vectors = [], []
    for part in parts:
        waiting = [block for block in part.blocks if not _path(folder, model, block).is_file()]
        numbers = [number for block in waiting for number in range(block.start, block.stop)]
        inputs = progress(read_ahead(_reader(part), numbers, 2 * batch_size), f"embedding {part.part}", total=len(numbers),
                          unit="photograph")
        for block in waiting:
            write_npy(_path(folder, model, block), _embed(model, itertools.islice(inputs, block.stop - block.start),
                                                          batch_size))
        next(inputs, None)
        ids.extend(part.ids)
        vectors.extend(np.load(_path(folder, model, block), allow_pickle=False) for block in part.blocks)
    found = np.concatenate([np.zeros((0, model.dimension), np.float32), *vectors])
    good = np.isfinite(found).all(axis=1)
    if not good.any():
        raise UserError("at least one readable photograph", f"{len(ids)} that are not", "Check --data, and the model.")
    return EmbeddingSet([ids[row] for row in np.flatnonzero(good)], found[good], model.fingerprint,
                        {"model": model.info.get("name"), "skipped": int((~good).sum())})


def _path(folder: str | Path, model: EmbeddingModel, block: Block) -> Path:
    return Path(folder, f"{block.fingerprint[:32]}-{model.fingerprint[:16]}.npy")


def _reader(part: Photographs):
    def read(number: int) -> bytes | None:
        try:
            return read_photograph(part.read(number)).encoded
        except BadPhotograph:
            return None
    return read


def _embed(model: EmbeddingModel, inputs: Iterator[bytes | None], batch_size: int) -> np.ndarray:
    """Returns float32 [N, D]; NaN for a picture that cannot be embedded."""
    parts = [np.zeros((0, model.dimension), np.float32)]
    while batch := list(itertools.islice(inputs, batch_size)):
        vectors = np.full((len(batch), model.dimension), np.nan, np.float32)
        good = [row for row, encoded in enumerate(batch) if encoded is not None]
        try:
            vectors[good] = model.embed_bytes([batch[row] for row in good])
        except BadPhotograph:
            for row in good:
                vectors[row] = _embed_one(model, batch[row])
        vectors[list(embedding_faults(vectors))] = np.nan
        parts.append(vectors)
    return np.concatenate(parts)


def _embed_one(model: EmbeddingModel, encoded: bytes) -> np.ndarray:
    try:
        return model.embed_bytes([encoded])[0]
    except BadPhotograph:
        return np.full(model.dimension, np.nan, np.float32)
