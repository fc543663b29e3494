"""How many photographs per second the input pipeline delivers when nothing waits for them."""

import statistics
import time
from pathlib import Path

from landmark_zoo.data.manifest import read_manifest
from landmark_zoo.data.pipeline import train_dataset


def measure_input_pipeline(records: str | Path, image_size: int, batch_size: int, seconds: float = 20.0) -> dict[str, float]:
    """Reads training batches as fast as they come.

    Args:
        records: Folder of `experiments.prepare`.
        image_size: Side of the crops, pixels.
        batch_size: Photographs per batch.
        seconds: How long; the first batch of each epoch is not counted.

    Returns:
        "images_per_second", and the slowest and the median gap between two batches in milliseconds.
    """
    manifest = read_manifest(Path(records) / "train")
    gaps, epoch, start = [], 0, time.perf_counter()
    while not gaps or time.perf_counter() - start < seconds:
        last = None
        for _ in train_dataset(manifest, image_size=image_size, batch_size=batch_size, seed=0, epoch=epoch):
            now = time.perf_counter()
            if last is not None:
                gaps.append(now - last)
            last = now
            if gaps and now - start > seconds:
                break
        epoch += 1
    return {"images_per_second": batch_size * len(gaps) / sum(gaps), "median_gap_ms": 1000 * statistics.median(gaps),
            "slowest_gap_ms": 1000 * max(gaps)}
