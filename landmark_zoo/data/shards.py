"""Photographs to TFRecord files: shuffled, checked, resumable, the same bytes every time."""

import os
import shutil
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from functools import partial
from itertools import islice
from pathlib import Path

import tensorflow as tf

from landmark_zoo.core.errors import UserError
from landmark_zoo.core.files import read_json, write_csv, write_json
from landmark_zoo.core.progress import progress
from landmark_zoo.data.catalogue import Catalogue, Entry
from landmark_zoo.data.decode import decode_image
from landmark_zoo.data.label_map import LabelMap
from landmark_zoo.data.manifest import MANIFEST, Manifest, Shard, read_manifest
from landmark_zoo.data.photograph import BadPhotograph, read_photograph
from landmark_zoo.data.record_file import write_record_file
from landmark_zoo.data.schema import Example, serialize_example
from landmark_zoo.data.shard_plan import ShardPlan

SKIPPED = "skipped.csv"
_PROGRESS = ".progress"
_AHEAD = 4


def write_records(catalogue: Catalogue, directory: str | Path, *, split: str, num_shards: int, seed: int, max_side: int,
                  strict: bool = False, label_map: LabelMap | None = None, workers: int = 2) -> Manifest:
    """Writes `<split>-00000-of-00008.tfrecord` ..., `skipped.csv` and, last, `manifest.json`.

    The order of the photographs depends on the seed and their ids alone, and the bytes of the files on nothing else but
    the photographs. Files appear one by one, each whole; started again after an interruption, the ones that are there
    are kept, and a finished folder is left as it is. At most 4 photographs per worker are in memory. Bad photographs
    are counted, listed in `skipped.csv` and left out.

    Args:
        catalogue: The photographs.
        directory: Where to; made if need be.
        split: "train", "validation" or "test".
        num_shards: How many files; never more than there are photographs.
        seed: Another seed, another order.
        max_side: The longest side of the stored pictures, in pixels.
        strict: Stop at the first bad photograph.
        label_map: Label of each landmark; by default that of this catalogue's landmarks.
        workers: Threads that read and encode.

    Raises:
        UserError: The folder holds records of another plan, a landmark is not in the label map, no photograph can be
            read, or (strict) one is bad.
        OSError: The disk is full; nothing half-written is left.
    """
    if num_shards < 1 or workers < 1:
        raise ValueError(f"Expected num_shards and workers of at least 1; received {num_shards} and {workers}.")
    directory = Path(directory)
    plan = ShardPlan(catalogue, split, min(num_shards, len(catalogue)), seed, max_side,
                     label_map or LabelMap(catalogue.landmark_counts))
    manifest = _finished(directory, plan)
    if manifest is None:
        _claim(directory, plan)
        written = _write_shards(directory, plan, strict, workers)
        manifest = _finish(directory, plan, written)
    shutil.rmtree(directory / _PROGRESS, ignore_errors=True)
    if strict and manifest.skipped:
        raise UserError("good photographs only (--strict)", f"{manifest.skipped:,} bad ones in {directory / SKIPPED}",
                        "Mend or remove them and prepare another folder, or drop --strict.")
    return manifest


@dataclass(frozen=True)
class _Written:
    """A finished shard and what was left out of it as (id, path, reason)."""

    shard: Shard
    skipped: tuple[tuple[str, str, str], ...]


def _finished(directory: Path, plan: ShardPlan) -> Manifest | None:
    if not (directory / MANIFEST).is_file():
        return None
    manifest = read_manifest(directory)
    _check_same_plan(directory, manifest.plan, plan)
    return manifest


def _claim(directory: Path, plan: ShardPlan) -> None:
    claim = directory / _PROGRESS / "plan.json"
    if claim.is_file():
        _check_same_plan(directory, read_json(claim)["plan"], plan)
    elif foreign := sorted(directory.glob("*.tfrecord")):
        raise UserError(f"no records in {directory} but this command's own", f"{foreign[0].name}",
                        "Choose another output folder or remove it.")
    write_json(claim, {"plan": plan.fingerprint})


def _check_same_plan(directory: Path, found: str, plan: ShardPlan) -> None:
    if found != plan.fingerprint:
        raise UserError(f"records of these photographs with these settings in {directory}",
                        "records of others, or with another seed, max_side, num_shards or split",
                        "Choose another output folder or remove it.")


