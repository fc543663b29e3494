import pytest

from landmark_zoo.core.errors import UserError
from landmark_zoo.data.datasets.gldv1 import gldv1, gldv1_urls, read_gldv1


@pytest.fixture
def tree(tmp_path):
    (tmp_path / "train.csv").write_text(
        '"id","url","landmark_id"\n"b1","http://x/b,_1","205"\n"a1","http://x/a","7"\n"a2","http://x","None"\n"c1","",7\n')
    (tmp_path / "train").mkdir()
    for name in ("a1", "b1", "a2"):
        (tmp_path / "train" / f"{name}.jpg").write_bytes(b"x")
    return tmp_path


def test_read_gldv1(tree):
    image_list = read_gldv1(tree)
    assert [(entry.id, entry.landmark_id) for entry in image_list] == [("a1", "7"), ("b1", "205")]
    assert image_list.entries[0].path == str(tree / "train" / "a1.jpg")


def test_rows_without_a_landmark_are_counted(tree, caplog):
    read_gldv1(tree)
    assert f"1 rows of {tree / 'train.csv'} name no landmark and are left out, first a2" in caplog.messages


def test_ids_with_their_suffix(tree):
    listed = (tree / "train.csv").read_text()
    (tree / "train.csv").write_text(listed.replace("a1", "a1.jpg"))
    first = read_gldv1(tree).entries[0]
    assert (first.id, first.path) == ("a1.jpg", str(tree / "train" / "a1.jpg"))


def test_dead_addresses_are_counted_or_refused(tree):
    assert read_gldv1(tree).missing == ("c1",)
    with pytest.raises(UserError, match="1 without one, first c1"):
        read_gldv1(tree, strict=True)


def test_read_gldv1_without_a_list(tmp_path):
    with pytest.raises(UserError, match=r"train\.csv"):
        read_gldv1(tmp_path)


def test_nothing_fetched_yet(tree):
    for path in (tree / "train").iterdir():
        path.unlink()
    with pytest.raises(UserError, match="received none"):
        read_gldv1(tree)


def test_real_rows(shared_data, tmp_path):
    sample = shared_data / "gld" / "gldv1_train_sample.csv"
    (tmp_path / "train.csv").write_bytes(sample.read_bytes())
    (tmp_path / "train").mkdir()
    (tmp_path / "train" / "85107e96e9ab5e7e.jpg").write_bytes(b"x")
    image_list = read_gldv1(tmp_path)
    assert [(entry.id, entry.landmark_id) for entry in image_list] == [("85107e96e9ab5e7e", "205")]


LINES = '"id","url","landmark_id"\n' + "".join(
    f'"{landmark}{n}","http://x/{landmark}{n}",{landmark}\n' for landmark, n in
    [("7", 0), ("7", 1), ("7", 2), ("3", 0), ("3", 1), ("9", 0), ("9", 1), ("None", 0), ("None", 1), ("None", 2), ("5", 0)])


@pytest.fixture
def root(tmp_path):
    (tmp_path / "train.csv").write_text(LINES)
    return tmp_path


def test_urls_of_all_landmarks(root):
    assert [address.id for address in gldv1_urls(root)] == ["70", "71", "72", "30", "31", "90", "91", "50"]
    assert gldv1().files == ()


def test_urls_of_some_landmarks(root):
    assert [address.id for address in gldv1_urls(root, top_classes=2)] == ["70", "71", "72", "30", "31"]
    assert [address.id for address in gldv1_urls(root, min_count=3)] == ["70", "71", "72"]


def test_urls_without_a_list(tmp_path):
    with pytest.raises(UserError, match="not published any more"):
        list(gldv1_urls(tmp_path))


@pytest.mark.photographs
def test_real_urls(shared_data, tmp_path):
    (tmp_path / "train.csv").write_bytes((shared_data / "gld/gldv1_train_sample.csv").read_bytes())
    addresses = list(gldv1_urls(tmp_path))
    assert len(addresses) > 1000
    assert all(address.host for address in addresses)
