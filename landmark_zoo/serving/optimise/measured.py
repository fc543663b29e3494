"""What a variant of a model costs, and how near its embeddings are to the original's."""

import statistics
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import tensorflow as tf

ROUNDS, TIMED = 3, 8


class LoadedVariant:
    """A SavedModel that embeds one picture at a time.

    Args:
        path: `<name>/<version>`.
    """

    def __init__(self, path: str | Path):
        self.path = Path(path)
        self._loaded = tf.saved_model.load(str(path))

    def embed(self, encoded: bytes) -> np.ndarray:
        """Returns the embedding of an encoded picture, float32 [D]."""
        return self._loaded.signatures["serving_default"](image_bytes=tf.constant([encoded]))["embedding"].numpy()[0]

    @property
    def megabytes(self) -> float:
        """Size on disk, in 10^6 bytes."""
        return sum(file.stat().st_size for file in self.path.rglob("*") if file.is_file()) / 1e6


def smallest_cosine(model: LoadedVariant, pictures: Sequence[bytes], expected: np.ndarray) -> float:
    """Returns the smallest cosine between embeddings of `pictures` and those expected, [N, D]; NaN counts as -1."""
    cosines = [float(model.embed(picture) @ row) for picture, row in zip(pictures, expected, strict=True)]
    return float(np.nan_to_num(cosines, nan=-1).min())


def milliseconds(models: Mapping[str, LoadedVariant], pictures: Sequence[bytes]) -> dict[str, float]:
    """Returns the median time per picture, decoding included, of each model.

    The models take turns, so that whatever else the machine does falls on all of them; the first round is not counted.

    Args:
        models: By name.
        pictures: Encoded; at most 8 are used.
    """
    seconds: dict[str, list[float]] = {name: [] for name in models}
    for repeat in range(ROUNDS + 1):
        for picture in pictures[:TIMED]:
            for name, model in models.items():
                start = time.perf_counter()
                model.embed(picture)
                if repeat:
                    seconds[name].append(time.perf_counter() - start)
    return {name: 1000 * statistics.median(times) for name, times in seconds.items()}
