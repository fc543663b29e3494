"""A whole study: what is missing is trained and measured, what is done is left as it is, table and figure are made new."""

import dataclasses
import gc
import json
from collections.abc import Sequence
from pathlib import Path

import tensorflow as tf
from absl import logging

from experiments.studies.end_to_end_run import end_to_end_run
from experiments.studies.frozen_run import frozen_run
from experiments.studies.picture_features import picture_features
from experiments.studies.recipe_sets import BASELINE, RecipeSet
from experiments.studies.study_key import END_TO_END, FROZEN, OFF_THE_SHELF, StudyKey
from landmark_zoo.core.errors import UserError
from landmark_zoo.core.files import read_json, write_json
from landmark_zoo.core.lock import lock_directory
from landmark_zoo.data.locator import ImageLocator
from landmark_zoo.data.manifest import read_manifest
from landmark_zoo.evaluation.benchmark_pictures import benchmark_pictures
from landmark_zoo.evaluation.gldv2 import Gldv2Benchmark
from landmark_zoo.models.on_features import on_features
from landmark_zoo.models.weights_fingerprint import weights_fingerprint
from landmark_zoo.report.study_row import StudyRow
from landmark_zoo.report.study_run import DONE
from landmark_zoo.report.write_study import write_study
from landmark_zoo.training.build_feature_cache import build_feature_cache


def run_study(recipe: RecipeSet, seeds: int, output: str | Path, records: str | Path, benchmark: str | Path,
              photos: str | Path, weights: str, end_to_end: bool = False) -> list[StudyRow]:
    """Trains every block with every seed and measures it on a benchmark.

    Args:
        recipe: What is compared, and how all of it is trained.
        seeds: How many; they are 0, 1, ...
        output: Gets `features/`, `runs/<method>-<block>-seed<n>/`, `protocol.json`, `summary.csv`, `table.md`, `figure.png`.
        records: Folder of `experiments.prepare`, without the landmarks of the benchmark.
        benchmark: Folder in GLDv2's formats.
        photos: Folder of its photographs.
        weights: The backbone's; see `backbones.load_weights`.
        end_to_end: Train every block together with the backbone too, after the frozen runs.

    Returns:
        The rows of the table: what was asked for, then what the folder holds of earlier calls.

    Raises:
        UserError: The folder holds a study under another protocol, or is in use.
    """
    output, records = Path(output), Path(records)
    measured = Gldv2Benchmark.read(benchmark)
    manifest = read_manifest(records / "train")
    locator = ImageLocator(photos)
    with lock_directory(output):
        to_features = on_features(recipe.model_config(BASELINE).build(manifest.num_classes, weights))[0]
        backbone = weights_fingerprint(to_features)
        _claim(output, recipe, {"records": manifest.plan, "ground_truth": measured.ground_truth_sha256, "weights": backbone})
        cache = build_feature_cache(to_features, recipe.backbone, manifest, output / "features" / "train", recipe.views)
        pictures = tuple(
            picture_features(to_features, backbone, part, recipe.side, output / "features" / name)
            for name, part in zip(("queries", "index"), benchmark_pictures(measured, locator, crop=False), strict=True))
        for number, key in enumerate(keys := study_keys(recipe.blocks, seeds, end_to_end), start=1):
            folder = output / "runs" / key.name
            if (folder / DONE).exists():
                logging.info("[%d/%d] %s: done already", number, len(keys), key.name)
                continue
            logging.info("[%d/%d] %s", number, len(keys), key.name)
            if key.method == END_TO_END:
                facts = end_to_end_run(key, recipe, records, measured, locator, folder, weights)
            else:
                facts = frozen_run(key, recipe, cache, measured, pictures, folder, weights)
            write_json(folder / DONE, {**key._asdict(), **facts})
            _say(number, len(keys), key, folder)
            tf.keras.backend.clear_session()
            gc.collect()
        asked = [output / "runs" / key.name for key in keys]
        earlier = {path.parent for path in output.glob(f"runs/*/{DONE}")}.difference(asked)
        return write_study(output, [*asked, *sorted(earlier)])


def study_keys(blocks: Sequence[str], seeds: int, end_to_end: bool) -> list[StudyKey]:
    """Returns all runs of a study: the backbone as it is, then seed after seed, so that an early stop leaves whole seeds."""
    methods = (FROZEN, END_TO_END) if end_to_end else (FROZEN,)
    return [StudyKey(OFF_THE_SHELF, BASELINE, 0),
            *(StudyKey(method, block, seed) for method in methods for seed in range(seeds) for block in blocks)]


def _claim(output: Path, recipe: RecipeSet, facts: dict[str, str]) -> None:
    settings = {**dataclasses.asdict(recipe), **facts}
    del settings["blocks"]
    settings = json.loads(json.dumps(settings))  # tuples become lists, as they are read back
    path = output / "protocol.json"
    if not path.exists():
        write_json(path, settings)
        return
    found = read_json(path)
    unlike = sorted(key for key in settings.keys() | found.keys() if settings.get(key) != found.get(key))
    if unlike:
        raise UserError(f"the protocol of the study in {output}", f"another {', '.join(unlike)}",
                        "Use the same settings and data, or another --output: runs of two protocols are not compared.")


def _say(number: int, count: int, key: StudyKey, folder: Path) -> None:
    values = [100 * read_json(folder / "results" / state / "metrics.json")["metrics"]["mAP@100"]["value"]
              for state in ("initial", "trained") if (folder / "results" / state).exists()]
    logging.info("[%d/%d] %s: mAP@100 %s", number, count, key.name, " -> ".join(f"{value:.1f}" for value in values))
