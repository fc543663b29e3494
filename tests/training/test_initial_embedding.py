"""Which part is fitted under which name."""

import numpy as np
import pytest

from landmark_zoo.data.manifest import read_manifest
from landmark_zoo.data.pipeline import evaluation_dataset
from landmark_zoo.models.config import ModelConfig
from landmark_zoo.training.initial_embedding import initial_embedding


@pytest.mark.parametrize(("name", "model", "fitted"), [
    ("random", "resnet18_gem", set()), ("pca", "resnet18_gem", {"embedding", "arcface"}),
    ("whitening", "resnet18_how", {"whitening"}), ("clusters", "resnet18_netvlad", {"netvlad"})])
def test_only_that_part_moves(records, name, model, fitted):
    model = ModelConfig(model, embedding_dim=8, alpha=0.125).build(4)
    before = {layer.name: layer.get_weights() for layer in model.layers}
    batches = evaluation_dataset(read_manifest(records / "train"), image_size=64, batch_size=16)
    initial_embedding(name, model, model.get_layer("arcface"), batches, seed=0)
    moved = {layer.name for layer in model.layers
             if not all(map(np.array_equal, before[layer.name], layer.get_weights()))}
    assert moved == fitted
