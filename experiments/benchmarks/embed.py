"""What embedding costs: our variants and other engines on one network, and reading pictures beside the network."""

import statistics
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np

from experiments.benchmarks.embedding_engines import embedding_engines
from landmark_zoo.models.config import ModelConfig
from landmark_zoo.retrieval.at_scale.embed_at_scale import embed_at_scale
from landmark_zoo.retrieval.at_scale.folder_pictures import folder_pictures
from landmark_zoo.retrieval.at_scale.prepared import preparation
from landmark_zoo.retrieval.at_scale.scale_config import ScaleConfig
from landmark_zoo.retrieval.engines.tensorflow_engine import TensorflowEngine
from landmark_zoo.retrieval.read_ahead import read_ahead
from landmark_zoo.retrieval.saved_model import EmbeddingModel
from landmark_zoo.serving.export import export_saved_model

SIZE = (384, 512)
REFERENCE = "keras call"
_ROUNDS = 7


def measure_embed(config: ModelConfig, batch_size: int, photos: str | None, size: tuple[int, int] = SIZE,
                  rounds: int = _ROUNDS) -> str:
    """Measures, and returns tables.

    All engines take turns within each round and the medians of the rounds are compared, so that other work on the machine
    falls on all of them. Each does one call that is not counted. The weights are random, which changes no time.

    Args:
        config: The network.
        batch_size: Pictures per call in the second column, and when reading and network are measured together.
        photos: Folder of photographs, for the second table; None for the first alone.
        size: Height and width in pixels; the longer one is the model's side.
        rounds: How many.
    """
    model = config.build(num_classes=2)
    with tempfile.TemporaryDirectory() as folder:
        exported = export_saved_model(model, Path(folder) / "bench", side=max(size), info={})
        engines, absent = embedding_engines(model, exported, folder)
        speeds = [images_per_second(engines, batch, size, rounds) for batch in (1, batch_size)]
        lines = [f"{'engine':<28}{'batch 1':>12}{'ratio':>8}{f'batch {batch_size}':>12}{'ratio':>8}   images/s"]
        for name in engines:
            cells = "".join(f"{speed[name]:>12.2f}{speed[name] / speed[REFERENCE]:>8.2f}" for speed in speeds)
            lines.append(f"{name:<28}{cells}")
        lines += [f"{name}: not measured, {reason}" for name, reason in absent.items()]
        if photos:
            lines += [f"{name:<40}{value:>10.2f}" for name, value in overlap(exported, photos, batch_size).items()]
    return "\n".join(lines)


def images_per_second(engines: Mapping[str, Callable[[np.ndarray], object]], batch_size: int, size: tuple[int, int],
                      rounds: int) -> dict[str, float]:
    """Returns the median speed of each engine.

    Args:
        engines: From float32 [N, H, W, 3] to embeddings.
        batch_size: N.
        size: H and W.
        rounds: Calls of each engine that are counted.
    """
    images = np.random.default_rng(0).uniform(0, 255, [batch_size, *size, 3]).astype(np.float32)
    seconds: dict[str, list[float]] = {name: [] for name in engines}
    for number in range(rounds + 1):
        for name, embed in engines.items():
            start = time.perf_counter()
            embed(images)
            if number:
                seconds[name].append(time.perf_counter() - start)
    return {name: batch_size / statistics.median(times) for name, times in seconds.items()}


def overlap(saved_model: str | Path, photos: str, batch_size: int) -> dict[str, float]:
    """Returns images per second of reading alone, of the network alone and of both, as `experiments.embed` does them.

    Args:
        saved_model: `<name>/<version>`.
        photos: Folder of photographs.
        batch_size: Pictures per call.
    """
    model = EmbeddingModel(saved_model)
    engine = TensorflowEngine(model)
    pictures = list(folder_pictures(photos))
    prepare = preparation(model.info["side"])
    shapes, start = [], time.perf_counter()
    for pixels in read_ahead(prepare, pictures, 2 * batch_size):
        shapes.append(pixels.shape)
    reading = len(pictures) / (time.perf_counter() - start)
    network = len(pictures) / _network_seconds(engine, shapes, batch_size)
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        embed_at_scale(model, engine, pictures, folder, ScaleConfig(batch_size=batch_size))
        both = len(pictures) / (time.perf_counter() - start)
    return {"reading alone, images/s": reading, "network alone, images/s": network, "both, images/s": both,
            "both to the slower of them": both / min(reading, network)}


def _network_seconds(engine: TensorflowEngine, shapes: Sequence[tuple[int, ...]], batch_size: int) -> float:
    """Returns how long the network takes for pictures of these shapes, in batches of one shape."""
    engine.embed_images(np.zeros([1, *shapes[0]], np.float32))
    start = time.perf_counter()
    for shape in sorted(set(shapes)):
        left = shapes.count(shape)
        while left > 0:
            engine.embed_images(np.zeros([min(left, batch_size), *shape], np.float32))
            left -= batch_size
    return time.perf_counter() - start
