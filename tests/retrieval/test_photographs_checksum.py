"""Which photographs were embedded."""

from landmark_zoo.retrieval.photographs_checksum import photographs_checksum
from landmark_zoo.retrieval.picture import Picture


def test_depends_on_ids_boxes_and_sizes_but_not_on_the_place(tmp_path):
    first, second = tmp_path / "x.jpg", tmp_path / "y.jpg"
    first.write_bytes(b"12345")
    second.write_bytes(b"abcde")
    same = photographs_checksum([Picture("a", first)])
    assert photographs_checksum([Picture("a", second)]) == same
    second.write_bytes(b"longer")
    others = [[Picture("a", second)], [Picture("b", first)], [Picture("a", first, (0, 0, 1, 1))],
              [Picture("a", tmp_path / "missing.jpg")], []]
    assert len({same, *map(photographs_checksum, others)}) == 6
