import pytest

from landmark_zoo.data.doctor.checks.label_map import label_map

FACTS = {"landmark_ids": ["2", "10", "x"], "class_counts": [1, 2, 3], "num_classes": 3, "num_examples": 6,
         "shards": [{"examples": 4}, {"examples": 2}]}


def test_sound():
    assert list(label_map(FACTS)) == []


@pytest.mark.parametrize(("change", "text"), [
    ({"landmark_ids": ["2", "2", "x"]}, "the label map has '2' twice"),
    ({"landmark_ids": ["10", "2", "x"]}, "the label map is not in sorted order"),
    ({"num_classes": 4}, "4 labels stated, 3 in the label map, 3 counted"),
    ({"class_counts": [1, 2, 4]}, "6 records stated, 6 in the files, 7 of all labels")])
def test_contradictions(change, text):
    assert list(label_map(FACTS | change)) == [text]
