import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from landmark_zoo.core.errors import UserError
from landmark_zoo.retrieval.embedding_set import EmbeddingSet
from landmark_zoo.retrieval.index import exact as module
from landmark_zoo.retrieval.index.exact import ExactIndex, k_nearest_neighbors, nearest_other_images
from tests.retrieval.made_up import made_up, of

EXACT = np.array([[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0], [0.5, 0.5, 0.5, 0.5], [-1, 0, 0, 0]], np.float32)


def unit(rows: int, dimension: int = 8, seed: int = 0) -> np.ndarray:
    vectors = np.random.default_rng(seed).normal(size=[rows, dimension]).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def names(count: int) -> list[str]:
    return [f"image{number}" for number in range(count)]


def test_an_image_finds_itself_first_and_scores_fall():
    index = ExactIndex(8, "f").fit(names(50), unit(50))
    ids, scores = index.search(unit(50)[7:9], k=5)
    assert [row[0] for row in ids] == ["image7", "image8"]
    assert scores.shape == (2, 5)
    assert (np.diff(scores, axis=1) <= 0).all()


def test_ranking_is_that_of_the_dot_products():
    vectors, queries = unit(300), unit(30, seed=1)
    positions, scores = ExactIndex(8, "f").fit(names(300), vectors).search_positions(queries, 300)
    np.testing.assert_allclose(scores, np.sort(queries @ vectors.T, axis=1)[:, ::-1], atol=1e-6)
    np.testing.assert_allclose(np.take_along_axis(queries @ vectors.T, positions, 1), scores, atol=1e-6)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(0, len(EXACT) - 1), min_size=1, max_size=40), st.integers(1, 45))
def test_equal_scores_stand_in_the_order_of_insertion(rows, k):
    vectors = EXACT[rows]
    positions, _ = ExactIndex(4, "f").fit(names(len(rows)), vectors).search_positions(EXACT, k)
    expected = np.argsort(-(EXACT @ vectors.T), axis=1, kind="stable")[:, :k]
    np.testing.assert_array_equal(positions, expected)


def test_k_beyond_the_size_gives_all():
    ids, _ = ExactIndex(8, "f").fit(names(3), unit(3)).search(unit(1), k=10)
    assert sorted(ids[0]) == names(3)


def test_add_extends_and_fit_replaces():
    index = ExactIndex(8, "f").fit(["a"], unit(1)).add(["b"], unit(1, seed=1))
    assert index.ids == ["a", "b"]
    assert index.fit(["b"], unit(1, seed=1)).ids == ["b"]
    assert len(index) == 1


def test_save_and_load_give_the_same_answers(tmp_path):
    index = ExactIndex(8, "f").fit(names(20), unit(20))
    index.save(tmp_path / "index")
    loaded = ExactIndex.load(tmp_path / "index")
    assert loaded.search(unit(3), 4)[0] == index.search(unit(3), 4)[0]
    assert loaded.model_fingerprint == "f"
    np.testing.assert_array_equal(EmbeddingSet.load(tmp_path / "index").vectors, unit(20))


def test_index_of_an_embedding_set():
    embeddings = EmbeddingSet(names(4), unit(4), "f")
    assert ExactIndex.of(embeddings).ids == names(4)


def test_refusals():
    index = ExactIndex(8, "f").fit(["a", "b"], unit(2))
    spoilt = unit(1)
    spoilt[0, 3] = np.nan
    with pytest.raises(UserError, match="dimension 8; received dimension 4"):
        index.add(["c"], unit(1, 4))
    with pytest.raises(UserError, match="received a, which is"):
        index.add(["a"], unit(1, seed=2))
    with pytest.raises(UserError, match="c twice"):
        index.add(["c", "c"], unit(2, seed=2))
    with pytest.raises(UserError, match="for c; received an embedding with NaN"):
        index.add(["c"], spoilt)
    with pytest.raises(UserError, match="query 0; received an embedding with NaN"):
        index.search(spoilt, 1)
    with pytest.raises(UserError, match="received dimension 4"):
        index.search(unit(1, 4), 1)
    with pytest.raises(UserError, match="fingerprint g"):
        index.check_model(8, "g")
    with pytest.raises(ValueError, match="received 0"):
        index.search(unit(1), 0)
    assert index.ids == ["a", "b"]


