"""Rankings by k-reciprocal neighbours."""

import numpy as np
import pytest

from landmark_zoo.core.errors import UserError
from landmark_zoo.retrieval.exact_index import ExactIndex
from landmark_zoo.retrieval.k_reciprocal import k_reciprocal
from landmark_zoo.retrieval.k_reciprocal_distances import k_reciprocal_distances
from tests.retrieval.made_up import made_up, of


def test_with_all_candidates_it_is_the_method_over_query_and_index():
    index, queries = made_up(30), made_up(3, seed=1, prefix="q")
    rankings = k_reciprocal(queries, index, depth=30, candidates=30, k1=6, k2=3)
    for query, ranking in zip(queries.vectors, rankings, strict=True):
        everything = np.concatenate([query[np.newaxis], index.vectors])
        distances = k_reciprocal_distances(everything @ everything.T, 6, 3, 0.3)
        in_order = distances[[index.ids.index(image_id) for image_id in ranking]]
        assert sorted(ranking) == sorted(index.ids)
        assert (np.diff(in_order) > -1e-5).all()


def test_images_behind_the_candidates_keep_their_places():
    index, query = made_up(30), made_up(1, seed=1, prefix="q")
    found = ExactIndex.of(index).search(query.vectors, 30)[0][0]
    ranking = k_reciprocal(query, index, depth=20, candidates=10, k1=4, k2=2)[0]
    assert sorted(ranking[:10]) == sorted(found[:10])
    assert ranking[10:] == found[10:20]
    assert len(k_reciprocal(query, index, depth=5, candidates=10, k1=4, k2=2)[0]) == 5


def test_it_finds_more_of_the_landmark():
    index, queries = made_up(150, 12, spread=1.1), made_up(25, 12, seed=1, prefix="q", spread=1.1)

    def right(rankings):
        return np.mean([[int(image_id[1:]) % 5 == query % 5 for image_id in ranking[:30]]
                        for query, ranking in enumerate(rankings)])
    assert right(k_reciprocal(queries, index)) > right(ExactIndex.of(index).search(queries.vectors, 30)[0]) + 0.03


def test_other_queries_do_not_matter():
    index, queries = made_up(40), made_up(4, seed=1, prefix="q")
    together = k_reciprocal(queries, index)
    assert [k_reciprocal(queries.select([query]), index)[0] for query in queries.ids] == together


def test_an_index_smaller_than_every_setting():
    assert k_reciprocal(of(["q"], [[1, 0]]), of(["a", "b"], [[0, 1], [1, 0]])) == [["b", "a"]]


@pytest.mark.parametrize("wrong", [{"depth": 0}, {"candidates": 0}, {"k1": 0}, {"k2": 0}, {"original_weight": 1.1},
                                   {"original_weight": -0.1}])
def test_settings_out_of_range(wrong):
    with pytest.raises(UserError, match="Mend the settings"):
        k_reciprocal(made_up(1), made_up(3), **wrong)


def test_queries_of_another_model_are_refused():
    with pytest.raises(UserError, match="Embed both with the same model"):
        k_reciprocal(of(["q"], [[1, 0]], "g"), of(["a"], [[1, 0]]))
