import dataclasses

import numpy as np

from landmark_zoo.data.analysis.collection import Collection
from landmark_zoo.data.analysis.findings import find
from landmark_zoo.data.analysis.near_duplicates import Pairs
from landmark_zoo.report.analysis.duplicates import duplicates


def test_pairs_between_parts_are_counted_and_shown(findings):
    html = duplicates(findings)
    assert "1 pair lies in two parts." in html
    assert '<th scope="row">train and index</th><td>1</td><td>1</td><td>1</td>' in html
    assert "train and index, 0 bits" in html


def test_groups_within_a_part_name_their_landmark(findings):
    html = duplicates(findings)
    assert "2 pictures form 1 group of two. No groups go across landmarks." in html
    assert "taj mahal, 0 bits" in html


def test_a_picture_with_two_labels_is_said(findings):
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
    html = duplicates(find(["x"], Collection([copies, made.part("index", [made.encoded(0)])], 1)))
    assert '<th scope="row">train and index</th><td>1</td><td>3</td><td>1</td>' in html
    assert "3 pictures form 1 group, the largest of 3." in html
