import pytest

from landmark_zoo.core.errors import UserError
from landmark_zoo.data.sources.rgldv2 import overlapping_landmarks


@pytest.fixture
def root(tmp_path):
    (tmp_path / "train_clean.csv").write_text("landmark_id,images\n1,a b\n2,c\n3,d\n")
    return tmp_path


def test_what_the_revised_list_lacks(root):
    (root / "rgldv2_clean.csv").write_text("landmark_id,images\n1,a b\n3,d\n")
    assert overlapping_landmarks(root) == {"2"}


@pytest.mark.parametrize(("text", "complaint"), [
    (None, "Download it from https://github.com/dealicious-inc"),
    ("landmark_id,images\n1,a\n2,c\n3,d\n", "all of them"),
    ("landmark_id,images\n1,a\n77,c\n", "1 others"),
    ("<html>\n", "column landmark_id"),
])
def test_lists_that_are_not_it(root, text, complaint):
    if text:
        (root / "rgldv2_clean.csv").write_text(text)
    with pytest.raises(UserError, match=complaint):
        overlapping_landmarks(root)
