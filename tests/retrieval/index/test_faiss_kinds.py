import numpy as np
import pytest

from landmark_zoo.retrieval.index.faiss_kinds import FAISS_KINDS, IndexImages, search_faiss
from tests.retrieval.index.unit_vectors import unit_vectors


def filled(kind, vectors):
    index = FAISS_KINDS[kind].make(vectors.shape[1], len(vectors))
    index.train(vectors)
    index.add_with_ids(vectors, np.arange(len(vectors)))
    return index


@pytest.mark.parametrize("kind", FAISS_KINDS)
def test_a_thorough_search_finds_all_that_is_allowed(kind):
    vectors = unit_vectors(500)
    allowed = np.zeros(500, bool)
    allowed[[3, 70, 499]] = True
    scores, numbers = search_faiss(filled(kind, vectors), vectors[:2], 3, allowed, thorough=True)
    assert [sorted(row) for row in numbers] == [[3, 70, 499]] * 2
    np.testing.assert_allclose(np.sort(scores[0]), np.sort(vectors[[3, 70, 499]] @ vectors[0]), atol=0.2)


@pytest.mark.parametrize("dimension", [1, 3, 7, 100, 511])
def test_product_quantiser_takes_every_dimension(dimension):
    index = FAISS_KINDS["ivfpq"].make(dimension, 256)
    assert dimension % index.pq.M == 0


def test_there_are_never_more_lists_than_training_embeddings():
    for size in range(256, 5000, 97):
        assert FAISS_KINDS["ivfpq"].make(8, size).nlist <= size


def table(ids, **fields):
    images = IndexImages()
    images.add(ids, {"landmark": fields.get("landmark", [""] * len(ids)), "source": [""] * len(ids)})
    return images


def test_numbers_are_given_once():
    images = table(["a", "b", "c"])
    assert images.remove(["c", "a"]).tolist() == [0, 2]
    assert images.add(["c"], {"landmark": [""], "source": [""]}).tolist() == [3]
    assert images.ids == ["b", "c"]
    assert images.rows(np.array([[3, 1]])).tolist() == [[1, 0]]
    assert images.known(["a", "b", "c"]) == {"b", "c"}


def test_matching_is_by_number():
    images = table(["a", "b", "c"], landmark=["1", "2", "1"])
    images.remove(["a"])
    assert images.matching({"landmark": ["1"]}).tolist() == [False, False, True]
    assert images.matching({}).tolist() == [False, True, True]


def test_the_table_survives_a_file(tmp_path):
    images = table(["a,b", 'c "d"\ne', "é"], landmark=["1", "2", ""])
    images.remove(["a,b"])
    images.save(tmp_path / "ids.csv")
    loaded = IndexImages.load(tmp_path / "ids.csv", images.next_number)
    assert (loaded.ids, loaded.fields) == (images.ids, images.fields)
    assert loaded.numbers.tolist() == [1, 2]
    assert loaded.add(["new"], {"landmark": [""], "source": [""]}).tolist() == [3]
