import itertools

import numpy as np
import pytest

from landmark_zoo.core.errors import UserError
from landmark_zoo.retrieval.index.base import check_fields, check_where
from landmark_zoo.retrieval.index.faiss_index import FaissIndex
from landmark_zoo.retrieval.index.milvus_index import MilvusIndex
from tests.retrieval.index.unit_vectors import names, unit_vectors

KINDS = ("flat", "sq", "hnsw", "ivfpq", "milvus")
EXACT = ("flat", "milvus")
SIZE = 300
_collections = itertools.count()


@pytest.fixture(scope="module")
def milvus_uri(tmp_path_factory):
    return str(tmp_path_factory.mktemp("milvus") / "lite.db")


@pytest.fixture(params=KINDS)
def create(request, milvus_uri):
    """The function that makes an empty index of one kind."""
    def create(fingerprint="f"):
        if request.param == "milvus":
            return MilvusIndex(16, fingerprint, milvus_uri, f"c{next(_collections)}")
        return FaissIndex(16, fingerprint, request.param)
    create.kind = request.param
    return create


def exact_ranks(vectors, queries, k):
    return np.argsort(-(queries @ vectors.T), axis=1, kind="stable")[:, :k]


def test_an_image_finds_itself_first_and_scores_fall(create):
    vectors = unit_vectors(SIZE)
    ids, scores = create().fit(names(SIZE), vectors).search(vectors[:20], 10)
    assert [row[0] for row in ids] == names(20)
    assert scores.shape == (20, 10)
    assert scores.dtype == np.float32
    assert (np.diff(scores, axis=1) <= 0).all()


def test_ranks_are_the_exact_ones_or_near(create):
    vectors, queries = unit_vectors(SIZE), unit_vectors(20, seed=1)
    ids, scores = create().fit(names(SIZE), vectors).search(queries, 10)
    expected = [[f"image{row}" for row in line] for line in exact_ranks(vectors, queries, 10)]
    if create.kind in EXACT:
        assert ids == expected
        np.testing.assert_allclose(scores, -np.sort(-queries @ vectors.T, axis=1)[:, :10], atol=1e-6)
    recall = np.mean([len(set(a) & set(b)) / 10 for a, b in zip(ids, expected, strict=True)])
    assert recall > {"sq": 0.95, "hnsw": 0.99, "ivfpq": 0.6}.get(create.kind, 0.999)


def test_adding_and_removing_ends_where_a_rebuilt_index_is(create):
    vectors, queries = unit_vectors(SIZE + 50), unit_vectors(20, seed=1)
    everything = names(SIZE + 50)
    index = create().fit(everything[:SIZE], vectors[:SIZE])
    index.remove(everything[40:90]).add(everything[SIZE:], vectors[SIZE:]).remove(everything[SIZE:SIZE + 5])
    index.add(everything[60:62], vectors[60:62])
    kept = [*range(40), *range(90, SIZE), *range(SIZE + 5, SIZE + 50), 60, 61]
    rebuilt = create().fit(everything[:SIZE], vectors[:SIZE]).remove(everything[:SIZE])  # for ivfpq: the same training
    rebuilt.add([everything[row] for row in kept], vectors[kept])
    assert len(index) == len(rebuilt) == len(kept)
    found, expected = index.search(queries, 15), rebuilt.search(queries, 15)
    assert found[0] == expected[0]
    np.testing.assert_allclose(found[1], expected[1], atol=1e-6)


def test_fit_replaces_and_more_than_there_are_gives_all(create):
    index = create().fit(names(SIZE), unit_vectors(SIZE)).fit(names(270, "new"), unit_vectors(270, seed=2))
    ids, scores = index.search(unit_vectors(2), 1000)
    assert scores.shape == (2, 270)
    assert sorted(ids[0]) == sorted(ids[1]) == sorted(names(270, "new"))


def test_search_where(create):
    vectors = unit_vectors(SIZE)
    fields = {"landmark": [str(row % 50) for row in range(SIZE)], "source": ['a "b" \\ é'] * 200 + ["other"] * 100}
    index = create().fit(names(SIZE), vectors, fields)
    ids, scores = index.search(vectors[:3], 100, where={"landmark": "7"})
    assert sorted(ids[2]) == sorted(f"image{row}" for row in range(7, SIZE, 50))
    assert scores.shape == (3, 6)
    ids, _ = index.search(vectors[:1], 100, where={"landmark": ["7", "8"], "source": 'a "b" \\ é'})
    assert sorted(ids[0]) == sorted(f"image{row}" for row in range(200) if row % 50 in (7, 8))
    ids, scores = index.search(vectors[:2], 5, where={"landmark": "none"})
    assert (ids, scores.shape) == ([[], []], (2, 0))


