"""Does an id occur twice?"""

from collections.abc import Iterator

from landmark_zoo.data.doctor.shard_scan import RecordFacts, ShardScan


class DuplicateIds:
    """Remembers the ids of all files it was shown, also of several splits."""

    def __init__(self):
        self._places: dict[str, str] = {}

    def look(self, split: str, scan: ShardScan) -> Iterator[str]:
        """Yields a line for each record whose id was there before."""
        for number, record in enumerate(scan.records):
            if not isinstance(record, RecordFacts):
                continue
            if record.id in self._places:
                yield f"record {number}: id {record.id} is also in {self._places[record.id]}"
            else:
                self._places[record.id] = f"{split}/{scan.name}"
