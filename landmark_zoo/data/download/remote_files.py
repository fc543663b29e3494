"""Remote files and sources: what a public collection consists of, and where its publishers serve it."""

from collections import Counter
from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from urllib.parse import urlsplit, urlunsplit


@dataclass(frozen=True)
class RemoteFile:
    """A file to fetch and, where it is an archive, to unpack.

    Attributes:
        url: Address, http or https.
        path: Where it is kept, below the data folder; of an archive until it is unpacked.
        about_bytes: Size as the publisher gives it, for estimates when the server does not tell.
        md5: MD5 in hexadecimal, where known beforehand.
        md5_url: The address of a text that begins with its MD5.
        unpack_to: The folder below the data folder that an archive is unpacked to; None for a plain file.
        flatten: Unpack all files into that one folder and drop the archive's own folders.
        sha256: SHA-256 in hexadecimal, where known beforehand; it goes before the MD5.

    Raises:
        ValueError: Another kind of address, or a path that could leave the data folder.
    """

    url: str
    path: str
    about_bytes: int
    md5: str | None = None
    md5_url: str | None = None
    unpack_to: str | None = None
    flatten: bool = False
    sha256: str | None = None

    def __post_init__(self):
        if urlsplit(self.url).scheme not in ("http", "https"):
            raise ValueError(f"Expected an http or https address; received {self.url!r}.")
        for path in (self.path, self.unpack_to or "."):
            if PurePosixPath(path).is_absolute() or ".." in PurePosixPath(path).parts:
                raise ValueError(f"Expected a path below the data folder; received {path!r}.")

    def at_mirror(self, mirror: str) -> "RemoteFile":
        """Returns the same file at a mirror: `mirror` stands for scheme and host, the rest of the address stays."""
        moved = {name: mirror.rstrip("/") + urlunsplit(("", "", *urlsplit(getattr(self, name))[2:]))
                 for name in ("url", "md5_url") if getattr(self, name)}
        return replace(self, **moved)


@dataclass(frozen=True)
class Source:
    """A public collection as its publishers serve it.

    Attributes:
        name: Name for `--source`.
        folder: Folder below the data folder.
        files: Files to fetch; their paths start from the data folder.
    """

    name: str
    folder: str
    files: tuple[RemoteFile, ...]

    def part(self, archives: int | None) -> "Source":
        """Returns the collection with only the first `archives` of each folder's archives, for a trial; None: all."""
        if archives is None:
            return self
        seen: Counter[str] = Counter()
        kept = []
        for file in self.files:
            seen[file.unpack_to or ""] += 1
            if file.unpack_to is None or seen[file.unpack_to] <= archives:
                kept.append(file)
        return replace(self, files=tuple(kept))

    def at_mirror(self, mirror: str | None) -> "Source":
        """Returns the collection at a mirror (see `RemoteFile.at_mirror`); None: as published."""
        return replace(self, files=tuple(file.at_mirror(mirror) for file in self.files)) if mirror else self
