"""Photographs to TFRecord files: shuffled, checked, resumable, the same bytes every time."""

import os
import shutil
from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from landmark_zoo.core.errors import UserError
from landmark_zoo.core.files import read_json, write_csv, write_json
from landmark_zoo.data.catalogue import Catalogue, Entry
from landmark_zoo.data.label_map import LabelMap
from landmark_zoo.data.manifest import MANIFEST, Manifest, read_manifest
from landmark_zoo.data.photograph_list import write_photograph_list
from landmark_zoo.data.shard_note import PROGRESS, ShardNote
from landmark_zoo.data.shard_plan import ShardPlan
from landmark_zoo.data.shards_by_threads import shards_by_threads

SKIPPED = "skipped.csv"

ShardsWriter = Callable[[Path, ShardPlan, Sequence[tuple[str, list[Entry]]]], None]


def write_records(catalogue: Catalogue, directory: str | Path, *, split: str, num_shards: int, seed: int,
                  max_side: int | None, strict: bool = False, label_map: LabelMap | None = None, upright: bool = True,
                  workers: int = 2, write_shards: ShardsWriter | None = None) -> Manifest:
    """Writes `<split>-00000-of-00008.tfrecord` ..., `skipped.csv`, `photographs.csv` and, last, `manifest.json`.

    The order of the photographs depends on the seed and their ids alone, and the bytes of the files on nothing else but
    the photographs. Files appear one by one, each whole; started again after an interruption, the ones that are there
    are kept, and a finished folder is left as it is. At most 4 photographs per worker are in memory. Bad photographs
    are counted, listed in `skipped.csv` and left out.

    Args:
        catalogue: The photographs.
        directory: Where to; made if need be.
        split: "train", "validation" or "test"; "index" or "query" of a benchmark.
        num_shards: How many files; never more than there are photographs.
        seed: Another seed, another order.
        max_side: The longest side of the stored pictures, in pixels; None for any.
        strict: Stop at the first bad photograph.
        label_map: Label of each landmark; by default that of this catalogue's landmarks.
        upright: Turn pictures as their EXIF orientation says.
        workers: Threads that read and encode.
        write_shards: Writes the files in place of those threads: given the folder, the plan, and name and photographs
            of each file that is wanted, it calls `write_shard` for each.

    Raises:
        UserError: The folder holds records of another plan, a landmark is not in the label map, no photograph can be
            read, or (strict) one is bad.
        OSError: The disk is full; nothing half-written is left.
    """
    if num_shards < 1 or workers < 1:
        raise ValueError(f"Expected num_shards and workers of at least 1; received {num_shards} and {workers}.")
    directory = Path(directory)
    plan = ShardPlan(catalogue, split, min(num_shards, len(catalogue)), seed, max_side,
                     label_map or LabelMap(catalogue.landmark_counts), upright)
    manifest = _finished(directory, plan)
    if manifest is None:
        _claim(directory, plan)
        notes = _write(directory, plan, write_shards or partial(shards_by_threads, strict=strict, workers=workers))
        manifest = _finish(directory, plan, notes)
    shutil.rmtree(directory / PROGRESS, ignore_errors=True)
    if strict and manifest.skipped:
        raise UserError("good photographs only (--strict)", f"{manifest.skipped:,} bad ones in {directory / SKIPPED}",
                        "Mend or remove them and prepare another folder, or drop --strict.")
    return manifest


def _finished(directory: Path, plan: ShardPlan) -> Manifest | None:
    if not (directory / MANIFEST).is_file():
        return None
    manifest = read_manifest(directory)
    _check_same_plan(directory, manifest.plan, plan)
    return manifest


def _claim(directory: Path, plan: ShardPlan) -> None:
    claim = directory / PROGRESS / "plan.json"
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


def _write(directory: Path, plan: ShardPlan, write_shards: ShardsWriter) -> list[ShardNote]:
    kept = {name: ShardNote.load(directory, name) for name, _ in plan.shards()}
    todo = [(name, entries) for name, entries in plan.shards() if kept[name] is None]
    if todo:
        write_shards(directory, plan, todo)
    kept.update((name, ShardNote.load(directory, name)) for name, _ in todo)
    if lost := [name for name, note in kept.items() if note is None]:
        raise UserError(f"{len(todo):,} record files written to {directory}", f"all but {len(lost):,}, first {lost[0]}",
                        "Choose a folder that all workers see under this path.")
    return list(kept.values())


def _finish(directory: Path, plan: ShardPlan, notes: Sequence[ShardNote]) -> Manifest:
    skipped = [row for note in notes for row in note.skipped]
    if len(skipped) == len(plan.entries):
        for note in notes:
            os.unlink(directory / note.shard.name)
        shutil.rmtree(directory / PROGRESS)
        raise UserError(f"a readable photograph in {plan.catalogue.source}",
                        f"{len(skipped):,} bad ones, first {skipped[0][1]}: {skipped[0][2]}", "Check the files.")
    bad = {image_id for image_id, _, _ in skipped}
    counts = Counter(plan.labels[entry.landmark_id] for entry in plan.entries if entry.id not in bad)
    manifest = Manifest(
        directory=directory, split=plan.split, label_map=plan.label_map,
        class_counts=tuple(counts[label] for label in range(len(plan.label_map))),
        shards=tuple(note.shard for note in notes), skipped=len(skipped), seed=plan.seed, max_side=plan.max_side,
        source=plan.catalogue.source, plan=plan.fingerprint, upright=plan.upright)
    write_csv(directory / SKIPPED, ["id", "path", "reason"], skipped)
    write_photograph_list(directory, plan.entries, [size for note in notes for size in note.original_sizes])
    manifest.save()
    return manifest
