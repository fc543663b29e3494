"""Small images, folders of them, and records made of those."""

import hashlib
import io
import json
import shutil

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from landmark_zoo.data.datasets.folder import read_folder
from landmark_zoo.data.examples import parse_example, serialize_example
from landmark_zoo.data.manifest import MANIFEST, read_manifest
from landmark_zoo.data.record_index import RECORD_INDEX
from landmark_zoo.data.writer import write_records


def _image(height=48, width=64, seed=0):
    coarse = np.random.default_rng(seed).integers(0, 256, (3, 4, 3), dtype=np.uint8)
    return Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC)


def _encode(image, kind="JPEG", **options):
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


@pytest.fixture(scope="session")
def make_image():
    """make_image(height=48, width=64, seed=0) -> a smooth random RGB image (Pillow)."""
    return _image


@pytest.fixture(scope="session")
def encode():
    """encode(image, kind="JPEG", **options) -> the bytes of the image file."""
    return _encode


def _write_photos(root, counts):
    for number, (landmark, count) in enumerate(counts.items()):
        folder = root / landmark
        folder.mkdir(parents=True, exist_ok=True)
        for index in range(count):
            path = folder / f"{landmark.replace('/', '_')}_{index}.jpg"
            path.write_bytes(_encode(_image(seed=1000 * number + index), quality=90))
    return root


def _write_records(photos, directory, num_shards):
    return write_records(read_folder([photos]), directory, split="train", num_shards=num_shards, seed=0, max_side=64)


@pytest.fixture
def photo_folder(tmp_path):
    """photo_folder({"wonders/taj": 3, ...}, name="photos") -> path of a folder with so many JPEGs of each landmark."""
    return lambda counts, name="photos": _write_photos(tmp_path / name, counts)


@pytest.fixture(scope="session")
def shared_records(tmp_path_factory):
    """shared_records({"taj": 3, ...}, num_shards=4) -> manifest of records that all tests share and only read."""
    made = {}

    def make(counts, num_shards=4):
        key = (*counts.items(), num_shards)
        if key not in made:
            root = tmp_path_factory.mktemp("shared")
            made[key] = _write_records(_write_photos(root / "photos", counts), root / "records", num_shards)
        return made[key]
    return make


@pytest.fixture
def records(shared_records, tmp_path):
    """records({"taj": 3, ...}, num_shards=4, name="records") -> manifest of a copy of such, to be changed by a test."""
    def make(counts, num_shards=4, name="records"):
        source = shared_records(counts, num_shards).directory
        return read_manifest(shutil.copytree(source, tmp_path / name, ignore=shutil.ignore_patterns(RECORD_INDEX)))
    return make


@pytest.fixture
def sound(records):
    """Manifest of sound records: 24 images of 3 landmarks in 3 files."""
    return records({"wonders/taj": 10, "petra": 8, "10": 6}, num_shards=3, name="train")


def endless_record(path, before: int = 0) -> None:
    """Ends a record file, behind its first records, in one that says it is 2^40 bytes long, with a good checksum."""
    records = list(tf.data.TFRecordDataset(str(path)).take(before).as_numpy_iterator())
    with tf.io.TFRecordWriter(str(path)) as writer:
        for record in records:
            writer.write(record)
    length = (2**40).to_bytes(8, "little")
    with open(path, "ab") as file:
        file.write(length + masked_crc32c(length) + bytes(2000))


def masked_crc32c(data: bytes) -> bytes:
    """Returns the checksum of a TFRecord's length: CRC-32C (RFC 3720), rotated and shifted."""
    crc = 2**32 - 1
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ 0x82F63B78 * (crc & 1)
    crc ^= 2**32 - 1
    return ((crc >> 15 | crc << 17) + 0xA282EAD8 & 2**32 - 1).to_bytes(4, "little")


@pytest.fixture
def change_manifest(sound):
    """change_manifest(function) calls the function on the facts of manifest.json and writes them back."""
    def make(function):
        path = sound.directory / MANIFEST
        facts = json.loads(path.read_text())
        function(facts)
        path.write_text(json.dumps(facts))
    return make


@pytest.fixture
def rewrite(sound, change_manifest):
    """rewrite(shard number, function) calls the function on the list of examples, writes them and mends the manifest."""
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
