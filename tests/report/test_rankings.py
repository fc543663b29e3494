import dataclasses

import pytest

from landmark_zoo.evaluation.results import RankedImage
from landmark_zoo.report.html import Thumbnails
from landmark_zoo.report.rankings import changed_queries, choose_queries, ranking_grid, ranking_sections


@pytest.fixture
def thumbnails(find_image):
    return Thumbnails(find_image, side=32)


def test_frames_tell_right_from_wrong_from_junk(make_result, thumbnails):
    html = ranking_grid(["q1"], [make_result()], thumbnails)
    assert html.count('class="frame positive"') == html.count("✓") == 1
    assert html.count('class="frame negative"') == html.count("✗") == 1
    assert html.count('class="frame junk"') == 1
    assert html.count("query-frame") == 1
    assert "AP 50.0 % · 2 positives in the index" in html
    assert "<code>q1</code>" in html
    assert 'alt="rank 2: wrong, negative, score 0.800"' in html


@pytest.mark.parametrize("relevance", ["easy", "hard"])
def test_easy_and_hard_are_right(make_result, thumbnails, relevance):
    answers = {"q0": [RankedImage("i", 1, 0.5, relevance)]}
    assert 'class="frame positive"' in ranking_grid(["q0"], [make_result(ranking=answers)], thumbnails)


def test_two_systems_below_each_other(make_result, thumbnails):
    systems = [make_result("old", {"q": 0.25}, positives={"q": 1}), make_result("<new>", {"q": 0.75})]
    html = ranking_grid(["q"], systems, thumbnails)
    assert html.count("query-frame") == 1
    assert html.count('class="strip"') == 2
    assert html.index("<b>old</b> · AP 25.0 % · 1 positive in") < html.index("<b>&lt;new&gt;</b> · AP 75.0 %")


def test_ids_are_escaped(make_result, thumbnails):
    query = "<script>q</script>"
    html = ranking_grid([query], [make_result(scores={query: 0.5})], thumbnails)
    assert "<script>" not in html


SCORES = {f"q{number:02d}": number / 20 for number in range(20)}


def sections(results, find_image):
    return {anchor: html for anchor, _, html in ranking_sections(results, Thumbnails(find_image, side=32))}


def test_one_system_shows_average_best_and_worst(make_result, find_image):
    shown = sections([make_result(scores=SCORES)], find_image)
    assert list(shown) == ["average", "best", "worst"]
    assert "<code>q19</code>" in shown["best"]
    assert "<code>q00</code>" in shown["worst"]
    assert all(html.count("query-frame") == 4 for html in shown.values())


def test_two_systems_show_what_changed(make_result, find_image):
    after = {**SCORES, "q00": 1.0, "q19": 0.0}
    shown = sections([make_result("a", SCORES), make_result("b", after)], find_image)
    assert list(shown) == ["average", "best", "worst", "gained", "lost"]
    assert "<code>q00</code>" in shown["gained"]
    assert "<code>q19</code>" in shown["lost"]
    assert shown["lost"].count('class="strip"') == 2


def test_nothing_lost_is_no_section(make_result, find_image):
    after = {query: min(1, score + 0.1) for query, score in SCORES.items()}
    assert "lost" not in sections([make_result("a", SCORES), make_result("b", after)], find_image)


def test_another_benchmark_is_not_compared(make_result, find_image):
    shown = sections([make_result("a", SCORES, benchmark="other"), make_result("b", SCORES)], find_image)
    assert "gained" not in shown


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
    same = [RankedImage("shared", 1, 0.9, "easy")]
    result = dataclasses.replace(result, ranking={**result.ranking, "a": same, "a_again": same})
    assert choose_queries(result, 2)["best"] == ["a", "b"]
    assert choose_queries(result, 2)["worst"] == ["c", "a_again"], "filled up in order"


def test_queries_without_answers_are_left_out(make_result):
    result = make_result(scores={"a": 1.0, "b": 0.5}, ranking={"b": [RankedImage("i", 1, 0.5, "negative")]})
    assert choose_queries(result, 2)["best"] == ["b"]


def test_no_query_at_all(make_result):
    assert choose_queries(make_result(ranking={}), 3) == {"average": [], "best": [], "worst": []}


def test_changed_queries(make_result):
    before = make_result("before", {"up": 0.1, "more": 0.1, "same": 0.5, "down": 0.9, "gone": 0.0})
    after = make_result("after", {"up": 0.2, "more": 0.8, "same": 0.5, "down": 0.1, "new": 1.0})
    assert changed_queries(before, after, 3) == {"gained": ["more", "up"], "lost": ["down"]}
