"""Rankings from a table."""

import pytest

from landmark_zoo.core.errors import UserError
from landmark_zoo.core.files import read_csv, write_json
from landmark_zoo.evaluation.card_facts import NOT_STATED
from landmark_zoo.evaluation.gldv2 import Gldv2Benchmark
from landmark_zoo.evaluation.measure import measure
from landmark_zoo.evaluation.ranked_answers import ranked_answers
from landmark_zoo.retrieval.write_rankings import write_rankings

TOY = Gldv2Benchmark("toy", ("q1", "q2"), tuple("abc"), {"q1": frozenset("ac"), "q2": frozenset("b")},
                     {"q1": "Public", "q2": "Private"}, 1, "1234")


def table(folder, *lines):
    (folder / "r.csv").write_text("\n".join(["id,images", *lines]) + "\n")
    return folder / "r.csv"


def test_whole_rankings(tmp_path, caplog):
    answers = ranked_answers(TOY, table(tmp_path, "q1,a b c", "q2,b a c", "ignored,c"))
    assert (answers.of("q1").labelled, answers.depth) == ([("a", 0), ("c", 2)], None)
    assert not caplog.text
    assert (answers.facts["reranking"], answers.facts["model_fingerprint"]) == (NOT_STATED,) * 2


def test_truncated_rankings_miss_what_is_behind_their_end(tmp_path, caplog):
    answers = ranked_answers(TOY, table(tmp_path, "q1,a b"))
    assert answers.depth == 2
    assert "1 of 2 queries have no ranking and count as not found, first q2" in caplog.text
    results = measure(TOY, answers, "cut")
    assert [row["average_precision"] for row in results.per_query] == [0.5, 0.0]
    assert (results.card.queries_missing, results.card.depth) == (1, "2 places at most")


def test_images_of_elsewhere_keep_their_places(tmp_path, caplog):
    answers = ranked_answers(TOY, table(tmp_path, "q1,x a y c", "q2,"))
    assert answers.of("q1").labelled == [("a", 1), ("c", 3)]
    assert answers.of("q2").labelled == []
    assert "2 index images of the rankings are not in toy and count as negatives, first x" in caplog.text
    assert answers.facts["distractors"] == "2 images in the rankings that are not in the index"


def test_what_stands_beside_the_table_is_on_the_card(tmp_path):
    provenance = {"model": {"name": "m", "side": 352}, "steps": ["database augmentation: 3 neighbours"], "apply_exif": True}
    write_rankings(tmp_path, ["q1", "q2"], [["a"], ["b"]], {
        "method": "diffusion", "settings": {"alpha": 0.99}, "model_fingerprint": "f", "queries": provenance,
        "index": provenance})
    card = measure(TOY, ranked_answers(TOY, tmp_path / "rankings.csv"), "m").card
    assert (card.reranking, card.database_augmentation, card.query_expansion) == (
        "diffusion, alpha 0.99", "3 neighbours", "none")
    assert (card.model_name, card.side, card.model_fingerprint, card.exif) == ("m", 352, "f", "turned")


@pytest.mark.parametrize(("lines", "message"), [
    (["q1,a", "q1,b"], "q1 twice"), (["q1,x y"], "such as a; received none"), (["other,a"], "such as q1"),
    (["q1"], "cells per row")])
def test_tables_that_do_not_fit(tmp_path, lines, message):
    with pytest.raises(UserError, match=message):
        ranked_answers(TOY, table(tmp_path, *lines))


def test_other_faults(tmp_path):
    with pytest.raises(UserError, match="a readable csv file"):
        ranked_answers(TOY, tmp_path / "absent.csv")
    write_json(tmp_path / "r.json", ["no facts"])
    with pytest.raises(UserError, match="facts on the rankings"):
        ranked_answers(TOY, table(tmp_path, "q1,a"))


@pytest.mark.photographs
def test_a_real_submission_has_the_form(shared_data):
    path = shared_data / "gld" / "gldv2_retrieval_submission_sample.csv"
    rows = [(row["id"], row["images"].split()) for row in read_csv(path, ["id", "images"])]
    query, images = next((query, images) for query, images in rows if len(images) > 2)
    toy = Gldv2Benchmark("toy", (query,), tuple(images), {query: frozenset(images[1:2])}, {query: ""}, 0, "")
    assert ranked_answers(toy, path).of(query).labelled == [(images[1], 1)]
