"""Photographs that are files."""

import hashlib
import json
import os
from collections.abc import Sequence
from pathlib import Path

from landmark_zoo.data.analysis.photographs import Block, Photographs
from landmark_zoo.data.catalogue import Entry
from landmark_zoo.data.photograph import BadPhotograph

BLOCK = 1024


def file_photographs(part: str, entries: Sequence[Entry], missing: Sequence[str] = ()) -> Photographs:
    """Returns the photographs of a list.

    Args:
        part: Their name, see `Photographs`.
        entries: The files.
        missing: Ids that the list names without a file.
    """
    blocks = [Block(start, min(start + BLOCK, len(entries)), _fingerprint(entries[start:start + BLOCK]))
              for start in range(0, len(entries), BLOCK)]
    return Photographs(part, [entry.id for entry in entries], [entry.landmark_id for entry in entries], blocks,
                       lambda number: _read(entries[number].path), missing)


def _read(path: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise BadPhotograph((error.strerror or str(error)).lower()) from error


def _fingerprint(entries: Sequence[Entry]) -> str:
    digest = hashlib.sha256()
    for entry in entries:
        try:
            status = os.stat(entry.path)
            version = [status.st_size, status.st_mtime_ns]
        except OSError:
            version = []
        digest.update(json.dumps([entry.id, entry.path, *version]).encode())
    return digest.hexdigest()
