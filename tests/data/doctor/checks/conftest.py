"""A manifest of one file, and scans of it."""

import pytest

from landmark_zoo.data.doctor.shard_scan import RecordFacts, ShardScan
from landmark_zoo.data.label_map import LabelMap
from landmark_zoo.data.manifest import Manifest, Shard

SHARD = Shard("train-00000-of-00001.tfrecord", 2, 100, "ab" * 32)


@pytest.fixture
def manifest(tmp_path):
    return Manifest(tmp_path, "train", LabelMap("xy"), (1, 1), (SHARD,), 0, 0, 64, "", "")


@pytest.fixture
def shard():
    return SHARD


@pytest.fixture
def scan():
    """scan({...}, ..., sha256=..., error=...) -> what was read; a dict holds what is not as it should be in a record."""
    def make(*records, sha256=SHARD.sha256, error=None):
        sound = {"label": 0, "landmark_id": "x", "size": (40, 60), "picture": (40, 60)}
        return ShardScan(SHARD.name, sha256, tuple(
            record if isinstance(record, str) else RecordFacts(**({"id": f"r{number}"} | sound | record))
            for number, record in enumerate(records)), error)
    return make
