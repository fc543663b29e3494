"""Repair of record folders: damaged record files are made again from their images, byte for byte."""

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from landmark_zoo.core.errors import UserError
from landmark_zoo.core.files import sha256
from landmark_zoo.data.datasets.image_list import ImageEntry, ImageList
from landmark_zoo.data.datasets.images import InvalidImageError
from landmark_zoo.data.examples import make_record, write_record_file
from landmark_zoo.data.manifest import Manifest
from landmark_zoo.data.shard_plan import IMAGE_LIST, ShardPlan, read_image_list


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
