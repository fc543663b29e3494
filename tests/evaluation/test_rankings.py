
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from landmark_zoo.core.errors import UserError
from landmark_zoo.core.files import read_json, write_json
from landmark_zoo.evaluation import rankings as module
from landmark_zoo.evaluation.gldv2 import Gldv2Benchmark
from landmark_zoo.evaluation.rankings import FIRST, Distractors, Ranking, Rankings, rank_embeddings, select_embeddings
from landmark_zoo.metrics.ranking import positive_ranks
from landmark_zoo.retrieval.embedding_set import EmbeddingSet

IDS = [f"i{number}" for number in range(12)]


@given(st.lists(st.sampled_from(IDS), max_size=30), st.sets(st.sampled_from(IDS)), st.sets(st.sampled_from(IDS)))
def test_ranks_of_a_list_with_repetitions(ranking, positives, junk):
    junk -= positives
    answer = Ranking.of_ranking(ranking, positives | junk)
    np.testing.assert_array_equal(answer.ranks(positives, junk), positive_ranks(ranking, positives, junk))


@given(st.lists(st.sampled_from([0.1, 0.2, 0.3]), min_size=12, max_size=12), st.sets(st.sampled_from(IDS)))
def test_ranks_of_scores_with_ties(scores, positives):
    rows = {image: row for row, image in enumerate(IDS)}
    junk = set(IDS[:3]) - positives
    answer = Ranking.of_scores(np.array(scores), IDS, rows, [*positives, *junk, "absent"])
    ranking = [IDS[row] for row in np.argsort(-np.array(scores), kind="stable")]
    np.testing.assert_array_equal(answer.ranks(positives, junk), positive_ranks(ranking, positives, junk))
    assert [image for image, _ in answer.first] == ranking


def test_only_the_first_places_are_kept():
    answer = Ranking.of_ranking([str(number) for number in range(200)], {"150"})
    assert len(answer.first) == FIRST
    assert answer.labelled == [("150", 150)]
    assert np.isnan(answer.first[0][1])


def test_a_query_without_an_answer_found_nothing():
    answers = Rankings({"q": Ranking([("a", 0)])}, {})
    assert answers.of("q").ranks({"a"}).tolist() == [0]
    assert answers.of("other").ranks({"a"}).tolist() == []


TOY = SimpleNamespace(name="toy", query_ids=("q1", "q2"), index_ids=("a", "b", "c"), ground_truth_sha256="")


def embeddings(*ids, fingerprint="f", dimension=8):
    return EmbeddingSet(list(ids), np.eye(len(ids), dimension, dtype=np.float32), fingerprint)


def test_order_is_the_benchmarks_and_others_are_left_aside():
    queries, index = select_embeddings(TOY, embeddings("a", "q2", "q1"), embeddings("x", "c", "b", "a"))
    assert (queries.ids, index.ids) == (["q1", "q2"], ["a", "b", "c"])


def test_missing_ones_are_named(caplog):
    queries, index = select_embeddings(TOY, embeddings("q1"), embeddings("a", "b"))
    assert (queries.ids, index.ids) == (["q1"], ["a", "b"])
    assert "1 of 2 queries have no embedding and count as not found, first q2" in caplog.text
    assert "1 of 3 index images" in caplog.text


def test_two_models_are_refused():
    with pytest.raises(UserError, match="fingerprint"):
        select_embeddings(TOY, embeddings("q1"), embeddings("a", fingerprint="g"))
    with pytest.raises(UserError, match="dimension"):
        select_embeddings(TOY, embeddings("q1"), embeddings("a", dimension=4))


def test_embeddings_of_something_else_are_refused():
    with pytest.raises(UserError, match="queries of toy, such as q1; received 1 of others, such as x"):
        select_embeddings(TOY, embeddings("x"), embeddings("a"))
    with pytest.raises(UserError, match="index images of toy, such as a"):
        select_embeddings(TOY, embeddings("q1"), embeddings("x"))


INDEX = ("a", "b", "c")
EMBEDDED = Gldv2Benchmark("toy", ("q1", "q2"), INDEX, {"q1": frozenset("ac"), "q2": frozenset("b")}, {"q1": "", "q2": ""}, 0,
                          "")
SCORES = np.array([[0.9, 0.5, 0.3], [0.2, 0.4, 0.6]])


def behind(queries, *scores):
    """Distractors with these scores under both queries."""
    rows = np.zeros((len(scores), queries.dimension), np.float16)
    rows[:, :2] = np.array(scores)[:, np.newaxis]
    return Distractors([f"d{number}" for number in range(len(scores))], [rows[:1], rows[1:]], "some")


