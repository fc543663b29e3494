"""Finished shards become one set of embeddings."""

import contextlib
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from absl import logging

from landmark_zoo.core.errors import UserError
from landmark_zoo.core.files import atomic_write, read_json, write_csv, write_json
from landmark_zoo.core.lock import lock_directory
from landmark_zoo.core.provenance import versions
from landmark_zoo.retrieval.at_scale.picture_list import PictureList
from landmark_zoo.retrieval.embedding_shards import EmbeddingShards
from landmark_zoo.retrieval.picture import Picture

_PATIENCE = 600
"""Seconds."""


def join_shards(output: str | Path) -> dict:
    """Writes the folder that `EmbeddingSet.load` reads, one shard after another, and removes the shards.

    Args:
        output: Of `embed_at_scale`; gets `embeddings.npy`, `ids.csv`, `skipped.csv` and, last, `embeddings.json`. A folder
            that was joined already is only read.

    Returns:
        What `embeddings.json` says.

    Raises:
        UserError: Nothing to join there, a shard that is missing, or every picture was bad.
    """
    output = Path(output)
    with contextlib.ExitStack() as stack:
        _lock(stack, output)
        if (output / "embeddings.json").exists():
            return read_json(output / "embeddings.json")
        maker = read_json(output / "shards" / "maker.json")
        lists = sorted((output / "shards").glob("part-*/pictures.jsonl"))
        if not lists:
            raise UserError(f"a list of pictures in {output / 'shards'}", "none", "Start experiments.embed there first.")
        shards = EmbeddingShards(output / "shards", PictureList(lists[0]), maker.pop("shard_size"))
        absent = [number for number in shards.numbers if not shards.exists(number)]
        if absent:
            raise UserError(f"{len(shards.numbers)} finished shards in {shards.folder}",
                            f"{len(absent)} missing, the first number {absent[0]}", "Start the run of its part again.")
        facts = _join(shards, output, maker)
        shutil.rmtree(shards.folder, ignore_errors=True)
    return facts


def _lock(stack: contextlib.ExitStack, output: Path) -> None:
    """Locks the folder; waits for another process that is joining the same shards."""
    for _ in range(_PATIENCE):
        with contextlib.suppress(UserError):
            stack.enter_context(lock_directory(output))
            return
        time.sleep(1)
    stack.enter_context(lock_directory(output))


def _join(shards: EmbeddingShards, output: Path, maker: dict) -> dict:
    shapes = [shards.vectors_of(number).shape for number in shards.numbers]
    rows, dimension = sum(shape[0] for shape in shapes), shapes[0][1]
    bad = len(shards.pictures) - rows
    write_csv(output / "skipped.csv", ["id", "path", "reason"],
              ([picture.id, picture.path, reason] for picture, reason in _reasons(shards) if reason is not None))
    if rows == 0:
        picture, reason = next(_reasons(shards))
        raise UserError("at least one usable photograph", f"{bad} bad ones, first {picture.id}: {reason}",
                        "Check the folder of photographs, and the model.")
    if bad:
        logging.warning("%d of %d photographs are bad and left out; %s names them", bad, len(shards.pictures),
                        output / "skipped.csv")
    with atomic_write(output / "embeddings.npy", "wb") as file:
        np.lib.format.write_array_header_1_0(file, {
            "descr": np.dtype(maker["dtype"]).str, "fortran_order": False, "shape": (rows, dimension)})
        for number in shards.numbers:
            file.write(shards.vectors_of(number).tobytes())
    write_csv(output / "ids.csv", ["id"], ([picture.id] for picture, reason in _reasons(shards) if reason is None))
    facts = {"count": rows, "dimension": dimension, "model_fingerprint": maker.pop("model_fingerprint"),
             "provenance": {**maker, "photographs": len(shards.pictures), "skipped": bad,
                            "cropped": sum(picture.box is not None for picture in shards.pictures), "versions": versions()}}
    write_json(output / "embeddings.json", facts)
    return facts


def _reasons(shards: EmbeddingShards) -> Iterator[tuple[Picture, str | None]]:
    """Yields every picture with the reason why it was skipped, None where it was not."""
    for number in shards.numbers:
        skipped = shards.skipped_of(number)
        for picture in shards.pictures_of(number):
            yield picture, skipped.get(picture.id)
