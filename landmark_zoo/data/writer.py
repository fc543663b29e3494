"""Writer of TFRecord folders: resumable, and byte-identical for equal images and settings; and the repair of damaged ones.

`write_records` plans the files (`shard_plan`), writes the missing ones, and finishes with the manifest.
"""

import contextlib
import os
import shutil
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import islice
from pathlib import Path

from landmark_zoo.core.errors import UserError, notify
from landmark_zoo.core.files import read_csv, read_json, sha256, write_csv, write_json
from landmark_zoo.core.parallel import progress
from landmark_zoo.data.datasets.image_list import ImageEntry, ImageList
from landmark_zoo.data.datasets.images import InvalidImageError, read_image
from landmark_zoo.data.examples import MadeRecord, make_record, write_record_file
from landmark_zoo.data.manifest import MANIFEST, LabelMap, Manifest, Shard, read_manifest
from landmark_zoo.data.shard_plan import (
    IMAGE_LIST,
    PROGRESS,
    ShardInfo,
    ShardPlan,
    read_image_list,
    read_original_sizes,
    write_image_list,
)

SKIPPED = "skipped.csv"
_SKIPPED_COLUMNS = ("id", "path", "reason")
_AHEAD = 4

ShardsWriter = Callable[[Path, ShardPlan, Sequence[tuple[str, list[ImageEntry]]]], None]


def write_shard(directory: str | Path, name: str, results: Iterable[tuple[ImageEntry, MadeRecord | InvalidImageError]], *,
                strict: bool = False) -> ShardInfo:
    """Writes one record file and its `ShardInfo`, with one record in memory at a time.

    Args:
        directory: Folder of records; must exist.
        name: Name of the file.
        results: Images of the file in order, each with its record or with the reason why it is bad.
        strict: Stop at the first bad image.

    Raises:
        UserError: (strict) an image is bad.
        OSError: The disk is full.
    """
    skipped: list[tuple[str, str, str]] = []
    sizes: list[tuple[int, int] | None] = []
    facts = write_record_file(Path(directory, name), _good(results, skipped, sizes, strict))
    note = ShardInfo(Shard(name, *facts), tuple(skipped), tuple(sizes))
    note.save(directory)
    return note


def _good(results: Iterable[tuple[ImageEntry, MadeRecord | InvalidImageError]], skipped: list[tuple[str, str, str]],
          sizes: list[tuple[int, int] | None], strict: bool) -> Iterator[bytes]:
    for entry, made in results:
        bad = isinstance(made, InvalidImageError)
        sizes.append(None if bad else made.original_size)
        if not bad:
            yield made.serialized
        elif strict:
            raise UserError("good photographs only (--strict)", f"{entry.path}: {made.reason}",
                            "Mend or remove it, or drop --strict.")
        else:
            skipped.append((entry.id, entry.path, made.reason))


def shards_by_threads(directory: Path, plan: ShardPlan, todo: Sequence[tuple[str, list[ImageEntry]]], *, strict: bool,
                      workers: int) -> None:
    """Writes record files one after the other, with threads that read and encode ahead.

    At most 4 images per worker are in memory.

    Args:
        directory: Folder of records.
        plan: Plan of the folder.
        todo: Name and images of each file to write.
        strict: Stop at the first bad image.
        workers: Number of threads.

    Raises:
        UserError: (strict) an image is bad.
        OSError: The disk is full.
    """
    images = [entry for _, entries in todo for entry in entries]
    with ThreadPoolExecutor(workers) as pool:
        results = _in_order(pool, partial(_made, plan=plan), images, ahead=_AHEAD * workers)
        results = progress(results, f"writing {plan.split}", total=len(images))
        for name, entries in todo:
            write_shard(directory, name, islice(results, len(entries)), strict=strict)
        next(results, None)


def _made(entry: ImageEntry, plan: ShardPlan) -> tuple[ImageEntry, MadeRecord | InvalidImageError]:
    try:
        return entry, make_record(entry, plan.labels[entry.landmark_id], max_side=plan.max_side, upright=plan.upright)
    except InvalidImageError as bad:
        return entry, bad


def _in_order(pool: ThreadPoolExecutor, function: Callable, items: Iterable, ahead: int) -> Iterator:
    """Yields function(item) in the order of `items`, at most `ahead` of them begun or waiting."""
    waiting = deque()
    for item in items:
        waiting.append(pool.submit(function, item))
        if len(waiting) >= ahead:
            yield waiting.popleft().result()
    while waiting:
        yield waiting.popleft().result()


