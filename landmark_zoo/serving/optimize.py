"""The faster of a SavedModel as exported and with frozen variables, where both give the same embeddings."""

import dataclasses
import math
import shutil
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
from scipy.stats import binom

from landmark_zoo.core.errors import UserError
from landmark_zoo.core.files import atomic_directory, read_json, write_json
from landmark_zoo.core.parallel import run_in_child_process
from landmark_zoo.saved_model import SavedModel
from landmark_zoo.serving.freeze import freeze
from landmark_zoo.serving.model_card import CARD_FILE, write_card

COSINE = 0.999
AS_EXPORTED, FROZEN = "as exported", "frozen"
FACTS_FILE = "optimized.json"
PAIRS, MOST_PAIRS, SECONDS, TIMED = 48, 384, 20.0, 8
MARGIN, RISK = 0.05, 1e-3  # a variant must save 5 % of the time, and be wrong about that once in a thousand times


@dataclasses.dataclass(frozen=True)
class VariantResult:
    """Measurements of one variant of a model.

    Attributes:
        name: "as exported" or "frozen".
        cosine: The smallest between its embeddings and those of the model as exported.
        milliseconds: Median per image by `serving_default`, decoding included.
        megabytes: Size on disk.
        ratio: Upper bound of its time as part of that of the model as exported; see `ratio_bound`.
    """

    name: str
    cosine: float
    milliseconds: float
    megabytes: float
    ratio: float


def smallest_cosine(model: SavedModel, images: Sequence[bytes], expected: np.ndarray) -> float:
    """Returns the smallest cosine between embeddings of `images` and those expected, [N, D]; NaN counts as -1."""
    cosines = [float(model.embed_bytes([image])[0] @ row) for image, row in zip(images, expected, strict=True)]
    return float(np.nan_to_num(cosines, nan=-1).min())


def measure_seconds(models: Mapping[str, SavedModel], images: Sequence[bytes]) -> dict[str, np.ndarray]:
    """Returns the seconds that each model takes for an image, decoding included, [PAIRS or more]: the same images for all.

    The models take turns on every image, each first as often as last, so that whatever else the machine does falls on all of
    them; a first round is not counted. Quick models are timed up to `MOST_PAIRS` times in `SECONDS`.

    Args:
        models: By name.
        images: Encoded; at most 8 are used, over and over.
    """
    images = list(images[:TIMED])
    _take_turns(models, images)
    rounds, begin = [], time.perf_counter()
    while (pairs := len(rounds) * len(images)) < PAIRS or (pairs < MOST_PAIRS and time.perf_counter() - begin < SECONDS):
        rounds += [_take_turns(models, images), _take_turns(dict(reversed(models.items())), images)]
    return {name: np.concatenate([each[name] for each in rounds]) for name in models}


def _take_turns(models: Mapping[str, SavedModel], images: Sequence[bytes]) -> dict[str, list[float]]:
    seconds: dict[str, list[float]] = {name: [] for name in models}
    for image in images:
        for name, model in models.items():
            start = time.perf_counter()
            model.embed_bytes([image])
            seconds[name].append(time.perf_counter() - start)
    return seconds


def ratio_bound(seconds: np.ndarray, reference: np.ndarray) -> float:
    """Returns an upper bound of the median ratio of two series of times, measured in turn.

    It is the order statistic of the ratios that lies above their true median but once in a thousand, by the sign test, which
    asks nothing of the noise but that it falls on both alike.

    Args:
        seconds: [N].
        reference: [N], what the times are divided by.
    """
    ratios = np.sort(seconds / reference)
    rank = int(binom.ppf(1 - RISK, len(ratios), 0.5))
    return float(ratios[rank]) if rank < len(ratios) else math.inf


def choose(results: Sequence[VariantResult], cosine: float = COSINE) -> VariantResult:
    """Returns the fastest variant that keeps the embeddings and is faster than the model as exported beyond doubt.

    Args:
        results: The model as exported, then variants of it.
        cosine: Smallest cosine allowed to the embedding as exported.
    """
    good = [result for result in results[1:] if result.cosine > cosine and result.ratio < 1 - MARGIN]
    return min(good, key=lambda result: result.ratio, default=results[0])


Measure = Callable[[Mapping[str, SavedModel], Sequence[bytes]], Mapping[str, np.ndarray]]


def optimize(saved_model: str | Path, directory: str | Path, images: Sequence[bytes],
             cosine: float = COSINE, measure: Measure = measure_seconds) -> tuple[Path, str, list[VariantResult]]:
    """Measures a SavedModel as it is and frozen, and writes the faster that keeps the embeddings; see `choose`.

    Args:
        saved_model: `<name>/<version>`, ensembles too.
        directory: `<name>` of the faster model; it becomes the next version there, with `optimized.json` beside it.
        images: Encoded images to compare and to time on.
        cosine: Smallest cosine allowed to the embedding as exported.
        measure: Times the models; see `measure_seconds`.

    Returns:
        The folder written, the name of the variant, and the measurements of both.

    Raises:
        UserError: No images, no readable SavedModel, or one too large for a graph.
    """
    if not images:
        raise UserError("pictures to compare embeddings on", "none", "Check --pictures.")
    directory = Path(directory)
    versions = [int(path.name) for path in directory.glob("*") if path.name.isdecimal()]
    path = directory / str(max(versions, default=0) + 1)
    with atomic_directory(path) as temporary, tempfile.TemporaryDirectory(dir=temporary, prefix=".frozen.") as folder:
        run_in_child_process(freeze, saved_model, Path(folder) / FROZEN)
        models = {AS_EXPORTED: SavedModel(saved_model), FROZEN: SavedModel(Path(folder) / FROZEN)}
        expected = np.concatenate([models[AS_EXPORTED].embed_bytes([image]) for image in images])
        seconds = measure(models, images)
        results = [VariantResult(name, smallest_cosine(model, images, expected), 1000 * float(np.median(seconds[name])),
                                 model.megabytes, ratio_bound(seconds[name], seconds[AS_EXPORTED]))
                   for name, model in models.items()]
        chosen = choose(results, cosine)
        shutil.copytree(models[chosen.name].path, temporary, dirs_exist_ok=True)
        _write_facts(Path(saved_model), temporary, chosen, results)
    return path, chosen.name, results


def _write_facts(source: Path, folder: Path, chosen: VariantResult, results: Sequence[VariantResult]) -> None:
    facts = {"variant": chosen.name, "tried": [dataclasses.asdict(result) for result in results]}
    write_json(folder / FACTS_FILE, facts)
    if (source / CARD_FILE).exists():
        card = read_json(source / CARD_FILE, {"speed": dict})
        card["optimized"], card["megabytes"] = facts, round(chosen.megabytes, 2)
        card["speed"] |= {"milliseconds_per_picture": round(chosen.milliseconds, 2),
                          "measured": "when optimized, by serving_default(), decoding included"}
        write_card(folder, card)
