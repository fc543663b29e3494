"""Runs of a study of attention blocks: on cached feature maps of a frozen backbone, and end to end."""

import dataclasses
import gc
import json
from collections.abc import Sequence
from pathlib import Path

import tensorflow as tf
from absl import logging

from experiments.studies.features import ImageFeatures, embed_features, image_features
from experiments.studies.protocol import (
    RecipeSet,
    StudyKey,
    block_costs,
    training_seconds,
)
from landmark_zoo.core.errors import UserError
from landmark_zoo.core.files import lock_directory, read_json, write_json
from landmark_zoo.core.provenance import git_commit, resolved_flags
from landmark_zoo.data.datasets.image_refs import ImageLocator
from landmark_zoo.data.manifest import read_manifest
from landmark_zoo.evaluation.gldv2 import Gldv2Benchmark
from landmark_zoo.evaluation.protocols import benchmark_images, evaluate
from landmark_zoo.evaluation.rankings import rank_embeddings
from landmark_zoo.models.inspection import on_features, weights_fingerprint
from landmark_zoo.report.study import BASELINE, DONE, END_TO_END, FROZEN, OFF_THE_SHELF, StudyRow, write_study
from landmark_zoo.retrieval.embed import embed
from landmark_zoo.saved_model import SavedModel
from landmark_zoo.serving.export import export_saved_model
from landmark_zoo.training.checkpoints import load_weights
from landmark_zoo.training.frozen_backbone import FeatureCache, build_feature_cache, train_on_features
from landmark_zoo.training.history import read_model
from landmark_zoo.training.run import run_training


def frozen_run(key: StudyKey, recipe: RecipeSet, cache: FeatureCache, benchmark: Gldv2Benchmark,
               images: tuple[ImageFeatures, ImageFeatures], folder: Path, weights: str) -> dict[str, float]:
    """Trains a block on cached feature maps, measures initial and trained weights, and returns the costs.

    Args:
        key: Identity of the run; with the method `OFF_THE_SHELF` nothing is trained.
        recipe: Settings common to all runs.
        cache: Feature maps of the training images.
        benchmark: Benchmark to measure on.
        images: Feature maps of its queries and of its index images.
        folder: Gets `training/` (a run like any other, which can be exported), `results/trained` and, of a run that trains,
            `results/initial`.
        weights: Pretrained weights of the backbone.

    Returns:
        Facts for the study's table: see `block_costs`, and "training_seconds".
    """
    config = dataclasses.replace(recipe.frozen, seed=key.seed)
    if key.method == OFF_THE_SHELF:
        config = dataclasses.replace(config, epochs=0)
    model = train_on_features(recipe.model_config(key.block), config, cache, folder / "training", weights,
                              recipe.sampling)
    facts = block_costs(model, recipe.model.head, cache.shape)
    states = {"trained": "latest", "initial": "initial"} if config.epochs else {"trained": "latest"}
    for state, checkpoint in states.items():
        step = load_weights(model, folder / "training", checkpoint)
        _measure(model, benchmark, images, f"{key.name} {state}", recipe,
                 f"{cache.manifest.source}: {len(cache.labels)} photographs of {cache.manifest.num_classes} landmarks, "
                 f"step {step} behind a frozen backbone", folder / "results" / state)
    return {**facts, "training_seconds": training_seconds(folder / "training", config)}


def _measure(model: tf.keras.Model, benchmark: Gldv2Benchmark, images: tuple[ImageFeatures, ImageFeatures], name: str,
             recipe: RecipeSet, trained_on: str, output: Path) -> None:
    info = {"name": name, "dimension": model.output_shape["embedding"][-1], "scales": [1.0], "side": recipe.side,
            "resize": f"longer side to {recipe.side} pixels, antialiased; feature maps rounded to float16",
            "aggregation": "none", "whitening": "none", "whitening_learnt_on": "none", "training_data": trained_on,
            "git_commit": git_commit()}
    fingerprint = weights_fingerprint(model)
    from_features = on_features(model)[1]
    queries, index = (embed_features(from_features, part, fingerprint, info) for part in images)
    evaluate(benchmark, rank_embeddings(benchmark, queries, index), name).write(output, resolved_flags())


