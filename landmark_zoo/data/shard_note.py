"""What became of the photographs of one record file, kept until all files are written."""

from dataclasses import asdict, dataclass
from pathlib import Path

from landmark_zoo.core.files import read_json, write_json
from landmark_zoo.data.manifest import Shard

PROGRESS = ".progress"


@dataclass(frozen=True)
class ShardNote:
    """A finished record file.

    Attributes:
        shard: Its facts.
        skipped: (id, path, reason) of each photograph that was left out as bad.
        original_sizes: Of each photograph of the plan, (height, width) in pixels, or None where it was left out.
    """

    shard: Shard
    skipped: tuple[tuple[str, str, str], ...]
    original_sizes: tuple[tuple[int, int] | None, ...]

    def save(self, directory: str | Path) -> None:
        """Writes the note into the folder of records."""
        write_json(_path(directory, self.shard.name), asdict(self))

    @classmethod
    def load(cls, directory: str | Path, name: str) -> "ShardNote | None":
        """Reads the note of a record file; None where the file or its note is missing or it is of another size."""
        file, note = Path(directory, name), _path(directory, name)
        if not (file.is_file() and note.is_file()):
            return None
        facts = read_json(note)
        shard = Shard(**facts["shard"])
        if file.stat().st_size != shard.bytes:
            return None
        return cls(shard, tuple(map(tuple, facts["skipped"])),
                   tuple(size and tuple(size) for size in facts["original_sizes"]))


def _path(directory: str | Path, name: str) -> Path:
    return Path(directory, PROGRESS, f"{name}.json")
