"""Does each record carry a label of the label map, the one of its landmark?"""

from collections.abc import Iterator

from landmark_zoo.data.doctor.shard_scan import RecordFacts, ShardScan
from landmark_zoo.data.manifest import Manifest, Shard


def labels(manifest: Manifest, shard: Shard, scan: ShardScan) -> Iterator[str]:
    """Yields a line for each label outside 0 .. n-1 and for each that stands for another landmark than the record's."""
    del shard
    for number, record in enumerate(scan.records):
        if not isinstance(record, RecordFacts):
            continue
        where = f"record {number} ({record.id}): label {record.label}"
        if not 0 <= record.label < manifest.num_classes:
            yield f"{where}, not from 0 to {manifest.num_classes - 1}"
        elif (landmark := manifest.label_map.landmark_id(record.label)) != record.landmark_id:
            yield f"{where} is {landmark!r}, the record says {record.landmark_id!r}"
