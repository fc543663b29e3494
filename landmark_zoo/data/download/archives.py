"""Tar archives of unknown origin, unpacked without trust."""

import contextlib
import gzip
import os
import shutil
import tarfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

_MAX_READ = 1 << 24
_MAX_NAME, _MAX_DEPTH = 1024, 16


class BrokenArchiveError(Exception):
    """An archive that is cut or damaged; another copy may be sound."""


class UnsafeArchiveError(Exception):
    """An archive that holds what no image collection holds; nothing of it was kept."""


def unpack(archive: Path, destination: Path, flatten: bool = False, max_ratio: int = 20, min_bound: int = 1 << 26,
           max_entries: int = 1_000_000) -> int:
    """Unpacks a tar, plain or gzipped: all of it or nothing.

    Everything goes into a folder of its own first and is moved, file by file, when the whole archive was read and found
    sound; files that are there already are replaced. Owners, times and modes of the archive are not used.

    Args:
        archive: The tar file.
        destination: Folder to unpack to; made if need be.
        flatten: Drop the archive's folders.
        max_ratio: Unpacked bytes allowed per byte of the archive (images do not shrink; lists do, about tenfold).
        min_bound: Unpacked bytes that even the smallest archive may have.
        max_entries: Files and folders allowed.

    Returns:
        The number of files.

    Raises:
        UnsafeArchiveError: A path that is absolute, leads upwards, is too long or has odd characters; a link, device, pipe
            or sparse file; one name for a file and a folder; or more bytes or entries than allowed.
        BrokenArchiveError: It is cut, damaged or no tar.
        OSError: The disk is full.
    """
    staging = destination / f".{archive.name}.unpacking"
    shutil.rmtree(staging, ignore_errors=True)
    staging.mkdir(parents=True)
    try:
        with _named_errors(archive):
            with open(archive, "rb") as raw:
                gzipped = raw.read(2) == b"\x1f\x8b"
            with (gzip.open if gzipped else open)(archive, "rb") as stream:
                reader = _BoundedReader(stream, max(min_bound, max_ratio * archive.stat().st_size))
                names = sorted(set(_extract(reader, staging, flatten, max_entries)))
                while reader.read(tarfile.RECORDSIZE):  # to the end, where gzip keeps its checksum
                    continue
            for name in names:
                (destination / name).parent.mkdir(parents=True, exist_ok=True)
                os.replace(staging / name, destination / name)
        return len(names)
    finally:
        shutil.rmtree(staging, ignore_errors=True)


@contextlib.contextmanager
def _named_errors(archive: Path) -> Iterator[None]:
    try:
        yield
    except (FileExistsError, NotADirectoryError, IsADirectoryError) as error:
        raise UnsafeArchiveError(f"{archive.name}: one name for a file and a folder") from error
    except (UnsafeArchiveError, tarfile.FilterError, OverflowError, RecursionError) as error:
        raise UnsafeArchiveError(f"{archive.name} of {archive.stat().st_size:,} bytes: {error}") from error
    except (tarfile.TarError, EOFError, zlib.error, gzip.BadGzipFile, ValueError) as error:
        raise BrokenArchiveError(f"{archive.name}: {error}") from error


def _extract(reader: "_BoundedReader", staging: Path, flatten: bool, max_entries: int) -> Iterator[str]:
    """Yields the path of each extracted file below `staging`."""
    with tarfile.open(fileobj=reader, mode="r:") as tar:
        entries = 0
        while (member := tar.next()) is not None:
            tar.members = []  # tarfile would keep them all
            entries += 1
            if entries > max_entries:
                raise UnsafeArchiveError(f"more than {max_entries:,} entries")
            name = _safe_path(member)
            if member.isdir():
                continue
            name = name.rpartition("/")[2] if flatten else name
            tar.extract(member.replace(name=name, deep=False), staging, set_attrs=False, filter="data")
            yield name
        if reader.last != bytes(tarfile.BLOCKSIZE):  # tarfile ends without a word at a header that it cannot read
            raise tarfile.ReadError("cut or damaged: no end mark")


def _safe_path(member: tarfile.TarInfo) -> str:
    """Returns the path of a plain file or folder without empty parts and dots; refuses all that `unpack` does not take."""
    name, parts = member.name, [part for part in member.name.split("/") if part not in ("", ".")]
    if name.startswith("/") or ".." in parts or "\\" in name or not name.isprintable():
        raise UnsafeArchiveError(f"the path {name[:80]!r}")
    if len(name) > _MAX_NAME or len(parts) > _MAX_DEPTH:
        raise UnsafeArchiveError(f"a path of {len(name)} characters in {len(parts)} parts")
    plain = member.type in (tarfile.REGTYPE, tarfile.AREGTYPE) and parts and member.size >= 0 and not member.issparse()
    if not (plain or member.isdir()):
        raise UnsafeArchiveError(f"{name!r} is no plain file (tar type {member.type!r}, {member.size} bytes)")
    return "/".join(parts)


class _BoundedReader:
    """The part of a file object that tarfile uses: from front to back, up to `limit` bytes, in pieces of at most 16 MiB.

    A header may ask for a read of 8 GiB; past a bound an OverflowError is raised. `last` is what was read last.
    """

    def __init__(self, stream: BinaryIO, limit: int):
        self._stream, self._limit, self.tell, self.last = stream, limit, stream.tell, b""

    def read(self, size: int) -> bytes:
        if not 0 <= size <= _MAX_READ:
            raise OverflowError(f"a single read of {size:,} bytes")
        self._check(self.tell() + size)
        self.last = self._stream.read(size)
        return self.last

    def seek(self, offset: int) -> None:
        if offset < self.tell():
            raise tarfile.ReadError("a step backwards")
        self._check(offset)
        self._stream.seek(offset)

    def _check(self, offset: int) -> None:
        if offset > self._limit + _MAX_READ:
            raise OverflowError(f"more than {self._limit:,} bytes")
