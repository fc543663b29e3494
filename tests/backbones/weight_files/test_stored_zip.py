"""Tables of stored zip archives against the standard library's, and archives that lie."""

import io
import random
import struct
import zipfile

import pytest

from landmark_zoo.backbones.weight_files.stored_zip import stored_entries

FILES = {"a/data.pkl": b"pickle", "a/data/0": b"0123456789", "a/data/é": b"", "a/version": b"3\n"}


def archive(files=FILES, **options):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as written:
        for name, data in files.items():
            with written.open(zipfile.ZipInfo(name), "w", **options) as entry:
                entry.write(data)
    return bytearray(file.getvalue())


@pytest.mark.parametrize("options", [{}, {"force_zip64": True}])
def test_bytes_lie_where_they_are_said_to(options):
    data = archive(**options)
    found = stored_entries(memoryview(data))
    assert {name: bytes(data[begin:end]) for name, (begin, end) in found.items()} == FILES


def test_sizes_behind_the_bytes():
    class Pipe(io.BytesIO):
        """A file that cannot go back, so that the header has no sizes."""

        def seekable(self):
            return False

        def seek(self, *_):
            raise OSError

        def tell(self):
            raise OSError

    pipe = Pipe()
    with zipfile.ZipFile(pipe, "w") as written:
        for name, data in FILES.items():
            written.writestr(name, data)
    data = pipe.getvalue()
    found = stored_entries(memoryview(data))
    assert {name: data[begin:end] for name, (begin, end) in found.items()} == FILES


def changed(**fields):
    """An archive with numbers in the header, the table's first row or its end overwritten: (place, format) to value."""
    data = archive()
    row, end = data.index(b"PK\x01\x02"), data.index(b"PK\x05\x06")
    places = {"method_here": (8, "<H"), "flags_here": (6, "<H"), "size_here": (22, "<L"), "packed_here": (18, "<L"),
              "name_here": (30, "<B"), "method": (row + 10, "<H"), "flags": (row + 8, "<H"), "packed": (row + 20, "<L"),
              "size": (row + 24, "<L"), "offset": (row + 42, "<L"), "disk": (row + 34, "<H"), "magic": (row, "<L"),
              "count": (end + 10, "<H"), "count_here": (end + 8, "<H"), "table_size": (end + 12, "<L"),
              "table_start": (end + 16, "<L"), "comment": (end + 20, "<H"), "end_disk": (end + 4, "<H")}
    for name, value in fields.items():
        struct.pack_into(places[name][1], data, places[name][0], value)
    return data


@pytest.mark.parametrize(("fields", "match"), [
    ({"method": 8}, "compressed"), ({"method_here": 8}, "own header says otherwise"), ({"flags": 1}, "encrypted"),
    ({"flags_here": 1}, "own header says otherwise"), ({"packed": 5}, "compressed"),
    ({"size": 7, "packed": 7}, "own header"),
    ({"size_here": 9, "packed_here": 9}, "9 bytes instead of 6"), ({"name_here": 66}, "own header says otherwise"),
    ({"offset": 5}, "own header says otherwise"), ({"offset": 2**31}, "beyond the archive"), ({"disk": 1}, "compressed"),
    ({"offset": 2**32 - 1}, "zip64 field"), ({"magic": 0}, "broken table"), ({"count": 3}, "several parts"),
    ({"count": 60_000, "count_here": 60_000}, "60,000 entries"), ({"end_disk": 1}, "several parts"),
    ({"table_size": 2**31}, "a table of"), ({"table_start": 2**31}, "a table of"), ({"comment": 1}, "behind its end"),
    ({"size": 10**6, "packed": 10**6, "size_here": 10**6, "packed_here": 10**6}, "beyond the archive")])
def test_lies(fields, match):
    with pytest.raises(ValueError, match=match):
        stored_entries(memoryview(changed(**fields)))


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_an_entry_twice():
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as written:
        written.writestr("a", b"1")
        written.writestr("a", b"2")
    with pytest.raises(ValueError, match="'a' twice"):
        stored_entries(memoryview(file.getvalue()))


def test_entries_across_each_other():
    """The second entry is a whole entry inside the first one's bytes."""
    inner = archive({"b": b"inner"})
    inner = inner[:inner.index(b"PK\x01\x02")]
    data = archive({"a": bytes(inner), "b": b"inner"})
    row = data.rindex(b"PK\x01\x02")
    struct.pack_into("<L", data, row + 42, 31)
    with pytest.raises(ValueError, match="'b', which lies across another one"):
        stored_entries(memoryview(data))


@pytest.mark.parametrize("data", [b"", b"PK\x03\x04", b"PK\x05\x06", bytes(100)])
def test_no_archive(data):
    with pytest.raises((ValueError, struct.error)):
        stored_entries(memoryview(data))


def test_a_zip64_end_that_leads_nowhere():
    data = archive()
    end = data.index(b"PK\x05\x06")
    for place in (2**40, 0):
        with pytest.raises(ValueError, match="zip64 table"):
            stored_entries(memoryview(data[:end] + struct.pack("<4sLQL", b"PK\x06\x07", 0, place, 1) + data[end:]))


def test_random_changes_end_in_an_answer():
    generator = random.Random(0)
    for _ in range(2000):
        data = archive({"a/b": b"123"})
        for _ in range(generator.randrange(1, 4)):
            data[generator.randrange(len(data))] = generator.randrange(256)
        try:
            found = stored_entries(memoryview(data))
        except (ValueError, struct.error):
            continue
        assert all(0 <= begin <= end <= len(data) for begin, end in found.values())
