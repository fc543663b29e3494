"""Rankings as a table."""

import json

import pytest

from landmark_zoo.core.errors import UserError
from landmark_zoo.core.files import read_csv
from landmark_zoo.retrieval.write_rankings import write_rankings


def test_the_table_is_a_gldv2_submission(tmp_path):
    write_rankings(tmp_path, ["q1", "q2"], [["b", "a"], []], {"method": "tea"})
    assert list(read_csv(tmp_path / "rankings.csv", ["id", "images"])) == [
        {"id": "q1", "images": "b a"}, {"id": "q2", "images": ""}]
    assert json.loads((tmp_path / "rankings.json").read_text()) == {"method": "tea"}


def test_an_id_with_a_blank_is_refused(tmp_path):
    with pytest.raises(UserError, match="'my photo'"):
        write_rankings(tmp_path, ["q"], [["a", "my photo"]], {})
    assert not list(tmp_path.iterdir())


def test_one_ranking_per_query(tmp_path):
    with pytest.raises(ValueError, match="expected 2 rankings; received 1"):
        write_rankings(tmp_path, ["q1", "q2"], [["a"]], {})
