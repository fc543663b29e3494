"""Archives of strangers, unpacked without trust."""

import contextlib
import gzip
import os
import shutil
import tarfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from landmark_zoo.data.download.archive_limits import ArchiveLimits
from landmark_zoo.data.download.bounded_reader import BoundedReader
from landmark_zoo.data.download.faults import BrokenArchive, HostileArchive

_CHUNK = 1 << 20
_LONGEST_NAME, _DEEPEST = 1024, 16


def unpack(archive: Path, destination: Path, flatten: bool = False, limits: ArchiveLimits | None = None) -> int:
    """Unpacks a tar, plain or gzipped: all of it or nothing.

    Everything goes into a folder of its own first and is moved, file by file, when the whole archive was read and found
    sound; a file that is there already is replaced. Only plain files are taken, with the permissions that new files get
    here; owners, times and modes of the archive are not used.

    Args:
        archive: The file.
        destination: Where to; made if need be.
        flatten: Drop the archive's folders.
        limits: Against bombs.

    Returns:
        The number of files.

    Raises:
        HostileArchive: A path that is absolute, leads upwards, is endless or has odd characters; a link, device, pipe or
            sparse file; one name for a file and a folder; or more than the limits allow.
        BrokenArchive: It is cut, damaged or no tar.
        OSError: The disk is full.
    """
    limits = limits or ArchiveLimits()
    staging = destination / f".{archive.name}.unpacking"
    shutil.rmtree(staging, ignore_errors=True)
    staging.mkdir(parents=True)
    try:
        with _named_faults(archive):
            with _opened(archive) as stream:
                reader = BoundedReader(stream, limits.bytes_for(archive.stat().st_size))
                names = sorted({_write(tar, member, name, staging)
                                for tar, member, name in _members(reader, flatten, limits)})
                while reader.read(_CHUNK):  # to the end, where gzip keeps its checksum
                    continue
            for name in names:
                (destination / name).parent.mkdir(parents=True, exist_ok=True)
                os.replace(staging / name, destination / name)
        return len(names)
    finally:
        shutil.rmtree(staging, ignore_errors=True)


@contextlib.contextmanager
def _named_faults(archive: Path) -> Iterator[None]:
    try:
        yield
    except (tarfile.TarError, EOFError, zlib.error, gzip.BadGzipFile, ValueError) as error:
        raise BrokenArchive(f"{archive.name}: {error}") from error
    except (OverflowError, RecursionError) as error:
        raise HostileArchive(f"{archive.name} of {archive.stat().st_size:,} bytes: {error}") from error
    except (FileExistsError, NotADirectoryError, IsADirectoryError) as error:
        raise HostileArchive(f"{archive.name}: one name for a file and a folder") from error
    except HostileArchive as error:
        raise HostileArchive(f"{archive.name}: {error}") from error


@contextlib.contextmanager
def _opened(archive: Path) -> Iterator[BinaryIO]:
    with open(archive, "rb") as raw:
        gzipped = raw.read(2) == b"\x1f\x8b"
        raw.seek(0)
        if not gzipped:
            yield raw
            return
        with gzip.GzipFile(fileobj=raw) as stream:
            yield stream


def _members(reader: BoundedReader, flatten: bool,
             limits: ArchiveLimits) -> Iterator[tuple[tarfile.TarFile, tarfile.TarInfo, str]]:
    with tarfile.open(fileobj=reader, mode="r:") as tar:
        entries = 0
        while (member := tar.next()) is not None:
            tar.members = []  # tarfile would keep them all
            entries += 1
            if entries > limits.entries:
                raise HostileArchive(f"more than {limits.entries:,} entries")
            if member.size < 0:
                raise HostileArchive(f"{member.name!r} has {member.size} bytes")
            name = _safe(member.name)
            if member.isdir():
                continue
            if member.type not in (tarfile.REGTYPE, tarfile.AREGTYPE) or member.issparse():
                raise HostileArchive(f"{member.name!r} is no plain file (tar type {member.type!r})")
            yield tar, member, name.rpartition("/")[2] if flatten else name
        if reader.last != bytes(tarfile.BLOCKSIZE):  # tarfile ends without a word at a header that it cannot read
            raise tarfile.ReadError("cut or damaged: no end mark")


def _safe(name: str) -> str:
    """Returns the path without empty parts and dots."""
    parts = [part for part in name.split("/") if part not in ("", ".")]
    if name.startswith("/") or ".." in parts or "\\" in name or not name.isprintable():
        raise HostileArchive(f"the path {name[:80]!r}")
    if len(name) > _LONGEST_NAME or len(parts) > _DEEPEST:
        raise HostileArchive(f"a path of {len(name)} characters in {len(parts)} parts")
    return "/".join(parts)


def _write(tar: tarfile.TarFile, member: tarfile.TarInfo, name: str, staging: Path) -> str:
    if not name:
        raise HostileArchive("a file without a name")
    target = staging / name
    target.parent.mkdir(parents=True, exist_ok=True)
    with open(target, "wb") as file:
        shutil.copyfileobj(tar.extractfile(member), file, _CHUNK)
    return name
