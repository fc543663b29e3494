import base64
import dataclasses
import io
import re

import numpy as np
from PIL import Image

from landmark_zoo.data.analysis.collection import Collection
from landmark_zoo.data.analysis.findings import analyze_collection
from landmark_zoo.data.analysis.near_duplicates import Pairs
from landmark_zoo.report import analysis_images as module
from landmark_zoo.report.analysis_images import (
    MAX_BYTES,
    colors,
    duplicates,
    examples,
    image_groups,
    image_sheet,
    image_tile,
    noise,
)


def test_pairs_between_parts_are_counted_and_shown(findings):
    html = duplicates(findings)
    assert "1 pair lies in two parts." in html
    assert '<th scope="row">train and index</th><td>1</td><td>1</td><td>1</td>' in html
    assert "train and index, 0 bits" in html


def test_groups_within_a_part_name_their_landmark(findings):
    html = duplicates(findings)
    assert "2 pictures form 1 group of two. No groups go across landmarks." in html
    assert "taj mahal, 0 bits" in html


def test_an_image_with_two_labels_is_said(findings):
    pairs = Pairs(np.array([0, 0]), np.array([1, 3]), np.array([0, 6]))
    html = duplicates(dataclasses.replace(findings, pairs=pairs))
    assert "3 pictures form 1 group, the largest of 3. 1 group goes across landmarks: one picture with two labels." in html
    assert "taj mahal and b&gt;, 0 bits" in html
    assert "No picture of one part is nearly the same as one of another." in html


def test_none_at_all(findings):
    none = Pairs(*(np.zeros(0, np.int64),) * 3)
    assert duplicates(dataclasses.replace(findings, pairs=none)) == "<p>No two pictures are nearly the same.</p>"


def test_copies_count_one_by_one(made):
    copies = made.part("train", [made.encoded(0)] * 3, ["a"] * 3)
    html = duplicates(analyze_collection(["x"], Collection([copies, made.part("index", [made.encoded(0)])], 1)))
    assert '<th scope="row">train and index</th><td>1</td><td>3</td><td>1</td>' in html
    assert "3 pictures form 1 group, the largest of 3." in html


def test_the_strangest_and_the_most_disputed_come_first(findings):
    html = noise(findings)
    strange, disputed = html.split("More like another landmark")
    assert [strange.index(f'title="train{number}"') for number in (2, 3, 1, 0)] == sorted(
        strange.index(f'title="train{number}"') for number in (2, 3, 1, 0))
    assert "taj mahal, 0.50" in strange
    assert disputed.index('title="train3"') < disputed.index('title="train2"')
    assert "b&gt; → taj mahal" in disputed
    assert "1 photograph (16.7 %)" in disputed
    assert 'title="train0"' not in disputed
    assert "1 photograph could not be judged, alone of a landmark." in strange


def test_without_embeddings_it_says_what_is_needed(findings):
    assert "--savedmodel" in noise(dataclasses.replace(findings, judged=None))


def test_each_landmark_with_its_readable_images(findings):
    html = examples(findings, np.random.default_rng(0))
    assert "photographs of each landmark." in html
    assert "taj mahal, 3 photographs" in html
    assert "lone, 1 photograph<" in html
    assert html.count("<img") == 5
    assert "index0" not in html


def test_of_many_landmarks_some_by_the_seed(findings, monkeypatch):
    monkeypatch.setattr(module, "LANDMARKS", 1)
    seen = {examples(findings, np.random.default_rng(seed)) for seed in (0, 0, 1, 2, 3, 4)}
    assert 1 < len(seen) <= 3
    assert all("1 of 3 landmarks, drawn at random" in html for html in seen)


def test_counts_and_shows_what_has_no_color(findings):
    html = colors(findings, np.random.default_rng(0))
    assert "1 photograph of 5 (20.0 %) is grey, 0 more (0 %) almost so" in html
    assert html.count("<img") == 1
    assert 'title="train2"' in html
    assert "taj mahal" in html
    assert "Almost grey" not in html


def test_an_image_is_inside_and_small(findings):
    html = image_tile(findings.collection, 2)
    data = base64.b64decode(re.search(r'src="data:image/jpeg;base64,([^"]+)"', html)[1])
    assert Image.open(io.BytesIO(data)).size == (64, 48)
    assert len(data) <= MAX_BYTES
    assert 'title="train2"' in html


def test_a_broken_image_is_a_field_with_its_id(findings):
    assert image_tile(findings.collection, 4) == ('<span class="missing" role="img" aria-label="train4, picture missing">'
                                               "train4</span>")


def test_captions_are_escaped(findings):
    for html in (image_sheet(findings.collection, [(0, "<b>x</b>")]),
                 image_groups(findings.collection, [([0, 1], "<b>x</b>")])):
        assert "<figcaption>&lt;b&gt;x&lt;/b&gt;</figcaption>" in html


def test_nothing_to_show_is_nothing(findings):
    assert image_sheet(findings.collection, []) == image_groups(findings.collection, []) == ""
