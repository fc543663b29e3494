"""Memory of heads."""

import pytest

from landmark_zoo.layers.heads import HEADS
from landmark_zoo.training.config import TrainingConfig
from landmark_zoo.training.head_memory import head_memory


def memory(replicas=1, **settings):
    head = HEADS["arcface"](1024)
    head.build([None, 512])
    return head_memory(head, TrainingConfig(**{"batch_size": 64, **settings}), replicas)


def test_worked_out_by_hand():
    """512 x 1024 float32 are 2 MiB, 64 x 1024 logits 0.25."""
    assert memory(optimizer="adam") == {"weights": 2, "gradient": 2, "optimizer": 4, "average": 0, "logits": 0.25}
    assert memory(optimizer="sgd", ema_momentum=0.9) == {"weights": 2, "gradient": 2, "optimizer": 2, "average": 2,
                                                         "logits": 0.25}
    assert memory(optimizer="sgd", momentum=0.0)["optimizer"] == 0
    assert memory(4, accumulate=2)["logits"] == pytest.approx(0.25 / 8)


def test_of_gldv2_clean():
    """159 MiB of weights for 81,313 landmarks."""
    head = HEADS["arcface"](81313)
    head.build([None, 512])
    assert head_memory(head, TrainingConfig())["weights"] == pytest.approx(158.8, abs=0.1)
