import pytest

from landmark_zoo.core.errors import UserError
from landmark_zoo.data.catalogue import Entry
from landmark_zoo.data.photograph_list import read_photograph_list, write_photograph_list

ENTRIES = [Entry("a", "/photos/a, b.jpg", "Château"), Entry("b", "/photos/b.jpg", "7")]


def test_round_trip(tmp_path):
    write_photograph_list(tmp_path, ENTRIES, [(40, 60), None])
    assert read_photograph_list(tmp_path) == ENTRIES
    assert (tmp_path / "photographs.csv").read_text().splitlines()[1:] == [
        'a,"/photos/a, b.jpg",Château,40,60', "b,/photos/b.jpg,7,,"]


def test_no_list(tmp_path):
    with pytest.raises(UserError, match=r"photographs\.csv"):
        read_photograph_list(tmp_path)
