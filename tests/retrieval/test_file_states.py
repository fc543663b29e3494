import os

import numpy as np
import pytest

from landmark_zoo.core.errors import UserError
from landmark_zoo.data.datasets.image_refs import ImageRef
from landmark_zoo.data.datasets.images import InvalidImageError
from landmark_zoo.retrieval.file_states import (
    ABSENT,
    EmbeddedFile,
    FileState,
    list_checksum,
    look,
    read_files,
    write_files,
)


@pytest.fixture
def image(tmp_path):
    (tmp_path / "a.jpg").write_bytes(b"first")
    return ImageRef("a", tmp_path / "a.jpg")


def decode(image, data):
    if data == b"bad":
        raise InvalidImageError("no image")
    return np.frombuffer(data, np.uint8)


def touch(path):
    time = path.stat().st_mtime_ns + 10**9
    os.utime(path, ns=(time, time))


def test_what_is_no_regular_file_is_absent(image, tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path, tmp_path / "none", tmp_path / "pipe", "a\0b", image.path / "below"):
        assert FileState.of(path) == ABSENT
    assert FileState.of(image.path).size == 5


def test_size_and_time_decide_what_is_read_and_the_bytes_what_is_decoded(image):
    first = look(decode, None, image, None)
    assert bytes(first.pixels) == b"first"
    known = EmbeddedFile(first.state)

    def never(*_):
        raise AssertionError("read or decoded")
    assert look(never, never, image, known).pixels is None
    touch(image.path)
    again = look(never, None, image, known)
    assert again.pixels is None
    assert again.state == (5, known.state.mtime_ns + 10**9, known.state.sha256)
    image.path.write_bytes(b"other")
    touch(image.path)
    assert bytes(look(decode, None, image, known).pixels) == b"other"


def test_a_bad_file_is_known_by_its_bytes_and_an_unreadable_one_is_tried_again(image):
    image.path.write_bytes(b"bad")
    bad = look(decode, None, image, None)
    assert (bad.pixels, bad.skipped) == (None, "no image")
    assert look(decode, None, image, EmbeddedFile(bad.state, "as before")).skipped == "as before"

    def refuse(_):
        raise InvalidImageError("permission denied")
    unreadable = look(decode, refuse, image, None)
    assert (unreadable.state, unreadable.skipped) == (ABSENT, "permission denied")
    image.path.write_bytes(b"good")
    assert bytes(look(decode, None, image, EmbeddedFile(unreadable.state, unreadable.skipped)).pixels) == b"good"


def test_a_list_is_its_ids_and_boxes_in_order(tmp_path):
    first, second = ImageRef("a", tmp_path / "1"), ImageRef("b", tmp_path / "2")
    moved = [ImageRef("a", tmp_path / "elsewhere"), second]
    assert list_checksum([first, second]) == list_checksum(moved)
    others = [[second, first], [first], [first._replace(box=(0, 0, 1, 1)), second], [first._replace(id="c"), second]]
    assert len({list_checksum([first, second]), *map(list_checksum, others)}) == 5


def test_a_table_of_other_images_is_refused(image, tmp_path):
    files = {"a": EmbeddedFile(FileState(5, 17, "ab")), "b": EmbeddedFile(ABSENT, "no such file")}
    write_files(tmp_path, files.items())
    other = ImageRef("b", tmp_path / "b.jpg")
    assert list(read_files(tmp_path, [image, other])) == list(files.values())
    for images in ([image], [other, image], [image, other, ImageRef("c", tmp_path)]):
        with pytest.raises(UserError, match=r"a row for each image in .*files\.csv"):
            list(read_files(tmp_path, images))
