"""One record file and the note about it."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from landmark_zoo.core.errors import UserError
from landmark_zoo.data.catalogue import Entry
from landmark_zoo.data.make_record import MadeRecord
from landmark_zoo.data.manifest import Shard
from landmark_zoo.data.photograph import BadPhotograph
from landmark_zoo.data.record_file import write_record_file
from landmark_zoo.data.shard_note import ShardNote


def write_shard(directory: str | Path, name: str, results: Iterable[tuple[Entry, MadeRecord | BadPhotograph]], *,
                strict: bool = False) -> ShardNote:
    """Writes `directory/name` and its note, one record in memory at a time.

    Args:
        directory: The folder of records; must exist.
        name: Of the file.
        results: Its photographs in order, each with its record or with what is wrong with it.
        strict: Stop at the first bad photograph.

    Raises:
        UserError: (strict) a photograph is bad.
        OSError: The disk is full.
    """
    skipped: list[tuple[str, str, str]] = []
    sizes: list[tuple[int, int] | None] = []
    facts = write_record_file(Path(directory, name), _good(results, skipped, sizes, strict))
    note = ShardNote(Shard(name, *facts), tuple(skipped), tuple(sizes))
    note.save(directory)
    return note


def _good(results: Iterable[tuple[Entry, MadeRecord | BadPhotograph]], skipped: list[tuple[str, str, str]],
          sizes: list[tuple[int, int] | None], strict: bool) -> Iterator[bytes]:
    for entry, made in results:
        bad = isinstance(made, BadPhotograph)
        sizes.append(None if bad else made.original_size)
        if not bad:
            yield made.serialized
        elif strict:
            raise UserError("good photographs only (--strict)", f"{entry.path}: {made.reason}",
                            "Mend or remove it, or drop --strict.")
        else:
            skipped.append((entry.id, entry.path, made.reason))
