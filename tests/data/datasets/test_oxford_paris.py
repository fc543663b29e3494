import pytest

from landmark_zoo.core.errors import UserError
from landmark_zoo.core.files import read_json, write_json
from landmark_zoo.data.datasets.oxford_paris import (
    CORRUPT,
    IMAGE_FOLDERS,
    oxford5k,
    paris6k,
    read_text_ground_truth,
    revisited,
    revisitop1m,
)
from landmark_zoo.evaluation.oxford_paris import RevisitedBenchmark

IDS = ["all_souls_2", "all_souls_1", "radcliffe_3", "bodleian_4"]


@pytest.fixture
def texts(tmp_path):
    for kind, text in {"query": "oxc1_all_souls_1 136.5 34.1 648.5 955.7\n", "good": "all_souls_1\n",
                       "ok": "radcliffe_3\n", "junk": "bodleian_4\n"}.items():
        (tmp_path / f"all_souls_1_{kind}.txt").write_text(text)
    return tmp_path


def test_read_text_ground_truth(texts, tmp_path):
    truth = read_text_ground_truth(texts, IDS)
    assert truth == {"imlist": sorted(IDS), "qimlist": ["all_souls_1"],
                     "gnd": [{"bbx": [136.5, 34.1, 648.5, 955.7], "easy": [0, 3], "hard": [], "junk": [2]}]}
    write_json(tmp_path / "gnd_oxford5k.json", truth)
    benchmark = RevisitedBenchmark.read(tmp_path / "gnd_oxford5k.json")
    assert benchmark.split(0, "Medium") == benchmark.split(0, "Easy") == ({0, 3}, {2})
    assert benchmark.split(0, "Hard")[0] == frozenset()


def test_text_files_may_name_images_with_their_suffix(texts):
    plain = read_text_ground_truth(texts, IDS)
    (texts / "all_souls_1_query.txt").write_text("oxc1_all_souls_1.jpg 136.5 34.1 648.5 955.7\n")
    (texts / "all_souls_1_good.txt").write_text("all_souls_1.jpg\n")
    assert read_text_ground_truth(texts, IDS) == plain


@pytest.mark.parametrize(("name", "text", "complaint"), [
    ("query", "oxc1_all_souls_1 a b c d", "a name and four numbers"), ("query", "", "a name and four numbers"),
    ("query", "oxc1_nobody 1 2 3 4", "an image nobody"), ("good", "nobody", "an image nobody"),
    ("junk", None, "a file all_souls_1_junk.txt")])
def test_broken_text_ground_truth(texts, name, text, complaint):
    path = texts / f"all_souls_1_{name}.txt"
    path.unlink() if text is None else path.write_text(text)
    with pytest.raises(UserError, match=complaint):
        read_text_ground_truth(texts, IDS)


def test_no_text_ground_truth(tmp_path):
    with pytest.raises(UserError, match="_query"):
        read_text_ground_truth(tmp_path, IDS)


@pytest.mark.photographs
def test_real_text_ground_truth(shared_data):
    folder = shared_data / "ground_truth/oxford5k_txt"
    rebuilt = read_json(shared_data / "ground_truth/gnd_oxford5k_rebuilt.json")
    queries = set(folder.glob("*_query.txt"))
    ids = {name for path in set(folder.glob("*.txt")) - queries for name in path.read_text().split()}
    ids |= {path.read_text().split()[0].removeprefix("oxc1_") for path in queries}
    truth = read_text_ground_truth(folder, ids)
    assert len(set(truth["qimlist"])) == 55
    assert sorted((one["bbx"], len(one["easy"]), len(one["junk"])) for one in truth["gnd"]) == sorted(
        (one["bbx"], len(one["ok"]), len(one["junk"])) for one in rebuilt["gnd"])


def test_oxford5k_archives():
    assert [(file.path, file.unpack_to, file.flatten) for file in oxford5k().files] == [
        ("oxford5k/.archives/oxbuild_images-v1.tgz", "oxford5k/jpg", True),
        ("oxford5k/.archives/gt_files_170407.tgz", "oxford5k/lab", True)]


def test_paris6k_archives():
    assert [(file.path, file.unpack_to, file.flatten) for file in paris6k().files] == [
        ("paris6k/.archives/paris_1-v1.tgz", "paris6k/jpg", True),
        ("paris6k/.archives/paris_2-v1.tgz", "paris6k/jpg", True),
        ("paris6k/.archives/paris_120310.tgz", "paris6k/lab", True)]


@pytest.mark.photographs
def test_corrupt_ids_are_in_no_ground_truth(shared_data):
    truth = read_json(shared_data / "ground_truth/gnd_rparis6k.json")
    assert len(CORRUPT) == 20
    assert not CORRUPT & {*truth["imlist"], *truth["qimlist"]}


@pytest.mark.parametrize(("name", "old"), [("roxford5k", oxford5k), ("rparis6k", paris6k)])
def test_revisited_shares_the_images_of_the_original(name, old):
    truth, *images = revisited(name).files
    assert truth.path == f"{name}/gnd_{name}.pkl"
    assert set(images) < set(old().files)
    assert old().folder == IMAGE_FOLDERS[name]


def test_revisitop1m_archives_are_counted_from_one():
    listing, *archives = revisitop1m().files
    assert listing.path == "revisitop1m/revisitop1m.txt"
    assert [file.url.rpartition("/")[2] for file in archives] == [f"revisitop1m.{n}.tar.gz" for n in range(1, 101)]
