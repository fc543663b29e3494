import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from landmark_zoo.core.files import write_csv
from landmark_zoo.data.analysis.collection import Collection, MeasuredImages
from landmark_zoo.data.analysis.findings import analyze_collection, class_balance, read_countries
from landmark_zoo.data.analysis.images import ImageSplit
from landmark_zoo.data.analysis.measures import MEASURES


def collection():
    table = np.zeros(4, MEASURES)
    table["readable"] = [True, False, True, True]
    table["hash"] = [7, 0, 2**50, 7]
    images = ImageSplit("train", list("pqrs"), ["a", "a", "b", "b"], [], lambda number: b"")
    return Collection([MeasuredImages(images, table, {1: "empty file"})], 1)


def test_analyze_collection_skips_unreadable_images():
    findings = analyze_collection(["x"], collection())
    found = [column.tolist() for column in findings.pairs]
    assert found == [[0, 0], [3, 2], [0, 4]], "an equal one is paired with the first only"
    assert findings.balance.landmarks == ("a", "b")
    assert findings.judged is None
    assert findings.countries == []


def test_country_of_image_or_landmark():
    findings = analyze_collection(["x"], collection(), None, {"q": "Chad", "b": "Peru"})
    assert findings.countries == ["", "Chad", "Peru", "Peru"]


def test_class_balance_order():
    balance = class_balance(["b", "a", "c", "c", "", "c", "d"])
    assert balance.landmarks == ("c", "a", "b", "d")
    assert balance.counts.tolist() == [3, 1, 1, 1]
    assert balance.head == 1
    assert balance.at_most(1) == 3


def test_class_balance_without_landmarks():
    balance = class_balance(["", ""])
    assert (balance.landmarks, balance.head, balance.at_most(9)) == ((), 0, 0)


@given(st.lists(st.sampled_from("abcdefg"), min_size=1))
def test_head_is_the_fewest_landmarks_with_half_of_the_images(landmarks):
    balance = class_balance(landmarks)
    assert 2 * balance.counts[:balance.head].sum() >= len(landmarks)
    assert 2 * balance.counts[:balance.head - 1].sum() < len(landmarks)


def test_read_countries_of_a_csv_file(tmp_path):
    write_csv(tmp_path / "photos.csv", ["id", "path", "landmark", "country"], [("p", "", "", "Peru"), ("q", "", "", " ")])
    assert read_countries(tmp_path / "photos.csv") == {"p": "Peru"}


def test_read_countries_of_a_folder(tmp_path):
    write_csv(tmp_path / "train.csv", ["id", "url", "landmark_id"], [("p", "", "7")])
    write_csv(tmp_path / "countries.csv", ["landmark_id", "country"], [("7", "Peru"), ("8", "Chad")])
    (tmp_path / "notes.csv").write_bytes(b"nom;pays\n\xc9glise;France\n")
    assert read_countries(tmp_path) == {"7": "Peru", "8": "Chad"}


def test_read_countries_without_a_table(tmp_path):
    write_csv(tmp_path / "photos.csv", ["id", "path", "landmark"], [("p", "", "")])
    (tmp_path / "empty.csv").write_text("")
    assert read_countries(tmp_path / "photos.csv") == read_countries(tmp_path) == {}
