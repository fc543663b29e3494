"""Photographs to embeddings, however many, in one process or in many."""

import itertools
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np

from landmark_zoo.core.errors import UserError
from landmark_zoo.core.files import read_json, write_json
from landmark_zoo.core.lock import lock_directory
from landmark_zoo.core.progress import progress
from landmark_zoo.data.photograph import BadPhotograph
from landmark_zoo.retrieval.at_scale.equal_shapes import equal_shapes
from landmark_zoo.retrieval.at_scale.picture_list import PictureList
from landmark_zoo.retrieval.at_scale.prepared import preparation
from landmark_zoo.retrieval.at_scale.scale_config import ScaleConfig
from landmark_zoo.retrieval.embedding_faults import embedding_faults
from landmark_zoo.retrieval.embedding_shards import EmbeddingShards
from landmark_zoo.retrieval.engines.engine import Engine
from landmark_zoo.retrieval.photographs_checksum import photographs_checksum
from landmark_zoo.retrieval.picture import Picture
from landmark_zoo.retrieval.read_ahead import read_ahead
from landmark_zoo.retrieval.saved_model import EmbeddingModel

_OF_OLD = {"engine": "tensorflow", "dtype": "float32"}
"""What sets that do not say it were made with."""


def embed_at_scale(model: EmbeddingModel, engine: Engine, pictures: Iterable[Picture], output: str | Path,
                   config: ScaleConfig) -> int:
    """Embeds this process's part of the pictures into shards; `join_shards` makes one set of all parts.

    Threads read the pictures and bring them to the model's side, with a bounded queue, while the model works on batches of
    one size. The list of pictures lies on disk; started again, a run goes on with the shards that are missing.

    Args:
        model: For what it says of itself: fingerprint, side, dimension.
        engine: Runs it.
        pictures: What to embed; may be a generator. Every process lists the same.
        output: Folder of the set. One that is finished is left as it is.
        config: See there.

    Returns:
        The number of shards, of any process, that are still missing.

    Raises:
        UserError: A bad photograph under `strict`, a duplicate id, a folder that is in use or that holds embeddings of
            something else.
    """
    folder = Path(output) / "shards"
    part = folder / f"part-{config.shard}-of-{config.num_shards}"
    maker = {"model_fingerprint": model.fingerprint, "apply_exif": config.apply_exif, "engine": engine.name,
             "dtype": config.dtype}
    with lock_directory(part):
        listed = PictureList.write(part / "pictures.jsonl", pictures)
        maker["photographs_sha256"] = photographs_checksum(listed)
        finished = folder.parent / "embeddings.json"
        if finished.exists():
            _check_finished(finished, maker, config.strict)
            return 0
        _claim(folder, {**maker, "shard_size": config.shard_size}, model.info)
        shards = EmbeddingShards(folder, listed, config.shard_size)
        _make_shards(model, engine, shards, config)
        return sum(not shards.exists(number) for number in shards.numbers)


def _check_finished(path: Path, expected: dict, strict: bool) -> None:
    facts = read_json(path)
    found = {**_OF_OLD, **facts["provenance"], "model_fingerprint": facts["model_fingerprint"]}
    _check_same(path.parent, expected, found)
    if strict and found["skipped"]:
        raise UserError("no bad photograph", f"{found['skipped']} in {path.parent / 'skipped.csv'}",
                        "Mend them and choose another output folder, or leave out --strict.")


def _claim(folder: Path, maker: dict, info: dict) -> None:
    """Writes what makes the shards, or checks that what is there was made by the same."""
    if (folder / "maker.json").exists():
        found = read_json(folder / "maker.json")
        # Photographs that were mended meanwhile change the checksum of all, and of the shard that is then made again.
        _check_same(folder.parent, {key: value for key, value in maker.items() if key != "photographs_sha256"},
                    {**_OF_OLD, **found})
    write_json(folder / "maker.json", {**maker, "model": info})


def _check_same(output: Path, expected: dict, found: dict) -> None:
    unlike = [key for key in expected if expected[key] != found.get(key)]
    if unlike:
        raise UserError(f"{output} to hold embeddings of these photographs by this model",
                        f"another {', '.join(unlike)}", "Choose another output folder or remove it.")


def _make_shards(model: EmbeddingModel, engine: Engine, shards: EmbeddingShards, config: ScaleConfig) -> None:
    prepare = preparation(model.info["side"], config.apply_exif)

    def read(picture: Picture) -> tuple[str, np.ndarray | None, str]:
        try:
            return picture.id, prepare(picture), ""
        except BadPhotograph as error:
            return picture.id, None, error.reason

    mine = shards.numbers[config.shard::config.num_shards]
    missing = shards.missing(config.strict, mine)
    sizes = [min(shards.size, len(shards.pictures) - number * shards.size) for number in missing]
    todo = (picture for number in missing for picture in shards.pictures_of(number))
    stream = progress(read_ahead(read, todo, 2 * config.batch_size), "embedding", total=sum(sizes))
    for number, size in zip(missing, sizes, strict=True):
        vectors, skipped = _embed_shard(engine, itertools.islice(stream, size), model.dimension, config)
        shards.save(number, vectors.astype(config.dtype), skipped)
    next(stream, None)


def _embed_shard(engine: Engine, stream: Iterator[tuple[str, np.ndarray | None, str]], dimension: int,
                 config: ScaleConfig) -> tuple[np.ndarray, dict[str, str]]:
    """Returns the embeddings of the good pictures of a shard, in their order, and id and reason of the bad ones."""
    found: dict[str, np.ndarray] = {}
    skipped: dict[str, str] = {}

    def good() -> Iterator[tuple[str, np.ndarray]]:
        for name, pixels, reason in stream:
            order.append(name)
            if pixels is not None:
                yield name, pixels
            else:
                skip(name, reason)

    def skip(name: str, reason: str) -> None:
        if config.strict:
            raise UserError(f"a usable photograph for {name}", reason, "Mend it or leave out --strict.")
        skipped[name] = reason

    order: list[str] = []
    for names, images in equal_shapes(good(), config.batch_size, waiting=2 * config.batch_size):
        vectors = engine.embed_images(images)
        for row, fault in embedding_faults(vectors).items():
            skip(names[row], fault)
        found.update((name, vector) for name, vector in zip(names, vectors, strict=True) if name not in skipped)
    rows = [found[name] for name in order if name in found]
    return np.stack(rows) if rows else np.zeros((0, dimension), np.float32), skipped
