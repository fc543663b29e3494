import dataclasses

from landmark_zoo.data.analysis.collection import Collection
from landmark_zoo.data.analysis.findings import find
from landmark_zoo.report.analysis.headline import headline


def test_says_how_much_and_what_is_wrong(findings):
    html = headline(findings)
    assert "6 photographs of 3 landmarks from photos/wonders. 1 photograph (16.7 %) cannot be read" in html
    assert "1 photograph has a near-duplicate among the benchmark&#x27;s photographs; none should be trained on." in html
    for number, what in (("20.0 %", "are grey"), ("2", "have a near-duplicate in their part"),
                         ("1", "are in the benchmark too"), ("1", "look more like another landmark")):
        assert f"<strong>{number}</strong><span>{what}</span>" in html


def test_says_less_where_less_was_asked(made):
    collection = Collection([made.part("train", [made.encoded(0)], ["<i>"])], 1)
    html = headline(dataclasses.replace(find(["<script>"], collection)))
    assert "1 photograph of 1 landmark from &lt;script&gt;. All can be read." in html
    assert "benchmark" not in html
    assert "another landmark" not in html
