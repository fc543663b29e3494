"""Photographs to embeddings, resumable shard by shard."""

import itertools
import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from absl import logging

from landmark_zoo.core.errors import UserError
from landmark_zoo.core.files import read_json, write_csv, write_json
from landmark_zoo.core.lock import lock_directory
from landmark_zoo.core.progress import progress
from landmark_zoo.core.provenance import versions
from landmark_zoo.data.photograph import BadPhotograph
from landmark_zoo.retrieval.checked_box import checked_box
from landmark_zoo.retrieval.embedding_faults import embedding_faults
from landmark_zoo.retrieval.embedding_set import EmbeddingSet
from landmark_zoo.retrieval.embedding_shards import EmbeddingShards
from landmark_zoo.retrieval.model_input import model_input
from landmark_zoo.retrieval.photographs_checksum import photographs_checksum
from landmark_zoo.retrieval.picture import Picture
from landmark_zoo.retrieval.read_ahead import read_ahead
from landmark_zoo.retrieval.saved_model import EmbeddingModel


def embed(model: EmbeddingModel, pictures: Sequence[Picture], output: str | Path, batch_size: int = 32,
          shard_size: int = 1024, apply_exif: bool = True, strict: bool = False) -> EmbeddingSet:
    """Embeds pictures and writes an `EmbeddingSet` to `output`, with the bad ones in `skipped.csv`.

    Every `shard_size` pictures the work is saved; started again it goes on with the shards that are missing, and a
    finished set is only read. Files are read and checked in threads while the model works.

    Args:
        model: The exported model.
        pictures: What to embed; no id twice.
        output: Folder of the set.
        batch_size: Pictures per call of the model.
        shard_size: Pictures per saved shard.
        apply_exif: Turn pictures as their EXIF orientation says; False for benchmarks whose boxes are in the pixels as
            stored (Oxford, Paris).
        strict: Refuse the first bad photograph instead of skipping it.

    Returns:
        The embeddings in the order of `pictures`, without the bad ones. Its provenance holds the counts, a checksum of
        the photographs, the model's info and the versions.

    Raises:
        UserError: A bad photograph under `strict`, no usable photograph at all, a wrong box, a duplicate id, a folder
            that is in use or that holds embeddings of something else.
    """
    output = Path(output)
    _check_pictures(pictures)
    maker = {"model_fingerprint": model.fingerprint, "apply_exif": apply_exif}
    checksum = photographs_checksum(pictures)
    with lock_directory(output):
        if (output / "embeddings.json").exists():
            return _finished(output, {**maker, "photographs_sha256": checksum}, strict)
        if (output / "shards" / "maker.json").exists():
            _check_same(output, {**maker, "shard_size": shard_size}, read_json(output / "shards" / "maker.json"))
        write_json(output / "shards" / "maker.json", {**maker, "shard_size": shard_size})
        shards = EmbeddingShards(output / "shards", pictures, shard_size)
        _make_shards(model, shards, batch_size, apply_exif, strict)
        embeddings = _collect(shards, output, model, {"photographs_sha256": checksum, "apply_exif": apply_exif})
        shutil.rmtree(shards.folder)
    return embeddings


def _finished(output: Path, expected: dict, strict: bool) -> EmbeddingSet:
    embeddings = EmbeddingSet.load(output)
    _check_same(output, expected, {**embeddings.provenance, "model_fingerprint": embeddings.model_fingerprint})
    if strict and embeddings.provenance["skipped"]:
        raise UserError("no bad photograph", f"{embeddings.provenance['skipped']} in {output / 'skipped.csv'}",
                        "Mend them and choose another output folder, or leave out --strict.")
    logging.info("%s holds all %d embeddings already", output, len(embeddings))
    return embeddings