def end_to_end_run(key: StudyKey, recipe: RecipeSet, records: Path, benchmark: Gldv2Benchmark, locator: ImageLocator,
                   folder: Path, weights: str) -> dict[str, float]:
    """Trains a block together with the backbone and measures it; otherwise as `frozen_run`.

    Args:
        key: Identity of the run.
        recipe: Settings common to all runs.
        records: Folder of `experiments.prepare`.
        benchmark: Benchmark to measure on.
        locator: Finder of its images.
        folder: Gets `training/`, `model/`, `embeddings/` and `results/trained`.
        weights: Pretrained weights of the backbone.
    """
    config = dataclasses.replace(recipe.end_to_end, seed=key.seed)
    workdir = folder / "training"
    model_config = recipe.model_config(key.block)
    run_training(model_config, config, records, workdir, weights, "pca", sampling=recipe.sampling)
    model_config, found = read_model(workdir)
    model = model_config.build(found["num_classes"])
    step = load_weights(model, workdir, "latest")
    if not (folder / "model").exists():
        export_saved_model(model, folder / "model", side=recipe.side, info={
            "model": model_config.model, "git_commit": git_commit(), "training_data":
            f"{found['source']}: {found['photographs']} photographs of {found['num_classes']} landmarks, step {step}"})
    exported = SavedModel(folder / "model")
    parts = zip(("queries", "index"), benchmark_images(benchmark, locator, crop=False), strict=True)
    queries, index = (embed(exported, images, folder / "embeddings" / part) for part, images in parts)
    results = evaluate(benchmark, rank_embeddings(benchmark, queries, index), f"{key.name} trained")
    results.write(folder / "results" / "trained", resolved_flags())
    features = on_features(model)[0](tf.zeros([1, config.image_size, config.image_size, 3]))
    return {**block_costs(model, recipe.model.head, tuple(features.shape[1:])),
            "training_seconds": training_seconds(workdir, config)}


def run_study(recipe: RecipeSet, seeds: int, output: str | Path, records: str | Path, benchmark: str | Path,
              photos: str | Path, weights: str, end_to_end: bool = False) -> list[StudyRow]:
    """Trains every block with every seed and measures it on a benchmark.

    Args:
        recipe: Blocks to compare and the settings common to all.
        seeds: Number of seeds 0, 1, ...
        output: Gets `features/`, `runs/<method>-<block>-seed<n>/`, `protocol.json`, `summary.csv`, `table.md`, `figure.png`.
        records: Folder of `experiments.prepare`, without the landmarks of the benchmark.
        benchmark: Folder in GLDv2's formats.
        photos: Folder of its images.
        weights: Pretrained weights of the backbone; see `backbones.load_weights`.
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
        images = tuple(
            image_features(to_features, backbone, part, recipe.side, output / "features" / name)
            for name, part in zip(("queries", "index"), benchmark_images(measured, locator, crop=False), strict=True))
        for number, key in enumerate(keys := study_keys(recipe.blocks, seeds, end_to_end), start=1):
            folder = output / "runs" / key.name
            if (folder / DONE).exists():
                logging.info("[%d/%d] %s: done already", number, len(keys), key.name)
                continue
            logging.info("[%d/%d] %s", number, len(keys), key.name)
            if key.method == END_TO_END:
                facts = end_to_end_run(key, recipe, records, measured, locator, folder, weights)
            else:
                facts = frozen_run(key, recipe, cache, measured, images, folder, weights)
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
    for name in ("keep", "patience"):  # every run is measured at its last step
        del settings["frozen"][name], settings["end_to_end"][name]
    settings = json.loads(json.dumps(settings))  # tuples become lists, as they are read back
    path = output / "protocol.json"
    if not path.exists():
        write_json(path, settings)
        return
    found = read_json(path, dict)
    unlike = sorted(key for key in settings.keys() | found.keys() if settings.get(key) != found.get(key))
    if unlike:
        raise UserError(f"the protocol of the study in {output}", f"another {', '.join(unlike)}",
                        "Use the same settings and data, or another --output: runs of two protocols are not compared.")


def _say(number: int, count: int, key: StudyKey, folder: Path) -> None:
    values = [100 * read_json(folder / "results" / state / "metrics.json")["metrics"]["mAP@100"]["value"]
              for state in ("initial", "trained") if (folder / "results" / state).exists()]
    logging.info("[%d/%d] %s: mAP@100 %s", number, count, key.name, " -> ".join(f"{value:.1f}" for value in values))
