import json
from html.parser import HTMLParser

import numpy as np
import pytest
from PIL import Image

from landmark_zoo.core.errors import UserError
from landmark_zoo.core.files import write_json
from landmark_zoo.data.datasets.image_refs import ImageLocator
from landmark_zoo.report.report import write_recognition_page, write_report

VOID = {"meta", "img", "br", "link", "input", "hr"}


class Page(HTMLParser):
    """Checks that tags are closed in order and collects what they refer to."""

    def __init__(self, text):
        super().__init__()
        self.open, self.ids, self.links, self.images, self.tags, self.words = [], [], [], [], set(), []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attributes):
        self.tags.add(tag)
        attributes = dict(attributes)
        if tag not in VOID:
            self.open.append(tag)
        if "id" in attributes:
            self.ids.append(attributes["id"])
        if tag == "img":
            assert attributes["alt"]
            self.images.append(attributes["src"])
        self.links += [attributes[name] for name in ("href", "xlink:href", "data", "action") if name in attributes]

    def handle_startendtag(self, tag, attributes):
        self.handle_starttag(tag, attributes)
        if tag not in VOID:
            self.handle_endtag(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] != "style":
            self.words.append(data)


@pytest.fixture
def attention(tmp_path, find_image):
    folder = tmp_path / "attention"
    folder.mkdir()
    np.save(folder / "0.npy", np.eye(3, dtype=np.float32))
    (folder / "overlays.json").write_text(json.dumps(
        [{"image": str(find_image("any")), "title": "<b>", "maps": [{"name": "se", "file": "0.npy"}]}]))
    return folder


@pytest.fixture
def full(tmp_path, result_folder, workdir, make_manifest, find_image, attention):
    """The page with everything, every name of it hostile."""
    make_manifest({"<script>alert(1)</script>": 4, "b": 2})
    results = [result_folder("untrained", "r0", 0.25, queries=("<script>q</script>", "q1", "q2")),
               result_folder("<script>alert(2)</script>", "r1", 0.5, queries=("<script>q</script>", "q1", "q2"))]
    (workdir / "flags.json").write_text('{"--><script>": "</style><script>alert(3)</script>"}')
    return write_report(tmp_path / "out", results, workdir=workdir, records=tmp_path / "records", find_image=find_image,
                        attention=attention, title="</title><script>alert(4)</script>")


def test_it_parses_and_needs_nothing_else(full):
    text = full.read_text()
    page = Page(text)
    assert len(page.ids) == len(set(page.ids))
    assert all(source.startswith("data:image/jpeg;base64,") for source in page.images)
    assert all(link.startswith("#") and link[1:] in page.ids for link in page.links)
    assert not page.tags & {"script", "link", "iframe", "object", "embed"}
    assert "http://" not in text
    assert "https://" not in text
    assert full.name == "index.html"


def test_all_sections_and_strings_from_outside_as_they_are(full):
    page = Page(full.read_text())
    sections = ["scores", "average", "gained", "training", "landmarks", "attention", "protocol", "flags", "versions"]
    assert [f"#{anchor}" for anchor in sections] == [link for link in page.links if link[1:] in sections]
    assert set(sections) <= set(page.ids)
    words = " ".join(page.words)
    for text in ("</title><script>alert(4)</script>", "<script>alert(2)</script>", "<script>q</script>", "--><script>",
                 "</style><script>alert(3)</script>", "<script>alert(1)</script>"):
        assert text in words, "strings from outside are shown as they are"
    assert "1 picture not found" in words


def test_without_inputs_sections_are_left_out(tmp_path, result_folder):
    page = Page(write_report(tmp_path / "out", [result_folder()]).read_text())
    assert [link[1:] for link in page.links if not link.startswith("#bars") and not link.startswith("#spread")] == [
        "scores", "protocol", "versions"]
    assert page.images == []
    assert page.words[0] == "trained on toy"


def test_a_run_that_was_not_trained_has_no_charts_but_the_reason(tmp_path, result_folder):
    workdir = tmp_path / "run"
    workdir.mkdir()
    write_json(workdir / "model.json", {"config": {"model": "resnet50_se"}, "not_trained": "<few> landmarks"})
    (workdir / "history.jsonl").write_text("")
    page = Page(write_report(tmp_path / "out", [result_folder()], workdir=workdir).read_text())
    assert "Not trained; the export is the start: <few> landmarks." in page.words
    assert "#training" in page.links
    assert not [name for name in ("loss", "accuracy", "retrieval") if name in page.ids]


def test_the_numbers_are_those_of_the_files(tmp_path, result_folder):
    text = write_report(tmp_path / "out", [result_folder(score=0.43219)]).read_text()
    figures = json.loads((tmp_path / "trained" / "metrics.json").read_text())["metrics"]
    for metric in figures.values():
        value, low, high = (f"{100 * metric[key]:.1f}" for key in ("value", "low", "high"))
        assert f"<td>{value} <small>{low}–{high}</small></td>" in text


def test_stays_small_with_many_large_images(tmp_path, result_folder, find_image):
    queries = [f"q{number}" for number in range(60)]
    results = [result_folder("a", score=0.25, queries=queries), result_folder("b", score=0.5, queries=queries[::-1])]
    for folder in results:
        rows = (folder / "ranking.csv").read_text().splitlines()
        (folder / "ranking.csv").write_text("\n".join(
            [rows[0], *(row.replace(",i", f",{folder.name}{number}-i") for number, row in enumerate(rows[1:]))]))
    page = write_report(tmp_path / "out", results, find_image=find_image)
    assert len(Page(page.read_text()).images) > 200
    assert page.stat().st_size < 8e6


def test_no_results(tmp_path):
    with pytest.raises(UserError, match="at least one folder"):
        write_report(tmp_path / "out", [])


def test_a_failure_leaves_an_earlier_page_alone(tmp_path, result_folder):
    folder = result_folder()
    page = write_report(tmp_path / "out", [folder])
    before = page.read_bytes()
    (folder / "metrics.json").write_text("{")
    with pytest.raises(UserError, match=r"metrics\.json"):
        write_report(tmp_path / "out", [folder])
    assert page.read_bytes() == before
    assert [path.name for path in page.parent.iterdir()] == ["index.html"]


@pytest.mark.photographs
def test_real_images_are_found_and_shown(tmp_path, result_folder, shared_data):
    photos = sorted(path.stem for path in (shared_data / "photos" / "provence").rglob("*.jpg"))[:3]
    find = ImageLocator(shared_data / "photos").locate
    page = Page(write_report(tmp_path / "out", [result_folder(queries=photos)], find_image=find).read_text())
    assert len(page.images) == 3
    assert Image.open(find(photos[0])).size


def test_same_inputs_give_the_same_page(tmp_path, result_folder):
    folder = result_folder()
    first, second = (write_report(tmp_path / name, [folder]).read_bytes() for name in "ab")
    assert first == second


def test_tells_accuracy_and_what_is_taken_for_what(tmp_path):
    write_json(tmp_path / "run" / "flags.json", {"epochs": 3})
    facts = {"model": "vgg16_classifier", "part": "test", "accuracy": 0.875, "low": 0.5, "high": 1.0}
    page = write_recognition_page(tmp_path / "out", facts, np.array([[3, 1, 0], [0, 4, 0], [0, 0, 0]]),
                                  ["bridge", "tower", "unseen"], tmp_path / "run").read_text()
    assert "recognises 87.5 % of 8 photographs of the test part (95 % interval 50.0 to 100.0)" in page
    assert page.index("tower (1)") < page.index("100.0</td>")
    assert "unseen</th>" not in page
