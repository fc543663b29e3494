"""Are the landmarks mixed over the files?"""

from collections.abc import Iterator

import numpy as np
from scipy.stats import gamma

from landmark_zoo.data.doctor.shard_scan import RecordFacts, ShardScan
from landmark_zoo.data.manifest import Manifest, Shard

_UNLIKELY = 1e-7


def class_balance(manifest: Manifest, shard: Shard, scan: ShardScan) -> Iterator[str]:
    """Yields a line where a file's landmarks cannot have been drawn by chance: records that were never shuffled."""
    del shard
    labels = np.array([record.label for record in scan.records if isinstance(record, RecordFacts)], int)
    labels = labels[(labels >= 0) & (labels < manifest.num_classes)]
    counts = np.bincount(labels, minlength=manifest.num_classes)
    totals = np.array(manifest.class_counts)
    if len(totals) == len(counts) and chance_of_imbalance(counts, totals) < _UNLIKELY:
        most = int(counts.argmax())
        yield (f"landmarks are not mixed: {counts[most]:,} of its {len(labels):,} records show "
               f"{manifest.label_map.landmark_id(most)!r}, {totals[most]:,} of {totals.sum():,} in all files do")


def chance_of_imbalance(counts: np.ndarray, totals: np.ndarray) -> float:
    """Returns how likely a random file departs at least as far from the mean of all files.

    Pearson's statistic; its mean and variance under draws of a multinomial (Cochran 1952; the classes with few pictures
    count in the variance), made smaller for draws without replacement, are matched by a gamma distribution.

    Args:
        counts: int [classes], of the file.
        totals: int [classes], of all files.

    Returns:
        A probability; 1 where nothing can be said.
    """
    known = totals > 0
    counts, totals = counts[known].astype(float), totals[known].astype(float)
    drawn, everything, classes = counts.sum(), totals.sum(), len(totals)
    if classes < 2 or not 0 < drawn < everything:
        return 1.0
    expected = drawn * totals / everything
    statistic = np.sum((counts - expected) ** 2 / expected)
    rest = (everything - drawn) / (everything - 1)
    mean = rest * (classes - 1)
    variance = rest ** 2 * (2 * (classes - 1) + (np.sum(everything / totals) - classes ** 2 - 2 * classes + 2) / drawn)
    if variance <= 0:
        return 1.0
    return float(gamma.sf(statistic, mean ** 2 / variance, scale=variance / mean))
