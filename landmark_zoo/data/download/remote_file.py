"""A file that somebody serves, and where it shall be."""

from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from urllib.parse import urlsplit, urlunsplit


@dataclass(frozen=True)
class RemoteFile:
    """A file to fetch and, where it is an archive, to unpack.

    Attributes:
        url: Its address, http or https.
        path: Where it is kept, below the data folder; of an archive until it is unpacked.
        about_bytes: Its size as its publisher gives it, for estimates when the server does not tell.
        md5: Its MD5 in hexadecimal, where known beforehand.
        md5_url: The address of a text that begins with its MD5.
        unpack_to: The folder below the data folder that an archive is unpacked to; None for a plain file.
        flatten: Unpack all files into that one folder and drop the archive's own folders.

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

    def __post_init__(self):
        if urlsplit(self.url).scheme not in ("http", "https"):
            raise ValueError(f"Expected an http or https address; received {self.url!r}.")
        for path in (self.path, self.unpack_to or "."):
            if PurePosixPath(path).is_absolute() or ".." in PurePosixPath(path).parts:
                raise ValueError(f"Expected a path below the data folder; received {path!r}.")

    def at_mirror(self, mirror: str) -> "RemoteFile":
        """Returns the same file at a mirror: `mirror` stands for scheme and host, the rest of the address stays."""
        moved = {name: _moved(getattr(self, name), mirror) for name in ("url", "md5_url") if getattr(self, name)}
        return replace(self, **moved)


def _moved(url: str, mirror: str) -> str:
    return mirror.rstrip("/") + urlunsplit(("", "", *urlsplit(url)[2:]))
