"""Re-ranking by a learnt matcher: with made-up points, and with XFeat and LighterGlue."""

from types import SimpleNamespace

import numpy as np
import pytest

from landmark_zoo.core.errors import UserError
from landmark_zoo.data.datasets.images import InvalidImageError
from landmark_zoo.retrieval.rerank.local_features import Keypoints, LocalFeatures
from landmark_zoo.retrieval.rerank.matcher import DetectedPoints, MatcherReranker, Matches, SavedMatcher, SizedKeypoints
from landmark_zoo.retrieval.rerank.registry import named_rerankers
from landmark_zoo.saved_model import SavedModel
from tests.models.record_xfeat import RECORD, pictures
from tests.retrieval.rerank.conftest import wall


def sized(points, seed=0):
    vectors = np.random.default_rng(seed).standard_normal((len(points), 64)).astype(np.float32)
    return SizedKeypoints(Keypoints(np.asarray(points, np.float32).reshape(-1, 2), vectors.reshape(-1, 64)), (200, 100))


class InOrder:
    """Matches the first points of both."""

    def match(self, first, second):
        rows = np.arange(min(len(first.keypoints), len(second.keypoints)))
        return Matches(np.stack([rows, rows], axis=1), np.ones(len(rows), np.float32))


@pytest.fixture
def reranker():
    return MatcherReranker(SimpleNamespace(), InOrder(), min_matches=6)


def test_the_score_counts_the_matches(reranker):
    first, second = (np.random.default_rng(seed).uniform(0, 90, (count, 2)) for seed, count in ((1, 20), (2, 15)))
    score, geometry = reranker.compare(sized(first), sized(second))
    assert score == 15
    np.testing.assert_allclose(geometry.query_points, first[:15], rtol=1e-5)
    np.testing.assert_allclose(geometry.candidate_points, second, rtol=1e-5)
    assert geometry.homography is None


@pytest.mark.parametrize("count", [0, 3, 5])
def test_too_few_matches_count_as_none(reranker, count):
    points = np.random.default_rng(1).uniform(0, 90, (count, 2))
    assert reranker.compare(sized(points), sized(points)) == (0.0, None)


def test_exports_of_another_kind(tiny_path, tiny_model):
    with pytest.raises(UserError, match=r"the signatures match and info at .*; received signatures .*export\.matcher"):
        SavedMatcher(tiny_path)
    with pytest.raises(UserError, match=r"signature keypoints at .*Export xfeat"):
        DetectedPoints(tiny_model)


@pytest.mark.parametrize(("given", "received"), [({}, "neither"), ({"xfeat": "x"}, "one of them")])
def test_the_exports_must_be_named(tiny_model, given, received):
    with pytest.raises(UserError, match=f"--xfeat and --matcher for the re-ranker xfeat; received {received}"):
        named_rerankers(["xfeat"], tiny_model, None, [], **given)


@pytest.fixture(scope="module")
def exports(xfeat_exports):
    return DetectedPoints(SavedModel(xfeat_exports[0]), 100), SavedMatcher(xfeat_exports[1])


@pytest.mark.slow
def test_equals_the_authors_code_by_way_of_the_exports(exports):
    points, matcher = exports
    recorded, method = np.load(RECORD), MatcherReranker(points, matcher)
    described = [method.describe(image) for image in pictures()]
    for number, each in enumerate(described):
        points = recorded[f"keypoints{number}"]
        order, expected = (np.lexsort(np.round(found, 2).T) for found in (each.keypoints.points, points))
        np.testing.assert_allclose(each.keypoints.points[order], points[expected], atol=1e-4)
        np.testing.assert_allclose(each.keypoints.vectors[order], recorded[f"descriptors{number}"][expected], atol=1e-5)
    found = matcher.match(*described)
    assert found.rows.shape == (np.count_nonzero(recorded["matches_0.95"] >= 0), 2)
    assert found.scores.min() > 0.1
    assert len(matcher.fingerprint) == 64


@pytest.mark.slow
def test_local_features_of_xfeat_stand_where_their_cells_are(exports):
    """A side of 150 pixels is lowered to 128: its 16 cells of 8 divide it evenly."""
    model = exports[0].model
    assert (model.info["local_stride"], model.info["local_even"]) == (8, True)
    found = LocalFeatures(model, side=240, count=480, radius=-1)(wall(1, height=150, width=240))
    assert sorted(set(np.round(found.points[:, 1] * 16 / 150, 2))) == [row + 0.5 for row in range(16)]
    assert sorted(set(np.round(found.points[:, 0] * 28 / 240, 2))) == [column + 0.5 for column in range(28)]
    np.testing.assert_allclose(np.linalg.norm(found.vectors, axis=1), 1, atol=1e-5)


@pytest.mark.slow
def test_the_same_wall_comes_first(exports):
    part = np.ascontiguousarray(wall(2)[20:200, 40:280])
    method = MatcherReranker(*exports, min_matches=10)
    images = {"1": wall(1), "2": wall(2), "flat": np.full((64, 64, 3), 90, np.uint8),
              "small": np.zeros((20, 64, 3), np.uint8)}
    done = method.rerank(part, ["1", "flat", "2", "small"], images.get)
    assert done.ids[0] == "2"
    assert done.scores[0] > 20
    assert done.scores_of(["1", "flat"]).tolist() == [0, 0]
    assert "32 pixels or more" in done.skipped["small"]


@pytest.mark.slow
def test_points_that_the_matcher_refuses(exports):
    matcher = exports[1]
    with pytest.raises(InvalidImageError, match="keypoints0 as x and y in pixels within size0"):
        matcher.match(sized([(300, 5)]), sized([(3, 5)]))
    short = SizedKeypoints(Keypoints(np.zeros((1, 2), np.float32), np.ones((1, 8), np.float32)), (9, 9))
    with pytest.raises(UserError, match=r"descriptors of length 64 .* received length 8"):
        matcher.match(short, short)
    assert len(matcher.match(sized([]), sized([(3, 5)])).rows) == 0
