import re

import cv2
import numpy as np
import pytest

from landmark_zoo.data.locator import ImageLocator
from landmark_zoo.retrieval.rerank.geometric_reranker import GeometricReranker
from landmark_zoo.retrieval.rerank.photograph_reader import photograph_reader
from landmark_zoo.retrieval.rerank.sift import SIFT

FRONT = ["sacre_coeur_02928139_3448003521", "sacre_coeur_17295357_9106075285", "sacre_coeur_44120379_8371960244",
         "sacre_coeur_51091044_3486849416", "sacre_coeur_71295362_4051449754", "sacre_coeur_93341989_396310999"]
SIDE = ["sacre_coeur_10265353_3838484249", "sacre_coeur_32809961_8274055477", "sacre_coeur_60584745_2207571072"]
BRIDGE = ["london_bridge_19481797_2295892421", "london_bridge_49190386_5209386933"]


def test_vectors_have_length_one(walls):
    found = SIFT()(walls[0])
    assert len(found) > 100
    assert found.vectors.shape[1] == 128
    np.testing.assert_allclose(np.linalg.norm(found.vectors, axis=1), 1, atol=1e-4)
    assert (found.points >= 0).all()
    assert (found.points < [320, 240]).all()


def test_the_count_bounds(walls):
    assert len(SIFT(count=20)(walls[0])) == 20


def test_red_and_blue_are_not_mixed_up():
    picture = np.zeros((64, 64, 3), np.uint8)
    picture[20:40, 20:40] = [255, 0, 0]
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    np.testing.assert_array_equal(SIFT()(picture).vectors, SIFT()(np.repeat(grey[..., None], 3, 2)).vectors)


def test_a_flat_photograph_has_none():
    assert len(SIFT()(np.full((64, 64, 3), 128, np.uint8))) == 0


def test_threshold_zero_finds_faint_corners():
    faint = np.full((64, 64, 3), 128, np.uint8)
    faint[20:40, 20:40] = 131
    assert len(SIFT(contrast_threshold=0)(faint)) > len(SIFT()(faint)) == 0


@pytest.fixture(scope="module")
def described(shared_data):
    folder = shared_data / "phototourism"
    read, sift = photograph_reader(ImageLocator(folder), 1024), SIFT()
    return {path.stem: sift(read(path.stem)) for path in sorted(folder.glob("*.jpg"))}


@pytest.mark.photographs
def test_photographs_from_one_side_have_more_than_30_inliers(described):
    compare = GeometricReranker(SIFT()).compare
    for names in (FRONT, SIDE, BRIDGE):
        for query in names:
            for candidate in set(names) - {query}:
                assert compare(described[query], described[candidate])[0] > 30, (query, candidate)


@pytest.mark.photographs
@pytest.mark.slow
def test_photographs_of_other_landmarks_have_fewer_than_12(described):
    compare = GeometricReranker(SIFT()).compare
    landmark = {name: re.split(r"_\d", name)[0] for name in described}
    pairs = [(a, b) for a in described for b in described if a < b and landmark[a] != landmark[b]]
    assert len(pairs) == 190
    assert max(compare(described[a], described[b])[0] for a, b in pairs) < 12