def _write_shards(directory: Path, plan: ShardPlan, strict: bool, workers: int) -> list[_Written]:
    written: dict[str, _Written] = {}
    for name, _ in plan.shards():
        if (kept := _read_written(directory, name)) is not None:
            written[name] = kept
    todo = [(name, entries) for name, entries in plan.shards() if name not in written]
    pictures = [entry for _, entries in todo for entry in entries]
    with ThreadPoolExecutor(workers) as pool:
        results = _in_order(pool, partial(_record, plan=plan), pictures, ahead=_AHEAD * workers)
        results = progress(results, f"writing {plan.split}", total=len(pictures))
        for name, entries in todo:
            skipped: list[tuple[str, str, str]] = []
            records = _good(islice(results, len(entries)), skipped, strict)
            facts = write_record_file(directory / name, records)
            written[name] = _Written(Shard(name, *facts), tuple(skipped))
            write_json(directory / _PROGRESS / f"{name}.json", asdict(written[name]))
        next(results, None)
    return [written[name] for name, _ in plan.shards()]


def _read_written(directory: Path, name: str) -> _Written | None:
    file, note = directory / name, directory / _PROGRESS / f"{name}.json"
    if not (file.is_file() and note.is_file()):
        return None
    facts = read_json(note)
    shard = Shard(**facts["shard"])
    whole = file.stat().st_size == shard.bytes
    return _Written(shard, tuple(map(tuple, facts["skipped"]))) if whole else None


def _in_order(pool: ThreadPoolExecutor, function: Callable, items: Iterable, ahead: int) -> Iterator:
    """Yields function(item) in the order of `items`, at most `ahead` of them begun or waiting."""
    waiting = deque()
    for item in items:
        waiting.append(pool.submit(function, item))
        if len(waiting) >= ahead:
            yield waiting.popleft().result()
    while waiting:
        yield waiting.popleft().result()


def _record(entry: Entry, plan: ShardPlan) -> tuple[Entry, bytes | None, str]:
    """Returns (entry, record, ""), or (entry, None, reason) for a bad photograph."""
    try:
        photograph = read_photograph(entry.path, max_side=plan.max_side)
        decode_image(tf.constant(photograph.encoded))
    except BadPhotograph as error:
        return entry, None, error.reason
    except tf.errors.InvalidArgumentError:
        return entry, None, "damaged JPEG, refused by TensorFlow"
    return entry, serialize_example(Example(
        encoded=photograph.encoded, id=entry.id, height=photograph.height, width=photograph.width,
        label=plan.labels[entry.landmark_id], landmark_id=entry.landmark_id)), ""


def _good(results: Iterable[tuple[Entry, bytes | None, str]], skipped: list[tuple[str, str, str]],
          strict: bool) -> Iterator[bytes]:
    for entry, record, reason in results:
        if record is not None:
            yield record
        elif strict:
            raise UserError("good photographs only (--strict)", f"{entry.path}: {reason}",
                            "Mend or remove it, or drop --strict.")
        else:
            skipped.append((entry.id, entry.path, reason))


def _finish(directory: Path, plan: ShardPlan, written: list[_Written]) -> Manifest:
    skipped = [row for shard in written for row in shard.skipped]
    if len(skipped) == len(plan.entries):
        for shard in written:
            os.unlink(directory / shard.shard.name)
        shutil.rmtree(directory / _PROGRESS)
        raise UserError(f"a readable photograph in {plan.catalogue.source}",
                        f"{len(skipped):,} bad ones, first {skipped[0][1]}: {skipped[0][2]}", "Check the files.")
    bad = {image_id for image_id, _, _ in skipped}
    counts = Counter(plan.labels[entry.landmark_id] for entry in plan.entries if entry.id not in bad)
    manifest = Manifest(
        directory=directory, split=plan.split, label_map=plan.label_map,
        class_counts=tuple(counts[label] for label in range(len(plan.label_map))),
        shards=tuple(shard.shard for shard in written), skipped=len(skipped), seed=plan.seed, max_side=plan.max_side,
        source=plan.catalogue.source, plan=plan.fingerprint)
    write_csv(directory / SKIPPED, ["id", "path", "reason"], skipped)
    manifest.save()
    return manifest
