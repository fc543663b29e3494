"""What a member costs."""

import statistics
import time
from collections.abc import Sequence
from pathlib import Path

from landmark_zoo.data.photograph import BadPhotograph
from landmark_zoo.retrieval.model_input import model_input
from landmark_zoo.retrieval.picture import Picture
from landmark_zoo.retrieval.saved_model import EmbeddingModel

PICTURES = 12


def milliseconds(models: Sequence[EmbeddingModel], pictures: Sequence[Picture], apply_exif: bool) -> list[float]:
    """Returns the median time of one picture through `serving_default` of each model, decoding included.

    The models take turns picture by picture, so that what else runs on the machine meets all of them alike.

    Args:
        models: What is timed.
        pictures: Up to twelve are used, after one that is not counted.
        apply_exif: As for the embeddings.
    """
    encoded = []
    for picture in pictures:
        try:
            encoded.append(model_input(picture, apply_exif))
        except BadPhotograph:  # `embed` lists it
            continue
        if len(encoded) > PICTURES:
            break
    seconds: list[list[float]] = [[] for _ in models]
    for data in [encoded[0], *encoded]:
        for model, times in zip(models, seconds, strict=True):
            start = time.perf_counter()
            model.embed_bytes([data])
            times.append(time.perf_counter() - start)
    return [1000 * statistics.median(times[1:]) for times in seconds]


def megabytes(folder: Path) -> float:
    """Returns the size of a folder on disk."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / 1e6
