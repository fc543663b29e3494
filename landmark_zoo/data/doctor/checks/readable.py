"""Can a file be read to its end?"""

from collections.abc import Iterator

from landmark_zoo.data.doctor.shard_scan import ShardScan
from landmark_zoo.data.manifest import Manifest, Shard


def readable(manifest: Manifest, shard: Shard, scan: ShardScan) -> Iterator[str]:
    """Yields a line where a record's own checksum fails or the file ends within a record, and for foreign records."""
    del manifest, shard
    if scan.error:
        yield f"cannot be read past record {len(scan.records)}: {scan.error}"
    for number, record in enumerate(scan.records):
        if isinstance(record, str):
            yield f"record {number} is of another format: {record}"
