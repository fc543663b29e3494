"""Has a file as many records as it should?"""

from collections.abc import Iterator

from landmark_zoo.data.doctor.shard_scan import ShardScan
from landmark_zoo.data.manifest import Manifest, Shard


def count(manifest: Manifest, shard: Shard, scan: ShardScan) -> Iterator[str]:
    """Yields a line where the number of records is not the manifest's."""
    del manifest
    if len(scan.records) != shard.examples:
        yield f"{len(scan.records):,} records instead of {shard.examples:,}"
