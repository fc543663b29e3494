"""All checks on a folder of records."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from landmark_zoo.core.errors import UserError
from landmark_zoo.core.files import read_json
from landmark_zoo.core.progress import progress
from landmark_zoo.data.doctor.checks import SHARD_CHECKS
from landmark_zoo.data.doctor.checks.class_counts import class_counts
from landmark_zoo.data.doctor.checks.duplicate_ids import DuplicateIds
from landmark_zoo.data.doctor.checks.files import files
from landmark_zoo.data.doctor.checks.label_map import label_map
from landmark_zoo.data.doctor.finding import Finding
from landmark_zoo.data.doctor.shard_scan import RecordFacts, scan_shard
from landmark_zoo.data.manifest import MANIFEST, Manifest, read_manifest


def examine(data: str | Path) -> Iterator[Finding]:
    """Yields whatever is wrong with records, as it is found; reads every file once.

    Args:
        data: A folder of records, or one that holds several (train, validation, test).

    Raises:
        UserError: There are no records.
    """
    ids, first = DuplicateIds(), None
    for directory in splits(data):
        yield from _manifest_findings(directory)
        try:
            manifest = read_manifest(directory, check=False)
        except UserError as error:
            yield Finding(directory.name, MANIFEST, str(error))
            continue
        if first is not None and manifest.label_map != first.label_map:
            yield Finding(directory.name, MANIFEST, f"another label map than that of {first.directory.name}")
        first = first or manifest
        yield from _file_findings(manifest, ids)


def splits(data: str | Path) -> list[Path]:
    """Returns the folders of records in `data`; none is a `UserError`."""
    data = Path(data).absolute()
    found = [folder for folder in (data, *sorted(data.glob("*/")))
             if (folder / MANIFEST).is_file() or any(folder.glob("*.tfrecord"))]
    if not found:
        raise UserError(f"records in {data}", "none" if data.is_dir() else "no folder", "Check --data.")
    return found


def _manifest_findings(directory: Path) -> Iterator[Finding]:
    try:
        for text in label_map(read_json(directory / MANIFEST)):
            yield Finding(directory.name, MANIFEST, text)
    except (UserError, KeyError, TypeError):
        return  # read_manifest says it


def _file_findings(manifest: Manifest, ids: DuplicateIds) -> Iterator[Finding]:
    split = manifest.directory.name
    for name, text in files(manifest):
        yield Finding(split, name, text)
    found: Counter[int] = Counter()
    shards = [shard for shard in manifest.shards if (manifest.directory / shard.name).is_file()]
    whole = len(shards) == len(manifest.shards)
    for shard in progress(shards, f"examining {split}", unit="file"):
        scan = scan_shard(manifest.directory / shard.name)
        for check in SHARD_CHECKS:
            for text in check(manifest, shard, scan):
                yield Finding(split, shard.name, text)
        for text in ids.look(split, scan):
            yield Finding(split, shard.name, text)
        whole = whole and scan.error is None
        found.update(record.label for record in scan.records if isinstance(record, RecordFacts))
    for text in class_counts(manifest, found) if whole else ():
        yield Finding(split, MANIFEST, text)
