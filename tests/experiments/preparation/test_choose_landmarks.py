import pytest

from experiments.preparation.choose_landmarks import choose_landmarks
from landmark_zoo.core.errors import UserError
from landmark_zoo.data.catalogue import Catalogue, Entry

COUNTS = {"a": 5, "b": 4, "c": 3, "d": 1}
ALL = Catalogue(tuple(Entry(f"{name}{n}", "x.jpg", name) for name, count in COUNTS.items() for n in range(count)), "x")


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "index.csv").write_text("id\na1\n")
    (tmp_path / "test.csv").write_text("id\nzz\n")
    (tmp_path / "out.csv").write_text("landmark_id\nb\nunknown\n")
    (tmp_path / "train_clean.csv").write_text("landmark_id,images\na,a0\nb,b0\nc,c0\n")
    (tmp_path / "rgldv2_clean.csv").write_text("landmark_id,images\na,a0\nb,b0\n")
    return tmp_path


@pytest.mark.parametrize(("choice", "kept"), [
    ({}, "abcd"), ({"exclude_benchmark": "{}"}, "bcd"), ({"exclude": "{}/out.csv"}, "acd"), ({"exclude": "rgldv2"}, "abd"),
    ({"min_count": 2}, "abc"), ({"top_classes": 2}, "ab"),
    ({"exclude": "{}/out.csv", "exclude_benchmark": "{}", "top_classes": 1}, "c")])
def test_who_stays(folder, choice, kept):
    choice = {key: value.format(folder) if isinstance(value, str) else value for key, value in choice.items()}
    assert "".join(sorted(choose_landmarks(ALL, folder, **choice).landmark_counts)) == kept


def test_nobody_stays(folder):
    with pytest.raises(UserError, match="none"):
        choose_landmarks(ALL, folder, min_count=6)