def test_skip_known_goes_on_after_an_interruption(create):
    vectors = unit_vectors(SIZE)
    index = create().fit(names(270), vectors[:270])
    index.add(names(SIZE), vectors, skip_known=True).add(names(SIZE), vectors, skip_known=True)
    assert len(index) == SIZE
    assert index.known(["image299", "image300"]) == {"image299"}
    assert index.search(vectors[280:281], 1)[0] == [["image280"]]


def test_refusals(create):
    index = create().fit(names(SIZE), unit_vectors(SIZE))
    one, spoilt = unit_vectors(1, seed=3), unit_vectors(1)
    spoilt[0, 3] = np.nan
    for call, message in [
        (lambda: index.add(["new"], unit_vectors(1, 8)), "dimension 16; received dimension 8"),
        (lambda: index.add(["image7"], one), "received image7, which is"),
        (lambda: index.add(["new", "new"], unit_vectors(2, seed=3)), "new twice"),
        (lambda: index.add(["new"], spoilt), "for new; received an embedding with NaN"),
        (lambda: index.fit(["new"] * 2, unit_vectors(2)), "new twice"),
        (lambda: index.add(["new"], one, {"colour": ["red"]}), "landmark or source; received 'colour'"),
        (lambda: index.remove(["image7", "absent"]), "received absent, which is not"),
        (lambda: index.search(spoilt, 1), "query 0; received an embedding with NaN"),
        (lambda: index.search(unit_vectors(1, 8), 1), "received dimension 8"),
        (lambda: index.search(one, 1, {"colour": "red"}), "received 'colour'"),
        (lambda: index.check_model(16, "g"), "fingerprint g"),
    ]:
        with pytest.raises(UserError, match=message):
            call()
    with pytest.raises(ValueError, match="received 0"):
        index.search(one, 0)
    with pytest.raises(ValueError, match="Expected 1 strings"):
        index.add(["new"], one, {"landmark": []})
    with pytest.raises(ValueError, match="Expected 300 strings"):
        index.fit(names(SIZE), unit_vectors(SIZE), {"landmark": ["one"]})
    assert len(index) == SIZE
    assert index.known(["image7", "new"]) == {"image7"}


def test_an_empty_index_cannot_be_searched(create):
    with pytest.raises(UserError, match="an empty one"):
        create().search(unit_vectors(1), 1)
    emptied = create().fit(names(270), unit_vectors(270)).remove(names(270))
    with pytest.raises(UserError, match="an empty one"):
        emptied.search(unit_vectors(1), 1)


def test_no_queries_no_rows(create):
    ids, scores = create().fit(names(270), unit_vectors(270)).search(np.zeros((0, 16), np.float32), 4)
    assert (ids, scores.shape) == ([], (0, 4))


def test_save_and_load_give_the_same_answers(create, tmp_path):
    fields = {"landmark": [str(row % 5) for row in range(SIZE)]}
    index = create().fit(names(SIZE), unit_vectors(SIZE), fields).remove(names(10))
    index.save(tmp_path / "index")
    loaded = type(index).load(tmp_path / "index")
    assert (len(loaded), loaded.model_fingerprint) == (SIZE - 10, "f")
    assert loaded.search(unit_vectors(5, seed=1), 20)[0] == index.search(unit_vectors(5, seed=1), 20)[0]
    where = {"landmark": ["3", "4"]}
    assert loaded.search(unit_vectors(5, seed=1), 20, where)[0] == index.search(unit_vectors(5, seed=1), 20, where)[0]
    loaded.add(["image3"], unit_vectors(1, seed=9))
    assert loaded.search(unit_vectors(1, seed=9), 1)[0] == [["image3"]]
    with pytest.raises(UserError, match="one that exists"):
        index.save(tmp_path / "index")


def test_fields_left_out_are_empty_texts():
    assert check_fields({"source": ["a", "b"]}, 2) == {"landmark": ["", ""], "source": ["a", "b"]}
    assert check_fields(None, 1) == {"landmark": [""], "source": [""]}


def test_one_text_is_a_list_of_one():
    assert check_where({"landmark": "7", "source": ["a", "b"]}) == {"landmark": ["7"], "source": ["a", "b"]}
    assert check_where(None) == {}


def test_fields_refusals():
    with pytest.raises(ValueError, match="Expected 2 strings for the field landmark; received 1"):
        check_fields({"landmark": ["1"]}, 2)
    with pytest.raises(ValueError, match="strings for the field landmark"):
        check_fields({"landmark": [1]}, 1)
    with pytest.raises(UserError, match="landmark or source; received 'year'"):
        check_where({"year": "1900"})
