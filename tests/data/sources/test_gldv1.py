import pytest

from landmark_zoo.core.errors import UserError
from landmark_zoo.data.sources.gldv1 import gldv1, gldv1_addresses

LINES = '"id","url","landmark_id"\n' + "".join(
    f'"{landmark}{n}","http://x/{landmark}{n}",{landmark}\n' for landmark, n in
    [("7", 0), ("7", 1), ("7", 2), ("3", 0), ("3", 1), ("9", 0), ("9", 1), ("None", 0), ("None", 1), ("None", 2), ("5", 0)])


@pytest.fixture
def root(tmp_path):
    (tmp_path / "train.csv").write_text(LINES)
    return tmp_path


def test_all_lines_but_those_without_a_landmark(root):
    assert [address.id for address in gldv1_addresses(root)] == ["70", "71", "72", "30", "31", "90", "91", "50"]
    assert gldv1().files == ()


def test_only_what_is_wanted_is_fetched(root):
    assert [address.id for address in gldv1_addresses(root, top_classes=2)] == ["70", "71", "72", "30", "31"]
    assert [address.id for address in gldv1_addresses(root, min_count=3)] == ["70", "71", "72"]


def test_no_list(tmp_path):
    with pytest.raises(UserError, match="not published any more"):
        list(gldv1_addresses(tmp_path))


@pytest.mark.photographs
def test_real_lines(shared_data, tmp_path):
    (tmp_path / "train.csv").write_bytes((shared_data / "gld/gldv1_train_sample.csv").read_bytes())
    addresses = list(gldv1_addresses(tmp_path))
    assert len(addresses) > 1000
    assert all(address.host for address in addresses)
