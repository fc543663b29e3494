import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from landmark_zoo.data.schema import Example, parse_example, serialize_example

EXAMPLE = Example(b"\xff\xd8", "0123456789abcdef", 48, 64, 7, "wonders/taj_mahal")


@settings(max_examples=50)
@given(encoded=st.binary(), image_id=st.text(), height=st.integers(0, 2**40), width=st.integers(0, 2**40),
       label=st.integers(0, 2**31), landmark_id=st.text())
def test_what_is_written_is_read(encoded, image_id, height, width, label, landmark_id):
    parsed = parse_example(serialize_example(Example(encoded, image_id, height, width, label, landmark_id)))
    assert parsed.encoded.numpy() == encoded
    assert parsed.id.numpy().decode() == image_id
    assert (int(parsed.height), int(parsed.width), int(parsed.label)) == (height, width, label)
    assert parsed.landmark_id.numpy().decode() == landmark_id


def test_keys_are_those_of_the_format():
    record = tf.train.Example.FromString(serialize_example(EXAMPLE))
    assert set(record.features.feature) == {"image/encoded", "image/id", "image/height", "image/width",
                                            "image/class/label", "image/class/landmark_id"}


def test_equal_examples_give_equal_bytes():
    assert len({serialize_example(EXAMPLE) for _ in range(20)}) == 1


def test_parsing_works_inside_a_data_set():
    dataset = tf.data.Dataset.from_tensors(serialize_example(EXAMPLE)).map(parse_example)
    parsed = next(iter(dataset))
    assert isinstance(parsed, Example)
    assert int(parsed.label) == 7
    assert parsed.height.dtype == tf.int64


def test_a_foreign_record_is_refused():
    foreign = tf.train.Example(features=tf.train.Features(feature={
        "image/encoded": tf.train.Feature(bytes_list=tf.train.BytesList(value=[b"x"]))})).SerializeToString()
    with pytest.raises(tf.errors.InvalidArgumentError, match="image/"):
        parse_example(foreign)