def test_empty_index_cannot_be_searched():
    with pytest.raises(UserError, match="an empty one"):
        ExactIndex(8, "f").search(unit(1), 1)


@settings(max_examples=30, deadline=None)
@given(st.integers(2, 12), st.integers(1, 14), st.integers(0, 5))
def test_neighbors_are_those_of_a_naive_loop(count, k, seed):
    index = made_up(count, 4, seed)
    queries = of([*index.ids[:2], "x"], [*index.vectors[:2], [1, 2, 3, 4]])
    rows, similarities = k_nearest_neighbors(queries, index, k)
    assert rows.shape == similarities.shape == (3, min(k, count - 1))
    for query in range(3):
        scores = {row: queries.vectors[query] @ index.vectors[row] for row in range(count)
                  if index.ids[row] != queries.ids[query]}
        expected = sorted(scores, key=scores.get, reverse=True)[:rows.shape[1]]
        np.testing.assert_array_equal(rows[query], expected)
        np.testing.assert_allclose(similarities[query], [scores[row] for row in expected], atol=1e-6)


def test_a_copy_with_another_id_is_a_neighbor_and_the_image_itself_is_not():
    index = of(["copy", "a", "far"], [[1, 0], [1, 0], [0, 1]])
    rows, _ = k_nearest_neighbors(of(["a"], [[1, 0]]), index, 2)
    assert rows.tolist() == [[0, 2]]


def test_all_of_a_small_index_where_no_id_is_shared():
    rows, _ = k_nearest_neighbors(of(["q"], [[1, 0]]), of(["a", "b"], [[0, 1], [1, 0]]), 9)
    assert rows.tolist() == [[1, 0]]


def test_neighbors_refusals():
    one = of(["a"], [[1, 0]])
    with pytest.raises(UserError, match="fingerprint g"):
        k_nearest_neighbors(of(["q"], [[1, 0]], "g"), one, 1)
    with pytest.raises(UserError, match="dimension 3"):
        k_nearest_neighbors(of(["q"], [[1, 0, 0]]), one, 1)
    with pytest.raises(ValueError, match="received 0"):
        k_nearest_neighbors(one, one, 0)


def embeddings(count, seed=0):
    vectors = np.random.default_rng(seed).normal(size=(count, 8)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return EmbeddingSet([f"p{number}" for number in range(count)], vectors, "f")


def test_goes_with_comparing_all_with_all():
    found = embeddings(40)
    similarities = found.vectors @ found.vectors.T
    np.fill_diagonal(similarities, -9)
    np.testing.assert_array_equal(nearest_other_images(found, 5), np.argsort(-similarities, axis=1)[:, :5])


def test_equal_ones_are_not_taken_for_the_image_itself():
    vectors = np.zeros((3, 8), np.float32)
    vectors[:, 0] = 1
    rows = nearest_other_images(EmbeddingSet(["a", "b", "c"], vectors, "f"), 2)
    assert [set(row) for row in rows.tolist()] == [{1, 2}, {0, 2}, {0, 1}]


@pytest.mark.parametrize(("count", "columns"), [(1, 0), (3, 2)])
def test_fewer_where_there_are_fewer(count, columns):
    assert nearest_other_images(embeddings(count), 5).shape == (count, columns)


def test_many_are_searched_by_a_graph(monkeypatch):
    found = embeddings(300)
    exact = nearest_other_images(found, 5)
    monkeypatch.setattr(module, "EXACT_UP_TO", 10)
    nearly = nearest_other_images(found, 5)
    assert (nearly != np.arange(300)[:, np.newaxis]).all()
    assert np.mean([len(set(one) & set(other)) for one, other in zip(exact, nearly, strict=True)]) > 4.5