def test_distractors_are_plain_negatives(planted):
    queries, index = planted(EMBEDDED.query_ids, INDEX, SCORES)
    alone = rank_embeddings(EMBEDDED, queries, index)
    assert alone.of("q1").labelled == [("a", 0), ("c", 2)]
    assert (alone.facts["distractors"], alone.facts["index_images"]) == ("none", 3)
    more = rank_embeddings(EMBEDDED, queries, index, behind(queries, 0.45, 0.35, -0.5))
    assert more.of("q1").labelled == [("a", 0), ("c", 4)]
    assert [image for image, _ in more.of("q2").first] == ["c", "d0", "b", "d1", "a", "d2"]
    assert (more.facts["distractors"], more.facts["index_images"]) == ("some", 3)


def test_queries_in_parts_are_the_same(planted, monkeypatch):
    queries, index = planted(EMBEDDED.query_ids, INDEX, SCORES)
    whole = rank_embeddings(EMBEDDED, queries, index)
    monkeypatch.setattr(module, "SCORES_AT_A_TIME", 3)
    assert rank_embeddings(EMBEDDED, queries, index).by_query == whole.by_query


def test_a_missing_query_has_no_answer(planted):
    queries, index = planted(EMBEDDED.query_ids, INDEX, SCORES)
    answers = rank_embeddings(EMBEDDED, queries.select(["q2"]), index.select(["a", "b"]))
    assert list(answers.by_query) == ["q2"]
    assert answers.facts["index_images_missing"] == 1


def test_distractors_with_nan_are_refused(planted):
    queries, index = planted(EMBEDDED.query_ids, INDEX, SCORES)
    with pytest.raises(UserError, match=r"finite numbers; received .* shard 1"):
        rank_embeddings(EMBEDDED, queries, index, behind(queries, np.nan, 0.1))


def test_lists_are_whole_or_truncated():
    whole = Rankings.of_lists(EMBEDDED, {"q1": ["b", "a", "c"]})
    assert (whole.of("q1").labelled, whole.depth) == ([("a", 1), ("c", 2)], None)
    cut = Rankings.of_lists(EMBEDDED, {"q1": ["b"], "q2": ["x", "b"]}, {"reranking": "tea"})
    assert (cut.of("q2").labelled, cut.depth, cut.facts["reranking"]) == ([("b", 1)], 2, "tea")


def embedding_set(*ids, dimension=4, fingerprint="f", **provenance):
    return EmbeddingSet(list(ids), np.eye(len(ids), dimension, dtype=np.float32), fingerprint, provenance)


INDEX_SET = embedding_set("a", "b")


def test_none():
    found = Distractors.read([], INDEX_SET)
    assert (len(found.ids), len(found.shards), found.description) == (0, 0, "none")


def test_shards_of_either_type_are_mapped(tmp_path):
    embedding_set("x", "y", photographs_sha256="1" * 64).save(tmp_path / "one")
    embedding_set("z").save(tmp_path / "two")
    np.save(tmp_path / "two" / "embeddings.npy", np.load(tmp_path / "two" / "embeddings.npy").astype(np.float16))
    found = Distractors.read([tmp_path / "one", tmp_path / "two"], INDEX_SET)
    assert found.ids == ["x", "y", "z"]
    assert [(type(shard), shard.dtype.name) for shard in found.shards] == [(np.memmap, "float32"), (np.memmap, "float16")]
    assert found.description == f"3 photographs with checksum {'1' * 12}, not stated"


@pytest.mark.parametrize(("other", "message"), [
    (embedding_set("x", fingerprint="g"), "fingerprint g"), (embedding_set("x", dimension=3), "dimension 3"),
    (embedding_set("x", "a"), "a twice"),
    (embedding_set("x", steps=["database augmentation: 3"]), "database augmentation: 3 in")])
def test_what_does_not_belong_to_the_index_is_refused(tmp_path, other, message):
    other.save(tmp_path / "other")
    with pytest.raises(UserError, match=message):
        Distractors.read([tmp_path / "other"], INDEX_SET)


def test_one_shard_twice_is_refused(tmp_path):
    embedding_set("x").save(tmp_path / "one")
    with pytest.raises(UserError, match=r"x twice, in .*one"):
        Distractors.read([tmp_path / "one"] * 2, INDEX_SET)


def test_files_that_do_not_fit_together(tmp_path):
    with pytest.raises(UserError, match=r"embeddings\.json"):
        Distractors.read([tmp_path], INDEX_SET)
    embedding_set("x", "y").save(tmp_path / "one")
    write_json(tmp_path / "one" / "embeddings.json", read_json(tmp_path / "one" / "embeddings.json") | {"count": 3})
    with pytest.raises(UserError, match=r"float32 \(2, 4\) and 2 ids instead of"):
        Distractors.read([tmp_path / "one"], INDEX_SET)
    (tmp_path / "one" / "embeddings.npy").write_bytes(b"cut")
    with pytest.raises(UserError, match="Make them again"):
        Distractors.read([tmp_path / "one"], INDEX_SET)