def write_records(image_list: ImageList, directory: str | Path, *, split: str, num_shards: int, seed: int,
                  max_side: int | None, strict: bool = False, label_map: LabelMap | None = None, upright: bool = True,
                  workers: int = 2, write_shards: ShardsWriter | None = None) -> Manifest:
    """Writes a folder of TFRecord files from images.

    The folder gets `<split>-00000-of-00008.tfrecord` ..., `skipped.csv`, `photographs.csv` and, last, `manifest.json`. The
    order of the images depends on the seed and their ids alone, and the bytes of the files on the images alone. Files
    appear one by one, each whole. Started again after an interruption, it keeps the files that are there; a finished
    folder is left as it is, but for files of which a skipped image has been mended since. Bad images are counted, listed in
    `skipped.csv` and left out. At most 4 images per worker are in memory.

    Example:
        >>> import tempfile
        >>> from PIL import Image
        >>> from landmark_zoo.data.datasets.folder import read_folder
        >>> root = tempfile.TemporaryDirectory()
        >>> for name in ("petra", "taj_mahal"):
        ...     Path(root.name, "photos", name).mkdir(parents=True)
        ...     Image.new("RGB", (64, 48)).save(Path(root.name, "photos", name, f"{name}.jpg"))
        >>> images = read_folder([f"{root.name}/photos"])
        >>> manifest = write_records(images, f"{root.name}/train", split="train", num_shards=1, seed=0, max_side=64)
        >>> manifest.num_examples, manifest.class_counts
        (2, (1, 1))

    Args:
        image_list: Images to write.
        directory: Folder of records, made if need be.
        split: Name of the split, "train", "validation" or "test"; "index" or "query" of a benchmark.
        num_shards: Number of files; never more than there are images.
        seed: Random seed of the order.
        max_side: Longest side of the stored images, in pixels; None for any.
        strict: Stop at the first bad image.
        label_map: Map between landmarks and labels; None for that of the listed landmarks.
        upright: Turn images as their EXIF orientation says.
        workers: Number of threads that read and encode.
        write_shards: Replacement of those threads: given the folder, the plan, and name and images of each file to write, it
            calls `write_shard` for each.

    Raises:
        UserError: The folder holds records of another plan, a landmark is not in the label map, no image can be
            read, or (strict) one is bad.
        OSError: The disk is full; nothing half-written is left.
    """
    if num_shards < 1 or workers < 1:
        raise ValueError(f"Expected num_shards and workers of at least 1; received {num_shards} and {workers}.")
    directory = Path(directory)
    plan = ShardPlan(image_list, split, min(num_shards, len(image_list)), seed, max_side,
                     label_map or LabelMap(image_list.landmark_counts), upright)
    manifest = _finished(directory, plan)
    if manifest is None:
        _claim(directory, plan)
        notes = _write(directory, plan, write_shards or partial(shards_by_threads, strict=strict, workers=workers))
        manifest = _finish(directory, plan, notes)
    shutil.rmtree(directory / PROGRESS, ignore_errors=True)
    if manifest.skipped and not strict and (directory / SKIPPED).is_file():
        first = next(read_csv(directory / SKIPPED, _SKIPPED_COLUMNS))
        notify(f"{manifest.skipped:,} images of {split} are left out as bad ({SKIPPED}), first {first['path']}: "
               f"{first['reason']}")
    if strict and manifest.skipped:
        raise UserError("good photographs only (--strict)", f"{manifest.skipped:,} bad ones in {directory / SKIPPED}",
                        "Mend or remove them and prepare another folder, or drop --strict.")
    return manifest


def _finished(directory: Path, plan: ShardPlan) -> Manifest | None:
    if not (directory / MANIFEST).is_file():
        return None
    manifest = read_manifest(directory)
    _check_same_plan(directory, manifest.plan, plan)
    if not manifest.skipped or not all((directory / name).is_file() for name in (SKIPPED, IMAGE_LIST)):
        return manifest
    skipped = {row["id"]: (row["id"], row["path"], row["reason"]) for row in read_csv(directory / SKIPPED, _SKIPPED_COLUMNS)}
    mended = _readable(plan, skipped.values())
    if not mended:
        return manifest
    sizes = read_original_sizes(directory)
    write_json(directory / PROGRESS / "plan.json", {"plan": plan.fingerprint})
    for shard, (_, entries) in zip(manifest.shards, plan.shards(), strict=True):
        ids = [entry.id for entry in entries]
        note = ShardInfo(shard, tuple(skipped[one] for one in ids if one in skipped), tuple(sizes[one] for one in ids))
        note.save(directory)
    os.unlink(directory / MANIFEST)
    return None


def _readable(plan: ShardPlan, skipped: Iterable[tuple[str, str, str]]) -> list[str]:
    """Returns the ids of those skipped images that can be read, as they have been mended since."""
    readable = []
    for image_id, path, _ in skipped:
        with contextlib.suppress(InvalidImageError):
            read_image(path, max_side=plan.max_side, apply_exif=plan.upright)
            readable.append(image_id)
    return readable


def _claim(directory: Path, plan: ShardPlan) -> None:
    claim = directory / PROGRESS / "plan.json"
    if claim.is_file():
        _check_same_plan(directory, read_json(claim, {"plan": str})["plan"], plan)
    elif foreign := sorted(directory.glob("*.tfrecord")):
        raise UserError(f"no records in {directory} but this command's own", f"{foreign[0].name}",
                        "Choose another output folder or remove it.")
    write_json(claim, {"plan": plan.fingerprint})


def _check_same_plan(directory: Path, found: str, plan: ShardPlan) -> None:
    if found != plan.fingerprint:
        raise UserError(f"records of these photographs with these settings in {directory}",
                        "records of others, or with another seed, max_side, num_shards or split",
                        "Choose another output folder or remove it.")


