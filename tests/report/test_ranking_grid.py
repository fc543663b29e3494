import pytest

from landmark_zoo.report.ranking_grid import ranking_grid
from landmark_zoo.report.result import Answer
from landmark_zoo.report.thumbnail import Thumbnails


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
    answers = {"q0": [Answer("i", 1, 0.5, relevance)]}
    assert 'class="frame positive"' in ranking_grid(["q0"], [make_result(answers=answers)], thumbnails)


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
