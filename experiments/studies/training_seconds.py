"""How long a run trained."""

import statistics
from pathlib import Path

from landmark_zoo.training.config import TrainingConfig
from landmark_zoo.training.history import read_history


def training_seconds(workdir: Path, config: TrainingConfig) -> float:
    """Returns the steps of a run times the median time of a step, so that pauses and compilation do not count."""
    lines = [line for line in read_history(workdir / "history.jsonl") if "images_per_second" in line]
    if not lines:
        return 0.0
    return lines[-1]["step"] * config.batch_size / statistics.median(line["images_per_second"] for line in lines)
