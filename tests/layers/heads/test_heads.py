"""What holds for every row of the head table."""

from pathlib import Path

import numpy as np
import pytest

from landmark_zoo.layers import heads
from landmark_zoo.layers.heads import HEADS

EMBEDDINGS = np.random.default_rng(0).standard_normal((4, 8)).astype(np.float32)


@pytest.mark.parametrize("name", HEADS)
def test_logits(name):
    head = HEADS[name](5)
    logits = head(EMBEDDINGS)
    assert logits.shape == (4, 5)
    assert np.isfinite(head.training_logits(logits, np.array([0, 1, 2, 4]))).all()


def test_every_file_has_a_row_and_every_row_a_file():
    files = {path.stem for path in Path(heads.__file__).parent.glob("*.py")} - {"__init__", "base"}
    assert {HEADS[name].__module__.rsplit(".", 1)[1] for name in HEADS} == files
