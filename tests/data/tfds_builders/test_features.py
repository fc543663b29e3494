import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from landmark_zoo.data.schema import Example, parse_example, serialize_example
from landmark_zoo.data.tfds_builders.features import LABEL, label_names, record_features

TEXT = st.text(st.characters(codec="utf-8"))


@settings(max_examples=30)
@given(image_id=TEXT, height=st.integers(0, 2**40), width=st.integers(0, 2**40), label=st.integers(0, 99), landmark=TEXT)
def test_tfds_reads_what_the_schema_writes(image_id, height, width, label, landmark):
    features = record_features()
    features[LABEL].names = [str(number) for number in range(100)]
    encoded = tf.io.encode_jpeg(tf.zeros([4, 6, 3], tf.uint8)).numpy()
    record = serialize_example(Example(encoded, image_id, height, width, label, landmark))
    found = features.deserialize_example(record)
    assert found["image/encoded"].shape == (4, 6, 3)
    assert found["image/id"].numpy().decode() == image_id
    assert found["image/class/landmark_id"].numpy().decode() == landmark
    assert [int(found[key]) for key in ("image/height", "image/width", LABEL)] == [height, width, label]


@settings(max_examples=30)
@given(image_id=TEXT, label=st.integers(0, 99), landmark=TEXT)
def test_the_schema_reads_what_tfds_writes(image_id, label, landmark):
    features = record_features()
    features[LABEL].names = [str(number) for number in range(100)]
    example = {"image/encoded": b"\xff\xd8", "image/id": image_id, "image/height": 4, "image/width": 6, LABEL: label,
               "image/class/landmark_id": landmark}
    parsed = parse_example(features.serialize_example(features.encode_example(example)))
    assert (parsed.encoded, parsed.id.numpy().decode()) == (b"\xff\xd8", image_id)
    assert (int(parsed.label), parsed.landmark_id.numpy().decode()) == (label, landmark)


def test_names_are_one_line_each():
    assert label_names(["7", "Notre Dame", " a", "b\nc"]) == ["7", "Notre Dame", "' a'", "'b\\nc'"]
