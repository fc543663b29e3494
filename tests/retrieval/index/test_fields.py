import pytest

from landmark_zoo.core.errors import UserError
from landmark_zoo.retrieval.index.fields import checked_fields, checked_where


def test_fields_left_out_are_empty_texts():
    assert checked_fields({"source": ["a", "b"]}, 2) == {"landmark": ["", ""], "source": ["a", "b"]}
    assert checked_fields(None, 1) == {"landmark": [""], "source": [""]}


def test_one_text_is_a_list_of_one():
    assert checked_where({"landmark": "7", "source": ["a", "b"]}) == {"landmark": ["7"], "source": ["a", "b"]}
    assert checked_where(None) == {}


def test_refusals():
    with pytest.raises(ValueError, match="Expected 2 strings for the field landmark; received 1"):
        checked_fields({"landmark": ["1"]}, 2)
    with pytest.raises(ValueError, match="strings for the field landmark"):
        checked_fields({"landmark": [1]}, 1)
    with pytest.raises(UserError, match="landmark or source; received 'year'"):
        checked_where({"year": "1900"})
