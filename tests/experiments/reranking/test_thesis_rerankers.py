import numpy as np
import pytest

from experiments.reranking.thesis_rerankers import thesis_rerankers
from landmark_zoo.core.errors import UserError
from landmark_zoo.data.photograph import BadPhotograph


class Model:
    """One that has local features."""

    def check_local(self):
        """Passes."""


def read(image_id):
    if image_id == "bad":
        raise BadPhotograph("empty file")
    return np.random.default_rng(int(image_id)).integers(0, 256, (160, 160, 3), np.uint8)


def test_three_rerankers_and_a_codebook_that_passes_over_bad_photographs():
    rerankers = thesis_rerankers(Model(), read, ["1", "bad", "2"])
    assert list(rerankers) == ["E5", "E6", "E7"]
    assert rerankers["E6"].describe(read("3")).shape == (16 * 128,)


def test_no_photograph_for_the_codebook():
    with pytest.raises(UserError, match="usable photographs for a codebook; received none of 1"):
        thesis_rerankers(Model(), read, ["bad"])
