"""One run of a study behind a frozen backbone: train on cached feature maps, measure before and after."""

import dataclasses
from pathlib import Path

import tensorflow as tf

from experiments.studies.block_costs import block_costs
from experiments.studies.embed_features import embed_features
from experiments.studies.picture_features import PictureFeatures
from experiments.studies.recipe_sets import RecipeSet
from experiments.studies.study_key import OFF_THE_SHELF, StudyKey
from experiments.studies.training_seconds import training_seconds
from landmark_zoo.core.provenance import git_commit, resolved_flags
from landmark_zoo.evaluation.embedded_answers import embedded_answers
from landmark_zoo.evaluation.gldv2 import Gldv2Benchmark
from landmark_zoo.evaluation.measure import measure
from landmark_zoo.models.on_features import on_features
from landmark_zoo.models.weights_fingerprint import weights_fingerprint
from landmark_zoo.training.checkpoints import load_weights
from landmark_zoo.training.feature_cache import FeatureCache
from landmark_zoo.training.train_on_features import train_on_features


def frozen_run(key: StudyKey, recipe: RecipeSet, cache: FeatureCache, benchmark: Gldv2Benchmark,
               pictures: tuple[PictureFeatures, PictureFeatures], folder: Path, weights: str) -> dict[str, float]:
    """Trains, measures the initial and the trained weights, and returns the costs.

    Args:
        key: Which run; with the method `OFF_THE_SHELF` nothing is trained.
        recipe: How.
        cache: Feature maps of the training photographs.
        benchmark: What is measured on.
        pictures: Feature maps of its queries and of its index images.
        folder: Gets `training/` (a run like any other, which can be exported), `results/trained` and, of a run that trains,
            `results/initial`.
        weights: The backbone's.

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
        _measure(model, benchmark, pictures, f"{key.name} {state}", recipe,
                 f"{cache.manifest.source}: {len(cache.labels)} photographs of {cache.manifest.num_classes} landmarks, "
                 f"step {step} behind a frozen backbone", folder / "results" / state)
    return {**facts, "training_seconds": training_seconds(folder / "training", config)}


def _measure(model: tf.keras.Model, benchmark: Gldv2Benchmark, pictures: tuple[PictureFeatures, PictureFeatures], name: str,
             recipe: RecipeSet, trained_on: str, output: Path) -> None:
    info = {"name": name, "dimension": model.output_shape["embedding"][-1], "scales": [1.0], "side": recipe.side,
            "resize": f"longer side to {recipe.side} pixels, antialiased; feature maps rounded to float16",
            "aggregation": "none", "whitening": "none", "whitening_learnt_on": "none", "training_data": trained_on,
            "git_commit": git_commit()}
    fingerprint = weights_fingerprint(model)
    from_features = on_features(model)[1]
    queries, index = (embed_features(from_features, part, fingerprint, info) for part in pictures)
    measure(benchmark, embedded_answers(benchmark, queries, index), name).write(output, resolved_flags())
