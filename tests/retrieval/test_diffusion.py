import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from landmark_zoo.core.errors import UserError
from landmark_zoo.retrieval.diffusion import Diffusion, affinities, affinity_graph
from landmark_zoo.retrieval.index.exact import ExactIndex, k_nearest_neighbors
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


@pytest.mark.parametrize("late", [False, True])
def test_the_cut_is_made_before_or_after_the_normalization(late):
    index, query = made_up(30), made_up(1, seed=3, prefix="q")
    diffusion = Diffusion(neighbours=5, truncation=12, iterations=300, late_truncation=late).fit(index)
    rows, similarities = ExactIndex.of(index).search_positions(query.vectors, 12)
    weights = affinities(*k_nearest_neighbors(index, index, 5)).toarray()
    kept = range(30) if late else rows[0]
    degrees = {int(i): sum(weights[i, j] for j in kept) for i in rows[0]}
    part = [[weights[i, j] / np.sqrt(degrees[i] * degrees[j]) if weights[i, j] else 0 for j in rows[0]] for i in rows[0]]
    start = np.pad(np.maximum(similarities[0, :10], 0).astype(np.float64) ** 3, (0, 2))
    expected = np.linalg.solve(np.eye(12) - 0.99 * np.array(part), start)
    np.testing.assert_allclose(diffusion.scores(rows[0], similarities[0]), expected, rtol=1e-3, atol=1e-5)


def test_without_a_cut_both_truncations_are_the_same():
    index, queries = made_up(30), made_up(4, seed=3, prefix="q")
    early, late = (Diffusion(neighbours=5, iterations=300, late_truncation=late).fit(index).rank(queries, 30)
                   for late in (False, True))
    assert early == late


def test_a_folder_that_does_not_name_its_truncation_is_late(tmp_path):
    diffusion = Diffusion(neighbours=4, truncation=12).fit(made_up(30))
    diffusion.save(tmp_path / "d")
    facts = json.loads((tmp_path / "d/diffusion.json").read_text())
    del facts["settings"]["late_truncation"]
    (tmp_path / "d/diffusion.json").write_text(json.dumps(facts))
    queries = made_up(5, seed=1, prefix="q")
    assert Diffusion.load(tmp_path / "d").rank(queries) == diffusion.rank(queries)


def test_early_truncation_is_saved(tmp_path):
    queries, diffusion = made_up(5, seed=1, prefix="q"), Diffusion(neighbours=4, truncation=12, late_truncation=False)
    diffusion.fit(made_up(30)).save(tmp_path / "d")
    assert Diffusion.load(tmp_path / "d").rank(queries) == diffusion.rank(queries)
    assert Diffusion(neighbours=4, truncation=12).fit(made_up(30)).rank(queries) != diffusion.rank(queries)


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
    lambda folder: np.save(folder / "data.npy", 2 * np.load(folder / "data.npy")),
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


def test_numbers_worked_out_by_hand():
    rows, similarities = np.array([[1, 2], [0, 2], [1, 0]]), np.array([[0.5, -0.3], [0.5, 0.2], [0.2, -0.3]])
    graph = affinity_graph(rows, similarities, gamma=1).toarray()
    np.testing.assert_allclose(graph, [[0, 0.845154, 0], [0.845154, 0, 0.534522], [0, 0.534522, 0]], atol=1e-6)


def test_a_neighbor_on_one_side_only_is_none():
    rows, similarities = np.array([[1], [0], [0]]), np.array([[0.9], [0.9], [0.8]])
    assert affinity_graph(rows, similarities).nnz == 2


def test_an_image_is_no_neighbor_of_itself():
    graph = affinity_graph(np.array([[0, 1], [1, 0]]), np.array([[1.0, 0.5], [1.0, 0.5]]))
    np.testing.assert_allclose(graph.toarray(), [[0, 1], [1, 0]])


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 14), st.integers(1, 6), st.integers(0, 99))
def test_against_loops(count, k, seed):
    rows, similarities = k_nearest_neighbors(made_up(count, 4, seed), made_up(count, 4, seed), k)
    weights = np.zeros((count, count))
    for i in range(count):
        for place, j in enumerate(rows[i]):
            if i in rows[j]:
                weights[i, j] = max(float(similarities[i, place]), 0) ** 3
    degrees = weights.sum(axis=1)
    expected = np.zeros_like(weights)
    for i, j in zip(*weights.nonzero(), strict=True):
        expected[i, j] = weights[i, j] / np.sqrt(degrees[i] * degrees[j])
    graph = affinity_graph(rows, similarities).toarray()
    np.testing.assert_allclose(graph, expected, atol=1e-5)
    np.testing.assert_allclose(graph, graph.T, atol=1e-15)
    assert np.abs(np.linalg.eigvalsh(graph)).max() < 1 + 1e-9  # so that I - alpha S can be solved


@pytest.mark.parametrize(("name", "value"), [("neighbours", 2.5), ("truncation", "9"), ("iterations", True), ("gamma", None),
                                             ("late_truncation", 1)])
def test_settings_of_other_types_are_named(tmp_path, name, value):
    Diffusion(neighbours=3).fit(made_up(9)).save(tmp_path / "d")
    facts = json.loads((tmp_path / "d/diffusion.json").read_text())
    facts["settings"][name] = value
    (tmp_path / "d/diffusion.json").write_text(json.dumps(facts))
    with pytest.raises(UserError, match=rf"for {name} in .*diffusion\.json; received"):
        Diffusion.load(tmp_path / "d")
