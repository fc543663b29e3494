"""Leave-one-out study of an ensemble: the gain and the cost of each member.

    python -m experiments.leave_one_out --members=a,b,c --benchmark=DIR --photos=DIR --output=DIR

Every member embeds the benchmark once; an interrupted run goes on there. All members together, without each in turn, and
each alone are then measured on the concatenated embeddings, without PCA.
"""

import hashlib
import statistics
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from absl import flags

from experiments.reranking import aligned_text
from landmark_zoo.core.errors import MAX_SEED, UserError
from landmark_zoo.core.files import write_csv, write_json
from landmark_zoo.core.provenance import resolved_flags
from landmark_zoo.core.scripts import define_output, run
from landmark_zoo.data.datasets.image_refs import ImageLocator, ImageRef, model_input
from landmark_zoo.data.datasets.images import InvalidImageError
from landmark_zoo.evaluation.comparison import Comparison
from landmark_zoo.evaluation.protocols import benchmark_images, evaluate, read_benchmark
from landmark_zoo.evaluation.rankings import rank_embeddings
from landmark_zoo.evaluation.results import Results
from landmark_zoo.retrieval.embed import EmbedConfig, embed
from landmark_zoo.retrieval.embedding_set import EmbeddingSet
from landmark_zoo.saved_model import SavedModel
from landmark_zoo.serving.ensemble import member_factors

HEADER = ("members", "metric", "mAP", "low", "high", "difference_to_all", "difference_low", "difference_high", "queries",
          "ms_per_picture", "megabytes", "dimension")
TIMED = 12


def combinations(names: Sequence[str]) -> dict[str, tuple[int, ...]]:
    """Returns a title and the places of the members: all, all but one, and, where that is something else, each alone.

    Args:
        names: Names of the members, two or more.
    """
    everyone = tuple(range(len(names)))
    found = {"all": everyone}
    if len(names) > 2:
        found |= {f"without {name}": tuple(other for other in everyone if other != place)
                  for place, name in enumerate(names)}
    return found | {f"{name} alone": (place,) for place, name in enumerate(names)}


def concatenated(sets: Sequence[EmbeddingSet], weights: Sequence[float] | None = None) -> EmbeddingSet:
    """Returns the embeddings that `export.ensemble` without PCA gives for the same images; one set comes back as it is.

    Where the members want images of different sides the exported ensemble's are a little different: see
    `serving.ensemble`.

    Args:
        sets: Each member's embeddings of the same images; images that any member lacks are left out.
        weights: Weights of the members' cosines; None for equal ones.

    Raises:
        UserError: Embeddings of other images.
    """
    if len(sets) == 1:
        return sets[0]
    for key in ("photographs_sha256", "apply_exif"):
        found = {str(part.provenance.get(key)) for part in sets}
        if len(found) > 1:
            raise UserError(f"members' embeddings with one {key}", ", ".join(sorted(found)), "Embed the same photographs.")
    common = set.intersection(*(set(part.ids) for part in sets))
    ids = [image_id for image_id in sets[0].ids if image_id in common]
    factors = member_factors(weights, len(sets))
    vectors = np.concatenate([factor * part.select(ids).vectors for part, factor in zip(sets, factors, strict=True)], axis=1)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    digest = hashlib.sha256(repr([(part.model_fingerprint, float(factor))
                                  for part, factor in zip(sets, factors, strict=True)]).encode())
    return EmbeddingSet(ids, vectors, digest.hexdigest(), {**sets[0].provenance, "model": _info(sets, factors)})


def _info(sets: Sequence[EmbeddingSet], factors: np.ndarray) -> dict[str, Any]:
    infos = [part.provenance.get("model", {}) for part in sets]
    info = {key: _common([info.get(key, "not stated") for info in infos]) for key in infos[0]}
    weights = ", ".join(f"{factor ** 2:.4g}" for factor in factors)
    return {**info, "name": " + ".join(str(info.get("name")) for info in infos),
            "aggregation": f"members concatenated, their cosines weighted {weights}",
            "dimension": sum(part.dimension for part in sets)}


def _common(values: Sequence[Any]) -> Any:
    return values[0] if all(value == values[0] for value in values) else "; ".join(map(str, values))


