"""Sound records, and ways to spoil them."""

import hashlib
import json

import pytest
import tensorflow as tf

from landmark_zoo.data.manifest import MANIFEST
from landmark_zoo.data.schema import parse_example, serialize_example


@pytest.fixture
def sound(records):
    """Records of 3 landmarks, 24 pictures, 3 files; its manifest."""
    return records({"wonders/taj": 10, "petra": 8, "10": 6}, num_shards=3, name="train")


@pytest.fixture
def change_manifest(sound):
    """change_manifest(function) lets it change the facts in manifest.json."""
    def make(function):
        path = sound.directory / MANIFEST
        facts = json.loads(path.read_text())
        function(facts)
        path.write_text(json.dumps(facts))
    return make


@pytest.fixture
def rewrite(sound, change_manifest):
    """rewrite(shard number, function of the list of examples): other records, whose checksum the manifest takes on."""
    def make(number, function):
        path = sound.directory / sound.shards[number].name
        examples = [parse_example(record) for record in tf.data.TFRecordDataset(str(path))]
        plain = [type(e)(e.encoded.numpy(), e.id.numpy(), int(e.height), int(e.width), int(e.label), e.landmark_id.numpy())
                 for e in examples]
        function(plain)
        with tf.io.TFRecordWriter(str(path)) as writer:
            for example in plain:
                writer.write(example if isinstance(example, bytes) else serialize_example(example))

        def correct(facts):
            facts["shards"][number] |= {"bytes": path.stat().st_size,
                                        "sha256": hashlib.sha256(path.read_bytes()).hexdigest()}

        change_manifest(correct)
    return make
