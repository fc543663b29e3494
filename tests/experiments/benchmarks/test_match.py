"""Pairs of photographs: the figures that the notes give."""

import cv2
import numpy as np
import pytest

from experiments.benchmarks.match import landmark_of, measure_match, numbers
from landmark_zoo.core.errors import UserError
from landmark_zoo.retrieval.rerank.matcher import Matches


def test_landmarks_are_folders_or_names_without_their_numbers(tmp_path):
    assert landmark_of(tmp_path / "london_bridge_19481797_2295892421.jpg", tmp_path) == "london_bridge"
    assert landmark_of(tmp_path / "taj" / "a_7.jpg", tmp_path) == "taj"


def test_matches_by_first_points():
    matches = Matches(np.array([(1, 4), (3, 0)]), np.ones(2, np.float32))
    assert numbers(matches, 5).tolist() == [-1, 4, -1, 0, -1]


def test_no_two_photographs_of_one_landmark(tmp_path):
    for name in ("a_1.jpg", "b_1.jpg"):
        cv2.imwrite(str(tmp_path / name), np.zeros((40, 40, 3), np.uint8))
    with pytest.raises(UserError, match=r"two landmarks, and two of one, in .*; received 2 photographs"):
        measure_match(str(tmp_path))
    (tmp_path / "a_2.jpg").write_bytes((tmp_path / "a_1.jpg").read_bytes()[:300])
    with pytest.raises(UserError, match=r"a photograph; received .*a_2\.jpg"):
        measure_match(str(tmp_path))


@pytest.mark.slow
@pytest.mark.photographs
@pytest.mark.parametrize(("count", "least"), [(1024, 99), pytest.param(2048, 99.8, marks=pytest.mark.nightly)])
def test_matches_tell_landmarks_apart(xfeat_exports, shared_data, count, least):
    """The fixture says whether the weights are there. 63 of the 253 pairs show one landmark."""
    found = measure_match(str(shared_data / "phototourism"), count=count, sift=False)
    assert (found["photographs"], found["pairs"], found["of_one_landmark"]) == (23, 253, 63)
    assert found["auc_by_matches"] > least
    assert found["pair_ms"] > 0
