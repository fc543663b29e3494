import pytest

from export.options.card import CardOptions
from landmark_zoo.core.errors import UserError


def test_without_results():
    notes = CardOptions(licence="MIT").notes({"photographs": 3}, {"epochs": 2}, {})
    assert (notes.data, notes.recipe, notes.scores, notes.licence) == ({"photographs": 3}, {"epochs": 2}, [], "MIT")


def test_every_folder_has_to_hold_results(tmp_path):
    with pytest.raises(UserError, match=r"metrics\.json"):
        CardOptions(results=f"{tmp_path},").notes({}, {}, {})
