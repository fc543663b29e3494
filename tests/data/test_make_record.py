import pytest
import tensorflow as tf

from landmark_zoo.data import make_record as module
from landmark_zoo.data.catalogue import Entry
from landmark_zoo.data.make_record import make_record
from landmark_zoo.data.photograph import BadPhotograph
from landmark_zoo.data.schema import parse_example


@pytest.fixture
def entry(tmp_path, picture, encode):
    (tmp_path / "a.jpg").write_bytes(encode(picture(80, 120)))
    return Entry("a", str(tmp_path / "a.jpg"), "taj")


def test_a_record_is_its_photograph(entry):
    made = make_record(entry, 7, max_side=60)
    example = parse_example(made.serialized)
    assert made.original_size == (80, 120)
    assert tf.io.decode_jpeg(example.encoded).shape == (40, 60, 3)
    assert (int(example.height), int(example.width), int(example.label)) == (40, 60, 7)
    assert (example.id.numpy(), example.landmark_id.numpy()) == (b"a", b"taj")
    assert make_record(entry, 7, max_side=60) == made


def test_small_jpegs_keep_their_bytes(entry, tmp_path):
    example = parse_example(make_record(entry, 0, max_side=None).serialized)
    assert example.encoded.numpy() == (tmp_path / "a.jpg").read_bytes()


def test_what_tensorflow_refuses_is_bad(entry, monkeypatch):
    def refuse(encoded):
        raise tf.errors.InvalidArgumentError(None, None, "no")

    monkeypatch.setattr(module, "decode_image", refuse)
    with pytest.raises(BadPhotograph, match="refused by TensorFlow"):
        make_record(entry, 0, max_side=60)


def test_a_missing_file_is_bad(tmp_path):
    with pytest.raises(BadPhotograph, match="no such file"):
        make_record(Entry("a", str(tmp_path / "a.jpg"), "taj"), 0, max_side=60)
