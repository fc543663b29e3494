import pytest

from landmark_zoo.core.errors import UserError
from landmark_zoo.data.gldv1 import read_gldv1


@pytest.fixture
def tree(tmp_path):
    (tmp_path / "train.csv").write_text(
        '"id","url","landmark_id"\n"b1","http://x/b,_1","205"\n"a1","http://x/a","7"\n"a2","http://x","None"\n"c1","",7\n')
    (tmp_path / "train").mkdir()
    for name in ("a1", "b1", "a2"):
        (tmp_path / "train" / f"{name}.jpg").write_bytes(b"x")
    return tmp_path


def test_reads_the_quoted_list_without_pictures_that_show_no_landmark(tree):
    catalogue = read_gldv1(tree)
    assert [(entry.id, entry.landmark_id) for entry in catalogue] == [("a1", "7"), ("b1", "205")]
    assert catalogue.entries[0].path == str(tree / "train" / "a1.jpg")


def test_dead_addresses_are_counted_or_refused(tree):
    assert read_gldv1(tree).missing == ("c1",)
    with pytest.raises(UserError, match="1 without one, first c1"):
        read_gldv1(tree, strict=True)


def test_no_list(tmp_path):
    with pytest.raises(UserError, match=r"train\.csv"):
        read_gldv1(tmp_path)


def test_nothing_fetched_yet(tree):
    for path in (tree / "train").iterdir():
        path.unlink()
    with pytest.raises(UserError, match="received none"):
        read_gldv1(tree)


def test_the_real_rows(shared_data, tmp_path):
    sample = shared_data / "gld" / "gldv1_train_sample.csv"
    (tmp_path / "train.csv").write_bytes(sample.read_bytes())
    (tmp_path / "train").mkdir()
    (tmp_path / "train" / "85107e96e9ab5e7e.jpg").write_bytes(b"x")
    catalogue = read_gldv1(tmp_path)
    assert [(entry.id, entry.landmark_id) for entry in catalogue] == [("85107e96e9ab5e7e", "205")]
