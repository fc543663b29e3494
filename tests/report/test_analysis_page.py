import csv
import dataclasses
import re

from landmark_zoo.data.analysis.collection import Collection
from landmark_zoo.data.analysis.findings import analyze_collection
from landmark_zoo.report.analysis_page import headline, parts, write_analysis_page, write_lists


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
    html = write_analysis_page(tmp_path, analyze_collection(["a", "b"], collection)).read_text()
    assert "What a, b are like" in html
    assert "No landmarks are named." in html


def test_says_how_much_and_what_is_wrong(findings):
    html = headline(findings)
    assert "6 photographs of 3 landmarks from photos/wonders. 1 photograph (16.7 %) cannot be read" in html
    assert "1 photograph has a near-duplicate among the benchmark&#x27;s photographs; none should be trained on." in html
    for number, what in (("20.0 %", "are grey"), ("2", "have a near-duplicate in their part"),
                         ("1", "are in the benchmark too"), ("1", "look more like another landmark")):
        assert f"<strong>{number}</strong><span>{what}</span>" in html


def test_says_less_where_less_was_asked(made):
    collection = Collection([made.part("train", [made.encoded(0)], ["<i>"])], 1)
    html = headline(dataclasses.replace(analyze_collection(["<script>"], collection)))
    assert "1 photograph of 1 landmark from &lt;script&gt;. All can be read." in html
    assert "benchmark" not in html
    assert "another landmark" not in html


def test_a_row_for_each_part_and_the_reasons(findings):
    html = parts(findings.collection)
    cells = "</td><td>".join(["6", "3", "1", "1", "20.0 %", "64"])
    assert f'<th scope="row">train</th><td>{cells}</td>' in html
    assert '<th scope="row">queries</th><td>1</td><td>0</td>' in html
    assert '<th scope="row">empty file</th><td>1</td>' in html


def rows(path):
    with open(path, encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_everything_that_the_page_shows_in_part(findings, tmp_path):
    write_lists(tmp_path, findings)
    assert [(row["part"], row["id"], row["other_part"], row["other_id"], row["bits"]) for row in
            rows(tmp_path / "duplicates.csv")] == [("train", "train0", "train", "train1", "0"),
                                                   ("train", "train3", "index", "index0", "0")]
    assert rows(tmp_path / "unreadable.csv") == [{"part": "train", "id": "train4", "reason": "empty file"}]
    noise = rows(tmp_path / "noise.csv")
    assert [row["id"] for row in noise] == ["train2", "train3", "train4", "train1", "train0"]
    assert noise[1] == {"part": "train", "id": "train3", "landmark": "<b>gate</b>", "strangeness": "0.4000",
                        "disagreement": "1.00", "likelier_landmark": "set/taj_mahal"}


def test_without_embeddings_there_is_no_list_of_noise(findings, tmp_path):
    write_lists(tmp_path, dataclasses.replace(findings, judged=None))
    assert not (tmp_path / "noise.csv").exists()
