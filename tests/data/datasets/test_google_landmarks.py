
import pytest

from landmark_zoo.core.errors import UserError
from landmark_zoo.data.datasets.google_landmarks import (
    gldv1,
    gldv1_urls,
    gldv2,
    gldv2_benchmark,
    gldv2_path,
    overlapping_landmarks,
    read_gldv1,
    read_gldv2,
)

IDS = {"0a1b000000000001": "7", "0a1b000000000002": "7", "ffe0000000000003": "12", "12e0000000000004": "300"}


@pytest.fixture
def tree(tmp_path):
    rows = "".join(f'{image_id},"http://x/{image_id},_a.jpg",{landmark}\n' for image_id, landmark in IDS.items())
    (tmp_path / "train.csv").write_text("id,url,landmark_id\n" + rows)
    (tmp_path / "train_clean.csv").write_text(
        "landmark_id,images\n7,0a1b000000000001 0a1b000000000002\n12,ffe0000000000003\n")
    for image_id in IDS:
        path = tmp_path / "train" / image_id[0] / image_id[1] / image_id[2] / f"{image_id}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")
    return tmp_path


def test_full_list(tree):
    image_list = read_gldv2(tree)
    assert {entry.id: entry.landmark_id for entry in image_list} == IDS
    assert [entry.id for entry in image_list] == sorted(IDS)
    assert image_list.entries[0].path == str(tree / "train/0/a/1/0a1b000000000001.jpg")
    assert image_list.missing == ()


def test_ids_with_their_suffix(tree):
    listed = (tree / "train.csv").read_text()
    (tree / "train.csv").write_text(listed.replace('0000001,"', '0000001.jpg,"'))
    first = read_gldv2(tree).entries[0]
    assert (first.id, first.path) == (
        "0a1b000000000001.jpg", str(tree / "train/0/a/1/0a1b000000000001.jpg"))


def test_clean_list_is_a_part_of_it(tree):
    assert read_gldv2(tree, clean=True).landmark_counts == {"7": 2, "12": 1}


def test_lists_may_carry_the_release_and_kaggles_columns(tree):
    (tree / "train_clean.csv").rename(tree / "train_clean_v2.1.csv")
    (tree / "train.csv").unlink()
    rows = "".join(f"{image_id},{landmark}\n" for image_id, landmark in IDS.items())
    (tree / "train_v2.1.csv").write_text("id,landmark_id\n" + rows)
    assert len(read_gldv2(tree)) == 4
    assert len(read_gldv2(tree, clean=True)) == 3


def test_missing_images_are_counted_unless_strict(tree):
    (tree / "train/f/f/e/ffe0000000000003.jpg").unlink()
    (tree / "train/1/2/e/12e0000000000004.jpg").rename(tree / "train/1/2/e/other.jpg")
    image_list = read_gldv2(tree)
    assert set(image_list.missing) == {"ffe0000000000003", "12e0000000000004"}
    assert image_list.landmark_counts == {"7": 2}
    with pytest.raises(UserError, match="2 without one, first 12e0000000000004"):
        read_gldv2(tree, strict=True)


def test_no_image_at_all_is_a_user_error(tree):
    (tree / "train").rename(tree / "elsewhere")
    with pytest.raises(UserError, match="received none"):
        read_gldv2(tree)


def test_an_id_that_leads_out_of_the_folder(tree):
    with (tree / "train.csv").open("a") as file:
        file.write("/../../x,u,12\n")
    with pytest.raises(UserError, match="lie below its folder"):
        read_gldv2(tree)


def test_a_clean_id_that_the_full_list_does_not_know(tree):
    with (tree / "train_clean.csv").open("a") as file:
        file.write("12,abcdef0000000000\n")
    with pytest.raises(UserError, match="1 others, first abcdef0000000000"):
        read_gldv2(tree, clean=True)


@pytest.mark.parametrize("clean", [False, True])
def test_an_id_that_occurs_twice(tree, clean):
    with (tree / ("train_clean.csv" if clean else "train.csv")).open("a") as file:
        file.write("12,0a1b000000000001\n" if clean else "0a1b000000000001,u,9\n")
    with pytest.raises(UserError, match="0a1b000000000001 twice"):
        read_gldv2(tree, clean=clean)


def test_missing_list_and_column(tree):
    (tree / "train_clean.csv").unlink()
    with pytest.raises(UserError, match=r"train_clean\.csv or train_clean_v2\.1\.csv"):
        read_gldv2(tree, clean=True)
    (tree / "train.csv").write_text("id,url\na,b\n")
    with pytest.raises(UserError, match="column landmark_id"):
        read_gldv2(tree)


def test_landmarks_with_very_many_images(tree):
    (tree / "train.csv").write_text("id,url,landmark_id\n" + "".join(f"{i:016x},u,1\n" for i in range(10_000)))
    (tree / "train_clean.csv").write_text(
        "landmark_id,images\n1," + " ".join(f"{i:016x}" for i in range(10_000)) + "\n")
    path = tree / "train/0/0/0/0000000000000000.jpg"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"x")
    assert len(read_gldv2(tree, clean=True).missing) == 9_999


