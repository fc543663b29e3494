import gzip
import io
import os
import tarfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from landmark_zoo.data.download.archives import BrokenArchiveError, UnsafeArchiveError, unpack
from tests.data.download.archives import tar_bytes

FILES = {"0/1/2/0123456789abcdef.jpg": b"a" * 700, "./f/f/f/ffff.jpg": b"", "top.txt": b"x" * 512}


def tree(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def special(name, kind, target=""):
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, target
    return info


@pytest.fixture
def archive(tmp_path):
    def write(data, name="images_000.tar"):
        path = tmp_path / "archives" / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(data)
        return path
    return write


@pytest.mark.parametrize("gzipped", [False, True])
def test_plain_and_gzipped(archive, tmp_path, gzipped):
    assert unpack(archive(tar_bytes(FILES, gzipped)), tmp_path / "out") == 3
    assert tree(tmp_path / "out") == {name.removeprefix("./"): data for name, data in FILES.items()}
    assert not list((tmp_path / "out").glob(".*"))


def test_flatten_drops_the_folders(archive, tmp_path):
    assert unpack(archive(tar_bytes(FILES)), tmp_path / "out", flatten=True) == 3
    assert set(tree(tmp_path / "out")) == {"0123456789abcdef.jpg", "ffff.jpg", "top.txt"}


def test_folders_and_modes_of_the_archive_do_not_matter(archive, tmp_path):
    folder = special("a", tarfile.DIRTYPE)
    folder.mode = 0
    file = tarfile.TarInfo("a/x.sh")
    file.mode, file.size, file.uid = 0o4777, 3, 0
    unpack(archive(tar_bytes({folder: None, file: b"abc"})), tmp_path / "out")
    mode = (tmp_path / "out/a/x.sh").stat().st_mode & 0o7777
    assert mode & 0o7111 == 0


def test_again_replaces_and_other_files_stay(archive, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out/top.txt").write_bytes(b"old")
    (tmp_path / "out/mine.txt").write_bytes(b"mine")
    (tmp_path / "out/.images_000.tar.unpacking").mkdir()
    (tmp_path / "out/.images_000.tar.unpacking/half").write_bytes(b"left by a killed run")
    unpack(archive(tar_bytes(FILES)), tmp_path / "out")
    assert tree(tmp_path / "out")["top.txt"] == FILES["top.txt"]
    assert tree(tmp_path / "out")["mine.txt"] == b"mine"
    assert "half" not in str(tree(tmp_path / "out"))


UNSAFE = {
    "upwards": {"../evil.txt": b"x"},
    "upwards inside": {"a/../../evil.txt": b"x"},
    "absolute": {"/tmp/evil.txt": b"x"},
    "backslash": {"a\\..\\..\\evil.txt": b"x"},
    "control character": {"a\n/etc": b"x"},
    "deep": {"a/" * 40 + "x": b"x"},
    "long": {"a" * 2000: b"x"},
    "no name": {"./": b"x"},
    "symbolic link": {special("link", tarfile.SYMTYPE, "/tmp"): None, "link/evil.txt": b"x"},
    "hard link": {special("link", tarfile.LNKTYPE, "../../secret"): None},
    "device": {special("disk", tarfile.BLKTYPE): None},
    "character device": {special("zero", tarfile.CHRTYPE): None},
    "pipe": {special("pipe", tarfile.FIFOTYPE): None},
    "sparse": {special("holes", tarfile.GNUTYPE_SPARSE): None},
    "file and folder": {"a": b"x", "a/b": b"x"},
    "folder and file": {"a/b": b"x", "a": b"x"},
}


@pytest.mark.parametrize("name", UNSAFE)
def test_unsafe_archives_leave_nothing(archive, tmp_path, name):
    (tmp_path / "secret").write_bytes(b"keep")
    path = archive(tar_bytes({"good.jpg": b"good", **UNSAFE[name]}))
    before = tree(tmp_path)
    with pytest.raises(UnsafeArchiveError, match=r"images_000\.tar"):
        unpack(path, tmp_path / "data" / "out")
    assert tree(tmp_path) == before
    assert os.listdir(tmp_path / "data/out") == []
    assert not os.path.exists("/tmp/evil.txt")


@pytest.mark.parametrize("bomb", ["one big file", "zeros behind the end", "huge header"])
def test_bombs(archive, tmp_path, bomb):
    if bomb == "one big file":
        data = tar_bytes({"x": bytes(1 << 25)}, gzipped=True)
    elif bomb == "zeros behind the end":
        data = gzip.compress(tar_bytes({"x": b"x"}) + bytes(1 << 25))
    else:
        info = special("././@LongLink", tarfile.GNUTYPE_LONGNAME)
        info.size = 1 << 33
        data = gzip.compress(info.tobuf(tarfile.GNU_FORMAT) + b"a" * 100_000)
    with pytest.raises(UnsafeArchiveError, match=r"bytes: (more than|a single read of)"):
        unpack(archive(data), tmp_path / "out", max_ratio=2, min_bound=1 << 20)
    assert os.listdir(tmp_path / "out") == []


def test_too_many_entries(archive, tmp_path):
    path = archive(tar_bytes({f"{number}.jpg": b"" for number in range(11)}))
    with pytest.raises(UnsafeArchiveError, match="more than 10 entries"):
        unpack(path, tmp_path / "out", max_entries=10)
    assert unpack(path, tmp_path / "out", max_entries=11) == 11


def test_a_negative_size_does_not_hang(archive, tmp_path):
    info = tarfile.TarInfo("x")
    header = bytearray(info.tobuf(tarfile.GNU_FORMAT))
    header[124:136] = b"\xff" * 10 + b"\xfc\x00"  # base 256: -1024
    header[148:156] = b" " * 8
    header[148:156] = b"%06o\0 " % sum(header[:512])
    with pytest.raises((UnsafeArchiveError, BrokenArchiveError)):
        unpack(archive(bytes(header) + bytes(1024)), tmp_path / "out")


@pytest.mark.parametrize("gzipped", [False, True])
def test_every_cut_is_noticed(archive, tmp_path, gzipped):
    whole = tar_bytes(FILES, gzipped)
    end = len(whole) if gzipped else whole.rstrip(b"\0").__len__()
    for length in [0, 1, 100, 511, 512, 513, 1024, 1100, *range(1500, end, 97)]:
        if length < end:
            with pytest.raises(BrokenArchiveError):
                unpack(archive(whole[:length]), tmp_path / "out")
            assert os.listdir(tmp_path / "out") == []


def test_a_damaged_header_in_the_middle_is_noticed(archive, tmp_path):
    data = bytearray(tar_bytes(FILES))
    data[512 + 1024 + 20] ^= 255  # the second header
    with pytest.raises(BrokenArchiveError, match="no end mark"):
        unpack(archive(bytes(data)), tmp_path / "out")


def test_no_archive_at_all(archive, tmp_path):
    with pytest.raises(BrokenArchiveError):
        unpack(archive(b"<html>please log in</html>" * 100), tmp_path / "out")


@given(st.binary(max_size=3000), st.integers(0, 5000))
def test_arbitrary_damage_never_ends_otherwise(tmp_path_factory, noise, place):
    data = bytearray(tar_bytes(FILES))
    data[place:place + len(noise)] = noise
    folder = tmp_path_factory.mktemp("noise")
    (folder / "x.tar").write_bytes(data)
    try:
        unpack(folder / "x.tar", folder / "out")
    except (BrokenArchiveError, UnsafeArchiveError):
        assert os.listdir(folder / "out") == []
    assert sorted(os.listdir(folder)) == ["out", "x.tar"]


def test_files_of_any_length_in_a_gzipped_archive(archive, tmp_path):
    files = {f"{size}.jpg": os.urandom(size) for size in (0, 1, 511, 512, 513, 5120, 70_000, 1 << 20, (1 << 20) + 512)}
    assert unpack(archive(tar_bytes(files, gzipped=True)), tmp_path / "out") == len(files)
    assert tree(tmp_path / "out") == dict(sorted(files.items()))


def test_a_pax_archive_with_long_and_foreign_names(archive, tmp_path):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for name in ("ü/" + "b" * 180 + ".jpg", "c" * 120 + ".jpg"):
            info = tarfile.TarInfo(name)
            info.size = 3
            tar.addfile(info, io.BytesIO(b"abc"))
    assert unpack(archive(buffer.getvalue()), tmp_path / "out") == 2
