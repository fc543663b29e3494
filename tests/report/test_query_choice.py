import dataclasses

import pytest

from landmark_zoo.report.query_choice import changed_queries, choose_queries
from landmark_zoo.report.result import Answer


def test_best_worst_and_average(make_result):
    result = make_result(scores={f"q{number}": number / 10 for number in range(11)})
    chosen = choose_queries(result, 2)
    assert chosen == {"average": ["q5", "q4"], "best": ["q10", "q9"], "worst": ["q0", "q1"]}
    assert list(chosen) == ["average", "best", "worst"]


@pytest.mark.parametrize("queries", range(1, 8))
def test_no_query_is_chosen_twice(make_result, queries):
    chosen = choose_queries(make_result(scores={f"q{number}": number / 10 for number in range(queries)}), 2)
    everything = [query for part in chosen.values() for query in part]
    assert len(everything) == len(set(everything)) == min(queries, 6)


def test_few_queries_are_shared_out(make_result):
    chosen = choose_queries(make_result(scores={"a": 0.1, "b": 0.5, "c": 0.9}), 4)
    assert chosen == {"average": ["b"], "best": ["c"], "worst": ["a"]}


def test_ties_go_to_the_query_with_more_positives(make_result):
    result = make_result(scores={"a": 1.0, "b": 1.0, "c": 0.0}, positives={"a": 1, "b": 50, "c": 3})
    assert choose_queries(result, 1)["best"] == ["b"]


def test_queries_with_the_same_answers_come_after_others(make_result):
    result = make_result(scores={"a": 1.0, "a_again": 0.9, "b": 0.8, "c": 0.1})
    same = [Answer("shared", 1, 0.9, "easy")]
    result = dataclasses.replace(result, answers={**result.answers, "a": same, "a_again": same})
    assert choose_queries(result, 2)["best"] == ["a", "b"]
    assert choose_queries(result, 2)["worst"] == ["c", "a_again"], "filled up in order"


def test_queries_without_answers_are_left_out(make_result):
    result = make_result(scores={"a": 1.0, "b": 0.5}, answers={"b": [Answer("i", 1, 0.5, "negative")]})
    assert choose_queries(result, 2)["best"] == ["b"]


def test_no_query_at_all(make_result):
    assert choose_queries(make_result(answers={}), 3) == {"average": [], "best": [], "worst": []}


def test_changed_queries(make_result):
    before = make_result("before", {"up": 0.1, "more": 0.1, "same": 0.5, "down": 0.9, "gone": 0.0})
    after = make_result("after", {"up": 0.2, "more": 0.8, "same": 0.5, "down": 0.1, "new": 1.0})
    assert changed_queries(before, after, 3) == {"gained": ["more", "up"], "lost": ["down"]}