def _check_same(output: Path, expected: dict, found: dict) -> None:
    unlike = [key for key in expected if expected[key] != found.get(key)]
    if unlike:
        raise UserError(f"{output} to hold embeddings of these photographs by this model",
                        f"another {', '.join(unlike)}", "Choose another output folder or remove it.")


def _make_shards(model: EmbeddingModel, shards: EmbeddingShards, batch_size: int, apply_exif: bool,
                 strict: bool) -> None:
    def read(picture: Picture) -> tuple[str, bytes | None, str]:
        try:
            return picture.id, model_input(picture, apply_exif), ""
        except BadPhotograph as error:
            return picture.id, None, error.reason

    missing = shards.missing(redo_skipped=strict)
    todo = [picture for number in missing for picture in shards.pictures_of(number)]
    photographs = progress(read_ahead(read, todo, 2 * batch_size), "embedding", total=len(todo))
    for number in missing:
        vectors, skipped = [np.zeros((0, model.dimension), np.float32)], {}
        left = len(shards.pictures_of(number))
        while left:
            batch = list(itertools.islice(photographs, min(batch_size, left)))
            good, faults = _embed_batch(model, batch)
            if strict and faults:
                name, reason = next(iter(faults.items()))
                raise UserError(f"a usable photograph for {name}", reason, "Mend it or leave out --strict.")
            vectors.append(good)
            skipped.update(faults)
            left -= len(batch)
        shards.save(number, np.concatenate(vectors), skipped)
    next(photographs, None)


def _embed_batch(model: EmbeddingModel,
                 batch: list[tuple[str, bytes | None, str]]) -> tuple[np.ndarray, dict[str, str]]:
    """Returns the embeddings of the good pictures of a batch, and id and reason of the bad ones."""
    faults = {name: reason for name, data, reason in batch if data is None}
    readable = [(name, data) for name, data, _ in batch if data is not None]
    try:
        vectors = model.embed_bytes([data for _, data in readable])
    except BadPhotograph as error:
        if len(readable) == 1:
            return np.zeros((0, model.dimension), np.float32), {**faults, readable[0][0]: error.reason}
        singly = [_embed_batch(model, [item]) for item in batch]
        return np.concatenate([good for good, _ in singly]), {k: v for _, bad in singly for k, v in bad.items()}
    wrong = embedding_faults(vectors)
    return np.delete(vectors, list(wrong), axis=0), {**faults, **{readable[row][0]: wrong[row] for row in wrong}}


def _collect(shards: EmbeddingShards, output: Path, model: EmbeddingModel, facts: dict) -> EmbeddingSet:
    pictures, skipped = shards.pictures, shards.skipped()
    write_csv(output / "skipped.csv", ["id", "path", "reason"],
              ([picture.id, picture.path, skipped[picture.id]] for picture in pictures if picture.id in skipped))
    if len(skipped) == len(pictures):
        name, reason = next(iter(skipped.items()))
        raise UserError("at least one usable photograph", f"{len(skipped)} bad ones, first {name}: {reason}",
                        "Check the folder of photographs, and the model.")
    if skipped:
        logging.warning("%d of %d photographs are bad and left out; %s names them", len(skipped), len(pictures),
                        output / "skipped.csv")
    ids = [picture.id for picture in pictures if picture.id not in skipped]
    embeddings = EmbeddingSet(ids, shards.vectors(), model.fingerprint, {
        **facts, "photographs": len(pictures), "skipped": len(skipped),
        "cropped": sum(picture.box is not None for picture in pictures), "model": model.info, "versions": versions()})
    embeddings.save(output)
    return embeddings


def _check_pictures(pictures: Sequence[Picture]) -> None:
    if not pictures:
        raise UserError("photographs to embed", "none", "Check the folder or the list.")
    seen: set[str] = set()
    for picture in pictures:
        if picture.id in seen:
            raise UserError("every id once", f"{picture.id} twice", "Remove the duplicate.")
        seen.add(picture.id)
        if picture.box is not None:
            checked_box(picture.box, picture.id)
