import pytest

from landmark_zoo.core.errors import UserError
from landmark_zoo.data.tfds_builders.building_names import read_buildings, read_revisited

NAMES = ("all_souls_000013", "all_souls_000026", "christ_church_000179")


@pytest.fixture
def photos(put):
    return put(*(f"jpg/{name}.jpg" for name in NAMES))


def test_landmarks_are_in_the_names(photos):
    assert [entry.landmark_id for entry in read_buildings(photos)] == ["all_souls", "all_souls", "christ_church"]


def test_only_some(photos):
    catalogue = read_buildings(photos, {NAMES[0], "oxford_000001"})
    assert [entry.id for entry in catalogue] == [NAMES[0]]
    assert catalogue.missing == ("oxford_000001",)


def test_index_and_queries(photos, put_json):
    put_json("gnd_roxford5k.json", {"imlist": NAMES[:2], "qimlist": NAMES[2:], "gnd": []})
    parts = read_revisited(photos, "roxford5k")
    assert {split: [entry.id for entry in part] for split, part in parts.items()} == {
        "index": list(NAMES[:2]), "query": list(NAMES[2:])}


@pytest.mark.parametrize("facts", [None, {"imlist": []}, []])
def test_no_lists(photos, put_json, facts):
    if facts is not None:
        put_json("gnd_roxford5k.json", facts)
    with pytest.raises(UserError, match="gnd_roxford5k"):
        read_revisited(photos, "roxford5k")