def test_gldv2_path():
    assert gldv2_path("root/train", "0a1b000000000001") == "root/train/0/a/1/0a1b000000000001.jpg"


BASE = "https://s3.amazonaws.com/google-landmark"


def test_training_archives():
    files = gldv2("gldv2").files
    archives = [file for file in files if file.unpack_to]
    assert len(archives) == 500
    assert archives[0].url == f"{BASE}/train/images_000.tar"
    assert archives[499].url == f"{BASE}/train/images_499.tar"
    assert archives[7].md5_url == f"{BASE}/md5sum/train/md5.images_007.txt"
    assert {file.unpack_to for file in archives} == {"gldv2/train"}
    assert {f"{BASE}/metadata/train.csv", f"{BASE}/metadata/train_clean.csv"} < {file.url for file in files}
    assert gldv2("gldv2_clean").files == files


def test_benchmark_archives():
    files = gldv2_benchmark().files
    assert sum(file.unpack_to == "gldv2/index" for file in files) == 100
    assert sum(file.unpack_to == "gldv2/test" for file in files) == 20
    assert f"{BASE}/ground_truth/retrieval_solution_v2.1.csv" in {file.url for file in files}


@pytest.fixture
def root(tmp_path):
    (tmp_path / "train_clean.csv").write_text("landmark_id,images\n1,a b\n2,c\n3,d\n")
    return tmp_path


def test_overlapping_landmarks(root):
    (root / "rgldv2_clean.csv").write_text("landmark_id,images\n1,a b\n3,d\n")
    assert overlapping_landmarks(root) == {"2"}


@pytest.mark.parametrize(("text", "complaint"), [
    (None, "Download it from https://github.com/dealicious-inc"),
    ("landmark_id,images\n1,a\n2,c\n3,d\n", "all of them"),
    ("landmark_id,images\n1,a\n77,c\n", "1 others"),
    ("<html>\n", "column landmark_id"),
])
def test_overlapping_landmarks_of_wrong_lists(root, text, complaint):
    if text:
        (root / "rgldv2_clean.csv").write_text(text)
    with pytest.raises(UserError, match=complaint):
        overlapping_landmarks(root)


@pytest.fixture
def first_tree(tmp_path):
    (tmp_path / "train.csv").write_text(
        '"id","url","landmark_id"\n"b1","http://x/b,_1","205"\n"a1","http://x/a","7"\n"a2","http://x","None"\n"c1","",7\n')
    (tmp_path / "train").mkdir()
    for name in ("a1", "b1", "a2"):
        (tmp_path / "train" / f"{name}.jpg").write_bytes(b"x")
    return tmp_path


def test_read_gldv1(first_tree):
    image_list = read_gldv1(first_tree)
    assert [(entry.id, entry.landmark_id) for entry in image_list] == [("a1", "7"), ("b1", "205")]
    assert image_list.entries[0].path == str(first_tree / "train" / "a1.jpg")


def test_rows_without_a_landmark_are_counted(first_tree, caplog):
    read_gldv1(first_tree)
    assert f"1 rows of {first_tree / 'train.csv'} name no landmark and are left out, first a2" in caplog.messages


def test_ids_of_the_first_list_with_their_suffix(first_tree):
    listed = (first_tree / "train.csv").read_text()
    (first_tree / "train.csv").write_text(listed.replace("a1", "a1.jpg"))
    first = read_gldv1(first_tree).entries[0]
    assert (first.id, first.path) == ("a1.jpg", str(first_tree / "train" / "a1.jpg"))


def test_dead_addresses_are_counted_or_refused(first_tree):
    assert read_gldv1(first_tree).missing == ("c1",)
    with pytest.raises(UserError, match="1 without one, first c1"):
        read_gldv1(first_tree, strict=True)


def test_read_gldv1_without_a_list(tmp_path):
    with pytest.raises(UserError, match=r"train\.csv"):
        read_gldv1(tmp_path)


def test_nothing_fetched_yet(first_tree):
    for path in (first_tree / "train").iterdir():
        path.unlink()
    with pytest.raises(UserError, match="received none"):
        read_gldv1(first_tree)


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
def first_root(tmp_path):
    (tmp_path / "train.csv").write_text(LINES)
    return tmp_path


def test_urls_of_all_landmarks(first_root):
    assert [address.id for address in gldv1_urls(first_root)] == ["70", "71", "72", "30", "31", "90", "91", "50"]
    assert gldv1().files == ()


def test_urls_of_some_landmarks(first_root):
    assert [address.id for address in gldv1_urls(first_root, top_classes=2)] == ["70", "71", "72", "30", "31"]
    assert [address.id for address in gldv1_urls(first_root, min_count=3)] == ["70", "71", "72"]


def test_urls_without_a_list(tmp_path):
    with pytest.raises(UserError, match="not published any more"):
        list(gldv1_urls(tmp_path))


@pytest.mark.photographs
def test_real_urls(shared_data, tmp_path):
    (tmp_path / "train.csv").write_bytes((shared_data / "gld/gldv1_train_sample.csv").read_bytes())
    addresses = list(gldv1_urls(tmp_path))
    assert len(addresses) > 1000
    assert all(address.host for address in addresses)
