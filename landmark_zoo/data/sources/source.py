"""A public collection as its publishers serve it."""

from dataclasses import dataclass

from landmark_zoo.data.download.remote_file import RemoteFile


@dataclass(frozen=True)
class Source:
    """The files of a collection.

    Attributes:
        name: What `--source` calls it.
        folder: Its folder below the data folder.
        files: What to fetch; their paths start from the data folder.
    """

    name: str
    folder: str
    files: tuple[RemoteFile, ...]

    def part(self, archives: int | None) -> "Source":
        """Returns the collection with only the first `archives` of each folder's archives, for a trial; None: all."""
        if archives is None:
            return self
        seen: dict[str, int] = {}
        kept = []
        for file in self.files:
            if file.unpack_to is not None:
                seen[file.unpack_to] = seen.get(file.unpack_to, 0) + 1
                if seen[file.unpack_to] > archives:
                    continue
            kept.append(file)
        return Source(self.name, self.folder, tuple(kept))

    def at_mirror(self, mirror: str | None) -> "Source":
        """Returns the collection at a mirror (see `RemoteFile.at_mirror`); None: as published."""
        if mirror is None:
            return self
        return Source(self.name, self.folder, tuple(file.at_mirror(mirror) for file in self.files))
