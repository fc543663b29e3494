import numpy as np
import pytest

from experiments.reranking.visual_words import visual_words
from landmark_zoo.core.errors import UserError
from landmark_zoo.data.photograph import BadPhotograph
from landmark_zoo.retrieval.rerank.keypoints import Keypoints


class Corners:
    """Features that are the photograph itself."""

    kind = "corners"

    def __call__(self, photograph):
        return Keypoints(np.zeros((len(photograph), 2), np.float32), photograph.astype(np.float32))


def read(image_id):
    if image_id == "bad":
        raise BadPhotograph("empty file")
    return np.eye(4) + 10 * int(image_id)


def test_words_of_the_usable_photographs():
    words = visual_words(Corners(), read, ["0", "bad", "1"], 2, "test")
    assert sorted(words.centres.mean(axis=1).round(2).tolist()) == [0.25, 10.25]
    assert (words.kind, words.provenance["fitted_on"]) == ("corners", "2 photographs outside")


def test_no_usable_photograph():
    with pytest.raises(UserError, match="usable photographs for a codebook; received none of 1"):
        visual_words(Corners(), read, ["bad"], 2, "test")
