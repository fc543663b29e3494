from landmark_zoo.report.ranking_sections import ranking_sections
from landmark_zoo.report.thumbnail import Thumbnails

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
