"""What every protocol's results have in common."""

import pytest

from landmark_zoo.evaluation.answer import Answer
from landmark_zoo.evaluation.answers import Answers
from landmark_zoo.evaluation.card_facts import card_facts
from landmark_zoo.evaluation.gldv2 import Gldv2Benchmark
from landmark_zoo.evaluation.measured import measured

BENCHMARK = Gldv2Benchmark("toy", ("q1", "q2"), ("i0", "i1"), {"q1": frozenset({"i0"}), "q2": frozenset({"i1"})},
                           {"q1": "", "q2": ""}, 1, "1234")
FACTS = {**card_facts(None, None, "f"), "reranking": "none", "distractors": "none", "index_images": 2,
         "index_images_missing": 0}
RULES = {"protocol": "p", "average_precision": "a", "precision": "b", "junk": "none", "queries_used": 2,
         "queries_ignored": 0}


def results(depth, longest, crop="none, of this benchmark"):
    answers = Answers({"q1": Answer.of_ranking(["i1", "i0"], {"i0"})}, FACTS, longest)
    return measured(BENCHMARK, answers, "m", 0, values={"mAP": [0.5, float("nan")]}, per_query=[], depth=depth,
                    relevance=lambda query, image: "positive" if image == "i0" else "negative", crop=crop, **RULES)


@pytest.mark.parametrize(("depth", "longest", "said"), [
    (None, None, "the whole index"), (100, None, "100 places at most"), (None, 50, "50 places at most"),
    (100, 50, "50 places at most"), (50, 100, "50 places at most")])
def test_the_card_says_how_deep_rankings_were_looked_at(depth, longest, said):
    assert results(depth, longest).card.depth == said


def test_rankings_missing_queries_and_metrics():
    found = results(None, None)
    assert [(row[0], row[1], row[2], row[4]) for row in found.ranking] == [
        ("q1", 1, "i1", "negative"), ("q1", 2, "i0", "positive")]
    assert found.card.queries_missing == 1
    assert (found.metrics["mAP"]["value"], found.metrics["mAP"]["queries"]) == (0.5, 1)


def test_the_protocol_decides_over_what_the_embeddings_say():
    assert FACTS["crop"] == "not stated"
    assert results(None, None).card.crop == "none, of this benchmark"
