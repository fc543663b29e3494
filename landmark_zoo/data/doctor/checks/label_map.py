"""Does the manifest agree with itself?"""

from collections import Counter
from collections.abc import Iterator
from typing import Any

from landmark_zoo.data.label_map import LabelMap


def label_map(facts: dict[str, Any]) -> Iterator[str]:
    """Yields a line where labels and landmarks are not one to one, out of order, or counts contradict each other.

    Args:
        facts: The content of `manifest.json`.
    """
    ids, counts = facts["landmark_ids"], facts["class_counts"]
    twice = [landmark for landmark, number in Counter(ids).items() if number > 1]
    if twice:
        yield f"the label map has {twice[0]!r} twice"
    elif list(LabelMap(ids)) != ids:
        yield "the label map is not in sorted order"
    if not facts["num_classes"] == len(ids) == len(counts):
        yield f"{facts['num_classes']:,} labels stated, {len(ids):,} in the label map, {len(counts):,} counted"
    total = sum(shard["examples"] for shard in facts["shards"])
    if not facts["num_examples"] == total == sum(counts):
        yield f"{facts['num_examples']:,} records stated, {total:,} in the files, {sum(counts):,} of all labels"
