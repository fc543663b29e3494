import re

from landmark_zoo.data.analysis.collection import Collection
from landmark_zoo.data.analysis.findings import find
from landmark_zoo.report.analysis.page import write_analysis_page


def test_one_file_that_loads_nothing_and_is_the_same_again(findings, tmp_path):
    html = write_analysis_page(tmp_path, findings).read_text()
    assert "<h1>What wonders is like</h1>" in html
    assert not re.search(r'(?:src|href)="(?!data:|#)', html)
    assert "<b>gate" not in html
    assert "<Chad>" not in html
    for anchor in ("landmarks", "noise", "duplicates", "colours", "sizes", "when", "examples", "parts"):
        assert f'<section id="{anchor}">' in html
        assert f'href="#{anchor}"' in html
    assert write_analysis_page(tmp_path / "again", findings).read_text() == html


def test_the_least_there_can_be(made, tmp_path):
    collection = Collection([made.part("train", [made.encoded(0)])], 1)
    html = write_analysis_page(tmp_path, find(["a", "b"], collection)).read_text()
    assert "What a, b are like" in html
    assert "No landmarks are named." in html
