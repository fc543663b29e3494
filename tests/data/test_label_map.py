import json
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from landmark_zoo.core.errors import UserError
from landmark_zoo.data.label_map import LabelMap

IDS = st.lists(st.one_of(st.integers(0, 10**6).map(str), st.text(string.ascii_letters + "/_", min_size=1)), min_size=1)


@given(IDS)
def test_labels_and_landmarks_are_one_to_one(ids):
    label_map = LabelMap(ids)
    assert [label_map.label(landmark) for landmark in label_map] == list(range(len(set(ids))))
    assert all(label_map.landmark_id(label_map.label(landmark)) == landmark for landmark in ids)


@given(IDS, st.randoms())
def test_order_of_the_ids_does_not_matter(ids, random):
    shuffled = random.sample(ids, len(ids))
    assert LabelMap(ids) == LabelMap(shuffled)
    assert LabelMap(ids).fingerprint == LabelMap(shuffled).fingerprint


@given(IDS)
def test_file_round_trip(tmp_path_factory, ids):
    path = tmp_path_factory.mktemp("map") / "label_map.json"
    LabelMap(ids).save(path)
    assert LabelMap.load(path) == LabelMap(ids)


def test_whole_numbers_sort_by_value_and_first():
    assert list(LabelMap(["10", "9", "b", "a", "100"])) == ["9", "10", "100", "a", "b"]


def test_other_ids_other_fingerprint():
    assert LabelMap(["a", "b"]).fingerprint != LabelMap(["a", "c"]).fingerprint
    assert LabelMap(["a b"]).fingerprint != LabelMap(["a", "b"]).fingerprint


def test_unknown_names_and_numbers_are_user_errors():
    label_map = LabelMap(["a", "b"])
    with pytest.raises(UserError, match="2 landmarks of the label map; received 'c'"):
        label_map.label("c")
    for label in (-1, 2):
        with pytest.raises(UserError, match=f"from 0 to 1; received {label}"):
            label_map.landmark_id(label)
    with pytest.raises(UserError, match="at least one landmark"):
        LabelMap([])


@pytest.mark.parametrize("change", [
    lambda facts: facts.update(landmark_ids=facts["landmark_ids"][::-1]),
    lambda facts: facts.update(landmark_ids=["a", "c"]),
    lambda facts: facts.pop("fingerprint"),
    lambda facts: facts.update(landmark_ids=None),
])
def test_a_changed_file_is_refused(tmp_path, change):
    path = tmp_path / "label_map.json"
    LabelMap(["a", "b"]).save(path)
    facts = json.loads(path.read_text())
    change(facts)
    path.write_text(json.dumps(facts))
    with pytest.raises(UserError):
        LabelMap.load(path)
