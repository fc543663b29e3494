import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from landmark_zoo.core.errors import UserError
from landmark_zoo.retrieval.rerank.fusion import GRID, Fusion, Scale, ScoredList


def lists(local_tells, count=12, seed=0):
    """Lists in whose global scores positives hide; local scores tell them apart, or are noise."""
    random = np.random.default_rng(seed)
    made = []
    for _ in range(count):
        relevant = random.random(20) < 0.4
        local = np.where(relevant, 50.0, 5.0) if local_tells else random.random(20) * 50
        made.append(ScoredList(np.sort(random.random(20))[::-1], local, relevant, int(relevant.sum())))
    return made


def test_local_scores_that_tell_are_used():
    fusion = Fusion().fit(lists(True))
    assert fusion.v < 0.6
    assert max(fusion.curve) == pytest.approx(1)
    each = lists(True, seed=1)[0]
    assert each.relevant[fusion.order(each.global_scores, each.local_scores)][:each.positives].all()


def test_global_scores_that_tell_are_kept():
    made = [each._replace(relevant=np.arange(20) < 8, positives=8) for each in lists(False)]
    assert Fusion().fit(made).v == 1


def test_of_equal_v_the_largest():
    made = [each._replace(local_scores=each.global_scores * 3) for each in lists(True)]
    fusion = Fusion().fit(made)
    assert fusion.v == 1
    assert len(fusion.curve) == len(GRID) == 21


FITTED = Fusion().fit(lists(True))


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 500), st.floats(0, 1))
def test_one_keeps_the_order_and_zero_sorts_by_local(seed, v):
    random = np.random.default_rng(seed)
    scores, local = np.sort(random.integers(0, 9, 15) / 9)[::-1], random.integers(0, 5, 15).astype(float)
    np.testing.assert_array_equal(FITTED.order(scores, local, v=1), np.arange(15))
    np.testing.assert_array_equal(FITTED.order(scores, local, v=0), np.argsort(-local, kind="stable"))
    assert sorted(FITTED.order(scores, local, v)) == list(range(15))


def test_both_kinds_are_on_one_scale():
    plain, stretched = lists(True), [each._replace(local_scores=1000 * each.local_scores - 7) for each in lists(True)]
    first, second = Fusion().fit(plain), Fusion().fit(stretched)
    assert first.v == second.v
    for one, other in zip(plain, stretched, strict=True):
        np.testing.assert_allclose(first.fuse(one.global_scores, one.local_scores),
                                   second.fuse(other.global_scores, other.local_scores), atol=1e-9)


def test_what_was_not_compared_counts_as_the_worst_that_was():
    fusion = Fusion().fit(lists(True))
    assert fusion.fuse([0.5], [np.nan], v=0.5) == pytest.approx(fusion.fuse([0.5], [5.0], v=0.5))


def test_saved_and_loaded(tmp_path):
    fusion = Fusion().fit(lists(True))
    fusion.save(tmp_path / "f.json")
    loaded = Fusion.load(tmp_path / "f.json")
    assert (loaded.v, loaded.curve) == (fusion.v, fusion.curve)
    assert loaded.fuse([0.3], [9.0]) == fusion.fuse([0.3], [9.0])
    (tmp_path / "f.json").write_text(json.dumps({"v": 1}))
    with pytest.raises(UserError, match="a fusion in"):
        Fusion.load(tmp_path / "f.json")


def test_mistakes():
    empty = [each._replace(local_scores=np.full(20, np.nan)) for each in lists(True)]
    for made in ([], empty, [each._replace(positives=0) for each in lists(True)]):
        with pytest.raises(UserError, match="validation queries with positives"):
            Fusion().fit(made)
    with pytest.raises(ValueError, match="v from 0 to 1; received 2"):
        Fusion().fit(lists(True)).fuse([1], [1], v=2)


def test_a_scale():
    scale = Scale.of(np.array([1.0, 3.0]))
    assert scale.apply([1.0, 3.0, np.nan]).tolist() == [-1, 1, -1]
    assert Scale.of(np.array([2.0, 2.0])).apply([2.0, 3.0]).tolist() == [0, 1]
