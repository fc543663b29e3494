"""One run of a study in which the backbone learns too: train, export, embed and measure as the other scripts do."""

import dataclasses
from pathlib import Path

import tensorflow as tf

from experiments.studies.block_costs import block_costs
from experiments.studies.recipe_sets import RecipeSet
from experiments.studies.study_key import StudyKey
from experiments.studies.training_seconds import training_seconds
from landmark_zoo.core.provenance import git_commit, resolved_flags
from landmark_zoo.data.locator import ImageLocator
from landmark_zoo.evaluation.benchmark_pictures import benchmark_pictures
from landmark_zoo.evaluation.embedded_answers import embedded_answers
from landmark_zoo.evaluation.gldv2 import Gldv2Benchmark
from landmark_zoo.evaluation.measure import measure
from landmark_zoo.models.on_features import on_features
from landmark_zoo.retrieval.embed import embed
from landmark_zoo.retrieval.saved_model import EmbeddingModel
from landmark_zoo.serving.export import export_saved_model
from landmark_zoo.training.checkpoints import load_weights
from landmark_zoo.training.run import run_training
from landmark_zoo.training.workdir import read_model


def end_to_end_run(key: StudyKey, recipe: RecipeSet, records: Path, benchmark: Gldv2Benchmark, locator: ImageLocator,
                   folder: Path, weights: str) -> dict[str, float]:
    """Trains and measures; see `frozen_run`, of which this is the slow and complete form.

    Args:
        key: Which run.
        recipe: How.
        records: Folder of `experiments.prepare`.
        benchmark: What is measured on.
        locator: Finds its pictures.
        folder: Gets `training/`, `model/`, `embeddings/` and `results/trained`.
        weights: The backbone's.
    """
    config = dataclasses.replace(recipe.end_to_end, seed=key.seed)
    workdir = folder / "training"
    model_config = recipe.model_config(key.block)
    run_training(model_config, config, records, workdir, weights, "pca", sampling=recipe.sampling)
    _, found = read_model(workdir)
    model = model_config.build(found["num_classes"])
    step = load_weights(model, workdir)
    if not (folder / "model").exists():
        export_saved_model(model, folder / "model", side=recipe.side, info={
            "model": model_config.model, "git_commit": git_commit(), "training_data":
            f"{found['source']}: {found['photographs']} photographs of {found['num_classes']} landmarks, step {step}"})
    exported = EmbeddingModel(folder / "model")
    parts = zip(("queries", "index"), benchmark_pictures(benchmark, locator, crop=False), strict=True)
    queries, index = (embed(exported, pictures, folder / "embeddings" / part) for part, pictures in parts)
    results = measure(benchmark, embedded_answers(benchmark, queries, index), f"{key.name} trained")
    results.write(folder / "results" / "trained", resolved_flags())
    features = on_features(model)[0](tf.zeros([1, config.image_size, config.image_size, 3]))
    return {**block_costs(model, recipe.model.head, tuple(features.shape[1:])),
            "training_seconds": training_seconds(workdir, config)}
