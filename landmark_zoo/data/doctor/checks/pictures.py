"""Can each picture be decoded?"""

from collections.abc import Iterator

from landmark_zoo.data.doctor.shard_scan import RecordFacts, ShardScan
from landmark_zoo.data.manifest import Manifest, Shard


def pictures(manifest: Manifest, shard: Shard, scan: ShardScan) -> Iterator[str]:
    """Yields a line for each picture that TensorFlow cannot decode."""
    del manifest, shard
    for number, record in enumerate(scan.records):
        if isinstance(record, RecordFacts) and isinstance(record.picture, str):
            yield f"record {number} ({record.id}): cannot be decoded: {record.picture}"
