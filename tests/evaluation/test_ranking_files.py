import json

import numpy as np
import pytest

from landmark_zoo.core.errors import UserError
from landmark_zoo.core.files import read_csv, write_json
from landmark_zoo.evaluation.gldv2 import Gldv2Benchmark
from landmark_zoo.evaluation.protocol_card import NOT_STATED
from landmark_zoo.evaluation.protocols import evaluate
from landmark_zoo.evaluation.ranking_files import rankings_from_scores, read_rankings, write_rankings

TOY = Gldv2Benchmark("toy", ("q1", "q2"), tuple("abc"), {"q1": frozenset("ac"), "q2": frozenset("b")},
                     {"q1": "Public", "q2": "Private"}, 1, "1234")


def table(folder, *lines):
    (folder / "r.csv").write_text("\n".join(["id,images", *lines]) + "\n")
    return folder / "r.csv"


def test_whole_rankings(tmp_path, caplog):
    answers = read_rankings(TOY, table(tmp_path, "q1,a b c", "q2,b a c", "ignored,c"))
    assert (answers.of("q1").labelled, answers.depth) == ([("a", 0), ("c", 2)], None)
    assert not caplog.text
    assert (answers.facts["reranking"], answers.facts["model_fingerprint"]) == (NOT_STATED,) * 2


def test_truncated_rankings_miss_what_is_behind_their_end(tmp_path, caplog):
    answers = read_rankings(TOY, table(tmp_path, "q1,a b"))
    assert answers.depth == 2
    assert "1 of 2 queries have no ranking and count as not found, first q2" in caplog.text
    results = evaluate(TOY, answers, "cut")
    assert [row["average_precision"] for row in results.per_query] == [0.5, 0.0]
    assert (results.card.queries_missing, results.card.depth) == (1, "2 places at most")


def test_images_of_elsewhere_keep_their_places(tmp_path, caplog):
    answers = read_rankings(TOY, table(tmp_path, "q1,x a y c", "q2,"))
    assert answers.of("q1").labelled == [("a", 1), ("c", 3)]
    assert answers.of("q2").labelled == []
    assert "2 index images of the rankings are not in toy and count as negatives, first x" in caplog.text
    assert answers.facts["distractors"] == "2 images in the rankings that are not in the index"


def test_what_stands_beside_the_table_is_on_the_card(tmp_path):
    provenance = {"model": {"name": "m", "side": 352}, "steps": ["database augmentation: 3 neighbours"], "apply_exif": True}
    write_rankings(tmp_path, ["q1", "q2"], [["a"], ["b"]], {
        "method": "diffusion", "settings": {"alpha": 0.99}, "model_fingerprint": "f", "queries": provenance,
        "index": provenance})
    card = evaluate(TOY, read_rankings(TOY, tmp_path / "rankings.csv"), "m").card
    assert (card.reranking, card.database_augmentation, card.query_expansion) == (
        "diffusion, alpha 0.99", "3 neighbours", "none")
    assert (card.model_name, card.side, card.model_fingerprint, card.exif) == ("m", 352, "f", "turned")


@pytest.mark.parametrize(("lines", "message"), [
    (["q1,a", "q1,b"], "q1 twice"), (["q1,x y"], "such as a; received none"), (["other,a"], "such as q1"),
    (["q1"], "cells per row")])
def test_tables_that_do_not_fit(tmp_path, lines, message):
    with pytest.raises(UserError, match=message):
        read_rankings(TOY, table(tmp_path, *lines))


def test_other_faults(tmp_path):
    with pytest.raises(UserError, match="a readable csv file"):
        read_rankings(TOY, tmp_path / "absent.csv")
    write_json(tmp_path / "r.json", ["no facts"])
    with pytest.raises(UserError, match="facts on the rankings"):
        read_rankings(TOY, table(tmp_path, "q1,a"))


@pytest.mark.photographs
def test_a_real_submission_has_the_form(shared_data):
    path = shared_data / "gld" / "gldv2_retrieval_submission_sample.csv"
    rows = [(row["id"], row["images"].split()) for row in read_csv(path, ["id", "images"])]
    query, images = next((query, images) for query, images in rows if len(images) > 2)
    toy = Gldv2Benchmark("toy", (query,), tuple(images), {query: frozenset(images[1:2])}, {query: ""}, 0, "")
    assert read_rankings(toy, path).of(query).labelled == [(images[1], 1)]


SCORED_ANSWERS_TOY = Gldv2Benchmark("toy", ("q1", "q2"), tuple("abc"), {"q1": frozenset("ac"), "q2": frozenset("b")},
                     {"q1": "", "q2": ""}, 0, "")
SCORES = np.array([[0.9, 0.5, 0.3], [0.2, 0.4, 0.4]])


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_rows_are_queries_and_columns_index_images(tmp_path, dtype):
    np.save(tmp_path / "s.npy", SCORES.astype(dtype))
    answers = rankings_from_scores(SCORED_ANSWERS_TOY, tmp_path / "s.npy")
    assert answers.of("q1").labelled == [("a", 0), ("c", 2)]
    assert [image for image, _ in answers.of("q2").first] == ["b", "c", "a"]
    assert answers.facts["reranking"] == "not stated"


@pytest.mark.parametrize(("scores", "message"), [
    (SCORES.T, r"float scores \[2, 3\]"), (SCORES.astype(int), "received int64"),
    (np.where(SCORES == 0.2, np.nan, SCORES), "for query q2"), (np.array([[{}]]), "Write them with numpy.save")])
def test_what_does_not_fit(tmp_path, scores, message):
    np.save(tmp_path / "s.npy", scores, allow_pickle=True)
    with pytest.raises(UserError, match=message):
        rankings_from_scores(SCORED_ANSWERS_TOY, tmp_path / "s.npy")


def test_no_file(tmp_path):
    with pytest.raises(UserError, match="absent"):
        rankings_from_scores(SCORED_ANSWERS_TOY, tmp_path / "absent.npy")


def test_the_table_is_a_gldv2_submission(tmp_path):
    write_rankings(tmp_path, ["q1", "q2"], [["b", "a"], []], {"method": "tea"})
    assert list(read_csv(tmp_path / "rankings.csv", ["id", "images"])) == [
        {"id": "q1", "images": "b a"}, {"id": "q2", "images": ""}]
    assert json.loads((tmp_path / "rankings.json").read_text()) == {"method": "tea"}


def test_an_id_with_a_blank_is_refused(tmp_path):
    with pytest.raises(UserError, match="'my photo'"):
        write_rankings(tmp_path, ["q"], [["a", "my photo"]], {})
    assert not list(tmp_path.iterdir())


def test_one_ranking_per_query(tmp_path):
    with pytest.raises(ValueError, match="expected 2 rankings; received 1"):
        write_rankings(tmp_path, ["q1", "q2"], [["a"]], {})