def milliseconds(models: Sequence[SavedModel], images: Sequence[ImageRef], apply_exif: bool) -> list[float]:
    """Returns the median time of one image through `serving_default` of each model, decoding included.

    The models take turns image by image, so that what else runs on the machine meets all of them alike.

    Args:
        models: Models that are timed.
        images: Images; up to `TIMED` are used, after one that is not counted.
        apply_exif: Whether images are turned by their EXIF orientation.
    """
    encoded = []
    for image in images:
        try:
            encoded.append(model_input(image, apply_exif))
        except InvalidImageError:  # `embed` lists it
            continue
        if len(encoded) > TIMED:
            break
    seconds: list[list[float]] = [[] for _ in models]
    for data in [encoded[0], *encoded]:
        for model, times in zip(models, seconds, strict=True):
            start = time.perf_counter()
            model.embed_bytes([data])
            times.append(time.perf_counter() - start)
    return [1000 * statistics.median(times[1:]) for times in seconds]


def table_row(title: str, results: Results, everyone: Results, seed: int = 0) -> list[str]:
    """Returns the first cells under `HEADER`: figures in per cent, and the paired difference to the whole ensemble."""
    low, value, high = (f"{100 * figure:.2f}" for figure in (results.main.low, results.main.value, results.main.high))
    difference = ["", "", ""]
    if results is not everyone:
        found = Comparison.of(results.main_metric, everyone.average_precision, results.average_precision, seed)
        difference = [f"{100 * figure:+.2f}" for figure in (found.value, found.low, found.high)]
    return [title, results.main_metric, value, low, high, *difference, str(results.main.queries)]


_MEMBERS = flags.DEFINE_list("members", None, "Exported models: <name>, or <name>/<version>.", required=True)
_WEIGHTS = flags.DEFINE_list("weights", None, "Weights of the members' cosines; unset: equal.")
_BENCHMARK = flags.DEFINE_string("benchmark", None, "Folder with GLDv2's csv files, or with gnd_*.json.", required=True)
_PHOTOS = flags.DEFINE_string("photos", None, "Folder of the benchmark's images; by default --benchmark.")
_OUTPUT = define_output("output", None, "Folder for embeddings and leave_one_out.csv.", required=True)
_BATCH_SIZE = flags.DEFINE_integer("batch_size", 32, "Images per call of a member.", lower_bound=1, upper_bound=65_536)
_SEED = flags.DEFINE_integer("seed", 0, "Seed of the bootstrap of the intervals.", lower_bound=0, upper_bound=MAX_SEED)


def main(_):
    """Embeds, combines, measures, prints."""
    weights = _weights(len(_MEMBERS.value))
    output, benchmark = Path(_OUTPUT.value), read_benchmark(_BENCHMARK.value)
    models = [SavedModel(path) for path in _MEMBERS.value]
    names = _names(models)
    config = EmbedConfig(batch_size=_BATCH_SIZE.value, apply_exif=benchmark.apply_exif)
    parts = benchmark_images(benchmark, ImageLocator(_PHOTOS.value or _BENCHMARK.value), crop=True)
    sets = [[embed(model, images, output / name / part, config)
             for part, images in zip(("queries", "index"), parts, strict=True)]
            for model, name in zip(models, names, strict=True)]
    times, sizes = milliseconds(models, parts[0], benchmark.apply_exif), [model.megabytes for model in models]
    everyone, table = None, []
    for title, members in combinations(names).items():
        some = [weights[member] for member in members]
        queries, index = (concatenated([sets[member][part] for member in members], some) for part in (0, 1))
        results = evaluate(benchmark, rank_embeddings(benchmark, queries, index), title, _SEED.value)
        everyone = everyone or results
        table.append([*table_row(title, results, everyone, _SEED.value), f"{sum(times[member] for member in members):.1f}",
                      f"{sum(sizes[member] for member in members):.1f}", str(index.dimension)])
    write_csv(output / "leave_one_out.csv", HEADER, table)
    write_json(output / "flags.json", resolved_flags())
    print(aligned_text([HEADER, *table]))


def _names(models: list[SavedModel]) -> list[str]:
    if len(models) < 2 or len({model.fingerprint for model in models}) < len(models):
        raise UserError("two members or more, none twice", ", ".join(_MEMBERS.value), "Check --members.")
    names = [model.path.parent.name for model in models]
    return [f"{name}-{place}" if names.count(name) > 1 else name for place, name in enumerate(names, start=1)]


def _weights(members: int) -> list[float]:
    try:
        weights = [float(weight) for weight in _WEIGHTS.value] if _WEIGHTS.value else [1.0] * members
    except ValueError as error:
        raise UserError("numbers for --weights", str(error), "Write for example --weights=2,1,1.") from error
    member_factors(weights, members)
    return weights


if __name__ == "__main__":
    run(main)
