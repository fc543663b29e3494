"""Is each picture as large as its record says?"""

from collections.abc import Iterator

from landmark_zoo.data.doctor.shard_scan import RecordFacts, ShardScan
from landmark_zoo.data.manifest import Manifest, Shard


def sizes(manifest: Manifest, shard: Shard, scan: ShardScan) -> Iterator[str]:
    """Yields a line for each record whose height and width are not the picture's, or beyond the manifest's bound."""
    del shard
    for number, record in enumerate(scan.records):
        if not isinstance(record, RecordFacts) or isinstance(record.picture, str):
            continue
        height, width = record.picture
        if record.size != record.picture:
            yield (f"record {number} ({record.id}): {record.size[0]} x {record.size[1]} px stated, "
                   f"{height} x {width} in the picture")
        elif manifest.max_side and max(record.picture) > manifest.max_side:
            yield f"record {number} ({record.id}): {height} x {width} px, more than {manifest.max_side}"