def _write(directory: Path, plan: ShardPlan, write_shards: ShardsWriter) -> list[ShardInfo]:
    kept = {name: ShardInfo.load(directory, name) for name, _ in plan.shards()}
    for name, note in kept.items():
        if note and (mended := _readable(plan, note.skipped)):
            notify(f"{name}: written again, as images that were skipped can be read: {', '.join(mended[:3])}"
                   f"{' ...' if len(mended) > 3 else ''}")
            note.remove(directory)
            kept[name] = None
    todo = [(name, entries) for name, entries in plan.shards() if kept[name] is None]
    if todo:
        write_shards(directory, plan, todo)
    kept.update((name, ShardInfo.load(directory, name)) for name, _ in todo)
    if lost := [name for name, note in kept.items() if note is None]:
        raise UserError(f"{len(todo):,} record files written to {directory}", f"all but {len(lost):,}, first {lost[0]}",
                        "Choose a folder that all workers see under this path.")
    return list(kept.values())


def _finish(directory: Path, plan: ShardPlan, notes: Sequence[ShardInfo]) -> Manifest:
    skipped = [row for note in notes for row in note.skipped]
    if len(skipped) == len(plan.entries):
        for note in notes:
            os.unlink(directory / note.shard.name)
        shutil.rmtree(directory / PROGRESS)
        raise UserError(f"a readable photograph in {plan.image_list.source}",
                        f"{len(skipped):,} bad ones, first {skipped[0][1]}: {skipped[0][2]}", "Check the files.")
    bad = {image_id for image_id, _, _ in skipped}
    counts = Counter(plan.labels[entry.landmark_id] for entry in plan.entries if entry.id not in bad)
    manifest = Manifest(
        directory=directory, split=plan.split, label_map=plan.label_map,
        class_counts=tuple(counts[label] for label in range(len(plan.label_map))),
        shards=tuple(note.shard for note in notes), skipped=len(skipped), seed=plan.seed, max_side=plan.max_side,
        source=plan.image_list.source, plan=plan.fingerprint, upright=plan.upright)
    write_csv(directory / SKIPPED, _SKIPPED_COLUMNS, skipped)
    write_image_list(directory, plan.entries, [size for note in notes for size in note.original_sizes])
    manifest.save()
    return manifest


def damaged_shards(manifest: Manifest) -> list[str]:
    """Returns the names of the record files that are missing or differ from what was written."""
    return [shard.name for shard in manifest.shards if not Path(manifest.directory, shard.name).is_file()
            or sha256(manifest.directory / shard.name) != shard.sha256]


def repair_shard(manifest: Manifest, name: str, photos: str | Path | None = None) -> None:
    """Makes a record file again from the images of `photographs.csv` and replaces the damaged one.

    Args:
        manifest: Manifest of the folder.
        name: Name of the file.
        photos: Folder in which the images are now; None for their paths at the time of writing.

    Raises:
        UserError: The list is missing or was changed, or the result is not, byte for byte, the file that was written;
            nothing is replaced then.
    """
    entries = read_image_list(manifest.directory)
    plan = ShardPlan(ImageList(tuple(entries), manifest.source), manifest.split, len(manifest.shards), manifest.seed,
                     manifest.max_side, manifest.label_map, manifest.upright)
    if plan.fingerprint != manifest.plan:
        raise UserError(f"{IMAGE_LIST} of the records in {manifest.directory}", "a list of others",
                        "Restore the list or prepare the records again.")
    shard = next(shard for shard in manifest.shards if shard.name == name)
    bad: list[str] = []
    temporary = manifest.directory / f".{name}.repaired"
    try:
        facts = write_record_file(temporary, _records(dict(plan.shards())[name], plan, photos, bad))
        if facts != (shard.examples, shard.bytes, shard.sha256):
            raise UserError(f"{shard.examples:,} records of SHA-256 {shard.sha256[:12]}... from the photographs of {name}",
                            f"{facts[0]:,} of {facts[2][:12]}...{f', first bad photograph {bad[0]}' if bad else ''}",
                            "Check --photos, or prepare the records again.")
        os.replace(temporary, manifest.directory / name)
    finally:
        temporary.unlink(missing_ok=True)


def _records(entries: Iterable[ImageEntry], plan: ShardPlan, photos: str | Path | None, bad: list[str]) -> Iterator[bytes]:
    for entry in entries:
        path = _moved(entry.path, Path(photos)) if photos else entry.path
        try:
            yield make_record(ImageEntry(entry.id, str(path), entry.landmark_id), plan.labels[entry.landmark_id],
                              max_side=plan.max_side, upright=plan.upright).serialized
        except InvalidImageError as error:
            bad.append(f"{path}: {error.reason}")


def _moved(path: str, photos: Path) -> Path:
    """Returns the file below `photos` whose path agrees with the most of the last parts of `path`."""
    parts = Path(path).parts
    places = [photos.joinpath(*parts[start:]) for start in range(1, len(parts))]
    return next((place for place in places if place.is_file()), places[-1])
