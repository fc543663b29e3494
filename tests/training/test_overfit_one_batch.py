"""One batch by heart."""

import dataclasses

import pytest

from landmark_zoo.training.config import TrainingConfig
from landmark_zoo.training.overfit_one_batch import overfit_one_batch

CONFIG = TrainingConfig(epochs=5, batch_size=8, learning_rate=0.1, head_epochs=2, schedule="step", decay_epochs="1,2")


@pytest.mark.parametrize(("rate", "fell"), [(0.1, True), (1e-6, False)])
def test_says_whether_the_loss_fell(toy, rate, fell):
    network = toy()
    labels = network.images.sum((1, 2, 3)) > 0
    config = dataclasses.replace(CONFIG, learning_rate=rate)
    assert overfit_one_batch(network.model, network.objective, network.groups(2), config, network.images,
                             labels.astype("int32"), steps=60, part=0.5) == fell
