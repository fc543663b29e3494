"""Diffusion on the graph of the index."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from landmark_zoo.core.errors import UserError
from landmark_zoo.retrieval.affinity_graph import affinity_graph
from landmark_zoo.retrieval.diffusion import Diffusion
from landmark_zoo.retrieval.exact_index import ExactIndex
from tests.retrieval.made_up import made_up, of


def exact(diffusion, queries):
    """(I - alpha S)^(-1) y by a dense solver, for every query."""
    system = np.eye(len(diffusion.index)) - diffusion.alpha * diffusion.graph.toarray()
    start = np.maximum(queries.vectors.astype(np.float64) @ diffusion.index.vectors.T, 0) ** diffusion.gamma
    last = np.sort(start, axis=1)[:, -diffusion.query_neighbours][:, np.newaxis]
    return np.linalg.solve(system, np.where(start >= last, start, 0).T).T


def test_numbers_worked_out_by_hand_the_hub_outranks_the_source():
    diffusion = Diffusion(query_neighbours=1)
    diffusion.graph = affinity_graph(np.array([[1, 2], [0, 2], [1, 0]]),
                                     np.array([[0.5, -1], [0.5, 0.2], [0.2, -1]]), gamma=1)
    scores = diffusion.scores(np.arange(3), np.ones(3))
    np.testing.assert_allclose(scores, [36.179469, 42.045362, 22.249450], rtol=1e-5)


@settings(max_examples=15, deadline=None)
@given(st.integers(10, 40), st.integers(2, 8), st.integers(0, 99))
def test_without_a_cut_it_is_the_dense_solution(count, k, seed):
    index, queries = made_up(count, 6, seed), made_up(3, 6, seed + 1, "q")
    diffusion = Diffusion(neighbours=k, query_neighbours=5, iterations=1000).fit(index)
    scores = exact(diffusion, queries)
    for query, ranking in enumerate(diffusion.rank(queries, depth=count)):
        assert sorted(ranking) == sorted(index.ids)
        in_order = scores[query][[index.ids.index(image_id) for image_id in ranking]]
        assert (np.diff(in_order) <= 1e-4 * np.abs(in_order).max()).all()


def test_the_residual_is_small_after_enough_steps():
    index = made_up(60)
    diffusion = Diffusion(neighbours=8, iterations=500).fit(index)
    query = made_up(1, seed=5, prefix="q")
    rows, similarities = ExactIndex.of(index).search_positions(query.vectors, 60)
    solution = diffusion.scores(rows[0], similarities[0])
    start = np.zeros(60)
    start[:10] = np.maximum(similarities[0, :10], 0) ** 3
    residual = (np.eye(60) - 0.99 * diffusion.graph.toarray()[np.ix_(rows[0], rows[0])]) @ solution - start
    assert np.linalg.norm(residual) < 1e-5 * np.linalg.norm(start)


def test_it_follows_a_chain_that_similarity_does_not():
    """Photographs along a walk round a building; a distractor is nearer to the query than the far end of the walk."""
    angles = np.radians(np.arange(0, 150, 10))
    walk = np.c_[np.cos(angles), np.sin(angles), np.zeros(15)]
    distractors = [[np.cos(1.3), 0, np.sin(1.3)], [np.cos(1.35), 0, np.sin(1.35)]]
    index = of([*(f"walk{n}" for n in range(15)), "far1", "far2"], [*walk, *distractors])
    query = of(["q"], [[1, -0.05, 0]])
    by_similarity = ExactIndex.of(index).search(query.vectors, 17)[0][0]
    by_diffusion = Diffusion(neighbours=3, query_neighbours=3, iterations=200).fit(index).rank(query)[0]
    assert by_similarity.index("far1") < by_similarity.index("walk9")
    assert by_diffusion[-2:] == ["far1", "far2"]


def test_images_behind_the_cut_keep_their_order():
    index, query = made_up(30), made_up(1, seed=3, prefix="q")
    found = ExactIndex.of(index).search(query.vectors, 30)[0][0]
    ranking = Diffusion(neighbours=5, truncation=12).fit(index).rank(query, depth=25)[0]
    assert len(ranking) == 25
    assert sorted(ranking[:12]) == sorted(found[:12])
    assert ranking[12:] == found[12:25]


def test_the_cut_is_made_after_the_normalisation():
    index, query = made_up(30), made_up(1, seed=3, prefix="q")
    diffusion = Diffusion(neighbours=5, truncation=12, iterations=300).fit(index)
    rows, similarities = ExactIndex.of(index).search_positions(query.vectors, 12)
    part = diffusion.graph.toarray()[np.ix_(rows[0], rows[0])]
    start = np.pad(np.maximum(similarities[0, :10], 0).astype(np.float64) ** 3, (0, 2))
    np.testing.assert_allclose(diffusion.scores(rows[0], similarities[0]), np.linalg.solve(np.eye(12) - 0.99 * part, start),
                               rtol=1e-3, atol=1e-5)


def test_queries_never_enter_the_graph():
    index, queries = made_up(40), made_up(6, seed=1, prefix="q")
    diffusion = Diffusion(neighbours=5).fit(index)
    graph = diffusion.graph.toarray()
    together = diffusion.rank(queries)
    assert diffusion.graph.shape == (40, 40)
    np.testing.assert_array_equal(diffusion.graph.toarray(), graph)
    assert [diffusion.rank(queries.select([query]))[0] for query in queries.ids] == together


def test_a_query_unlike_everything_gets_the_order_of_similarity():
    index = of(["a", "b", "c"], [[1, 0], [0.9, 0.1], [0.8, 0.3]])
    assert Diffusion().fit(index).rank(of(["q"], [[-1, 0]]))[0] == ["c", "b", "a"]


def test_save_and_load_give_the_same(tmp_path):
    diffusion = Diffusion(neighbours=4, truncation=20).fit(made_up(30))
    diffusion.save(tmp_path / "d")
    loaded = Diffusion.load(tmp_path / "d")
    queries = made_up(5, seed=1, prefix="q")
    assert loaded.rank(queries) == diffusion.rank(queries)
    assert (loaded.settings, loaded.index.provenance) == (diffusion.settings, diffusion.index.provenance)
    with pytest.raises(UserError, match="one that exists"):
        diffusion.save(tmp_path / "d")


@pytest.mark.parametrize("spoil", [
    lambda folder: (folder / "diffusion.json").write_text("{}"),
    lambda folder: (folder / "diffusion.json").write_text(json.dumps({"settings": {"tea": 1}, "edges": 0})),
    lambda folder: (folder / "diffusion.json").unlink(),
    lambda folder: (folder / "indices.npy").unlink(),
    lambda folder: np.save(folder / "indices.npy", np.full(2, 99)),
    lambda folder: np.save(folder / "data.npy", np.ones(3)),
])
def test_files_that_do_not_fit_are_refused(tmp_path, spoil):
    Diffusion(neighbours=1).fit(of(["a", "b"], [[1, 0], [0.8, 0.6]])).save(tmp_path / "d")
    spoil(tmp_path / "d")
    with pytest.raises(UserError, match="Expected"):
        Diffusion.load(tmp_path / "d")


def test_refusals(tmp_path):
    with pytest.raises(UserError, match="Call fit or load first"):
        Diffusion().rank(made_up(1))
    with pytest.raises(UserError, match="Call fit first"):
        Diffusion().save(tmp_path / "d")
    with pytest.raises(UserError, match="fingerprint g"):
        Diffusion().fit(of(["a"], [[1, 0]])).rank(of(["q"], [[1, 0]], "g"))


@pytest.mark.parametrize("settings", [{"alpha": 1.0}, {"alpha": 0}, {"gamma": 0}, {"neighbours": 0}, {"iterations": 0},
                                      {"truncation": 0}, {"query_neighbours": 0}])
def test_settings_out_of_range(settings):
    with pytest.raises(UserError, match="alpha between 0 and 1"):
        Diffusion(**settings)
