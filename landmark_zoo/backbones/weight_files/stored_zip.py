"""Table of a zip archive whose entries are stored without compression, as places in the file.

The standard library's `zipfile` copies what it reads, and believes a table of any length; here the entries stay where they
are, can be mapped, and are checked to lie apart. Source: PKWARE, APPNOTE.TXT 6.3.10, sections 4.3.7 to 4.3.16.
"""

import struct
from collections.abc import Iterator

MAX_ENTRIES = 100_000
_END, _END64, _LOCATOR64 = struct.Struct("<4s4H2LH"), struct.Struct("<4sQ2H2L4Q"), struct.Struct("<4sLQL")
_CENTRAL, _LOCAL = struct.Struct("<4s6H3L5H2L"), struct.Struct("<4s5H3L2H")
_ENCRYPTED, _UTF8 = 0x1, 0x800
_BEYOND = 2**32 - 1  # stands where the number is in the zip64 field


def stored_entries(data: memoryview) -> dict[str, tuple[int, int]]:
    """Returns where the bytes of each entry lie in an archive.

    Args:
        data: The archive's bytes, a mapped file for example.

    Returns:
        From an entry's name to (start, end) in the archive.

    Raises:
        ValueError, struct.error: No zip archive, one in several parts, an entry that is compressed, encrypted, there twice,
            described in two ways, beyond the archive or across another one.
    """
    count, size, start = _end_record(data)
    if count > MAX_ENTRIES or count * _CENTRAL.size > size or start + size > len(data):
        raise ValueError(f"a table of {count:,} entries in {size:,} bytes at byte {start:,}")
    places: dict[str, tuple[int, int]] = {}
    for name, length, position in _central_entries(data[start:start + size], count):
        if name in places:
            raise ValueError(f"the entry {name!r:.100} twice")
        places[name] = _local_place(data[:start], name, length, position)
    last = 0
    for name, (begin, end) in sorted(places.items(), key=lambda item: item[1]):
        if begin < last:
            raise ValueError(f"the entry {name!r:.100}, which lies across another one")
        last = max(last, end)
    return places


def _end_record(data: memoryview) -> tuple[int, int, int]:
    """Returns the table's number of entries, size and first byte."""
    tail = bytes(data[-(_END.size + 2**16):])
    found = tail.rfind(b"PK\x05\x06")
    if found < 0:
        raise ValueError("a zip archive without its table")
    place = len(data) - len(tail) + found
    _, disk, first_disk, here, count, size, start, comment = _END.unpack_from(data, place)
    if place + _END.size + comment != len(data):
        raise ValueError("a zip archive with bytes behind its end")
    if place >= _LOCATOR64.size and data[place - _LOCATOR64.size:place - _LOCATOR64.size + 4] == b"PK\x06\x07":
        _, disk, place, disks = _LOCATOR64.unpack_from(data, place - _LOCATOR64.size)
        if place > len(data) - _END64.size or disks > 1:
            raise ValueError(f"the zip64 table at byte {place:,}")
        magic, _, _, _, disk, first_disk, here, count, size, start = _END64.unpack_from(data, place)
        if magic != b"PK\x06\x06":
            raise ValueError("a zip archive without its zip64 table")
    if disk or first_disk or here != count:
        raise ValueError("a zip archive in several parts")
    return count, size, start


def _central_entries(table: memoryview, count: int) -> Iterator[tuple[str, int, int]]:
    """Yields name, number of bytes and place of the local header of each entry."""
    position = 0
    for _ in range(count):
        (magic, _, _, flags, method, _, _, _, packed, size, name_size, extra_size, comment_size, disk, _, _,
         offset) = _CENTRAL.unpack_from(table, position)
        if magic != b"PK\x01\x02":
            raise ValueError("a zip archive with a broken table")
        position += _CENTRAL.size
        name = _name(table[position:position + name_size], flags)
        extra = bytes(table[position + name_size:position + name_size + extra_size])
        size, packed, offset = _zip64(extra, size, packed, offset)
        if method != 0 or flags & _ENCRYPTED or size != packed or disk:
            raise ValueError(f"the entry {name!r:.100}, which is compressed or encrypted")
        yield name, size, offset
        position += name_size + extra_size + comment_size


def _zip64(extra: bytes, *numbers: int) -> list[int]:
    """Returns the numbers, those that are beyond 32 bits from the zip64 field (number 1), where they stand in order."""
    position, values = 0, b""
    while position + 4 <= len(extra):
        kind, length = struct.unpack_from("<HH", extra, position)
        if kind == 1:
            values = extra[position + 4:position + 4 + length]
        position += 4 + length
    beyond = iter(struct.unpack(f"<{len(values) // 8}Q", values[:len(values) // 8 * 8]))
    found = [next(beyond, None) if number == _BEYOND else number for number in numbers]
    if None in found:
        raise ValueError("a zip archive without a number of its zip64 field")
    return found


def _name(data: memoryview, flags: int) -> str:
    return bytes(data).decode("utf-8" if flags & _UTF8 else "cp437")


def _local_place(data: memoryview, name: str, length: int, position: int) -> tuple[int, int]:
    """Returns where an entry's bytes lie, when its own header agrees with the table."""
    if position > len(data) - _LOCAL.size:
        raise ValueError(f"the entry {name!r:.100} beyond the archive")
    magic, _, flags, method, _, _, _, packed, size, name_size, extra_size = _LOCAL.unpack_from(data, position)
    begin = position + _LOCAL.size
    own = data[begin:begin + name_size]
    if magic != b"PK\x03\x04" or method != 0 or flags & _ENCRYPTED or _name(own, flags) != name:
        raise ValueError(f"the entry {name!r:.100}, whose own header says otherwise")
    if not flags & 0x8:  # else the sizes stand behind the bytes
        size, packed = _zip64(bytes(data[begin + name_size:begin + name_size + extra_size]), size, packed)
        if size != length or packed != length:
            raise ValueError(f"the entry {name!r:.100}, whose own header gives it {size:,} bytes instead of {length:,}")
    begin += name_size + extra_size
    if begin + length > len(data):
        raise ValueError(f"the entry {name!r:.100} beyond the archive")
    return begin, begin + length
