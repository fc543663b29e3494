import pytest

from landmark_zoo.core.errors import UserError
from landmark_zoo.core.files import read_json, write_json
from landmark_zoo.data.sources.first_ground_truth import first_ground_truth
from landmark_zoo.evaluation.revisited import RevisitedBenchmark

IDS = ["all_souls_2", "all_souls_1", "radcliffe_3", "bodleian_4"]


@pytest.fixture
def texts(tmp_path):
    for kind, text in {"query": "oxc1_all_souls_1 136.5 34.1 648.5 955.7\n", "good": "all_souls_1\n",
                       "ok": "radcliffe_3\n", "junk": "bodleian_4\n"}.items():
        (tmp_path / f"all_souls_1_{kind}.txt").write_text(text)
    return tmp_path


def test_good_and_ok_become_easy(texts, tmp_path):
    truth = first_ground_truth(texts, IDS)
    assert truth == {"imlist": sorted(IDS), "qimlist": ["all_souls_1"],
                     "gnd": [{"bbx": [136.5, 34.1, 648.5, 955.7], "easy": [0, 3], "hard": [], "junk": [2]}]}
    write_json(tmp_path / "gnd_oxford5k.json", truth)
    benchmark = RevisitedBenchmark.read(tmp_path / "gnd_oxford5k.json")
    assert benchmark.split(0, "Medium") == benchmark.split(0, "Easy") == ({0, 3}, {2})
    assert benchmark.split(0, "Hard")[0] == frozenset()


@pytest.mark.parametrize(("name", "text", "complaint"), [
    ("query", "oxc1_all_souls_1 a b c d", "a name and four numbers"), ("query", "", "a name and four numbers"),
    ("query", "oxc1_nobody 1 2 3 4", "a photograph nobody"), ("good", "nobody", "a photograph nobody"),
    ("junk", None, "a file all_souls_1_junk.txt")])
def test_broken_texts(texts, name, text, complaint):
    path = texts / f"all_souls_1_{name}.txt"
    path.unlink() if text is None else path.write_text(text)
    with pytest.raises(UserError, match=complaint):
        first_ground_truth(texts, IDS)


def test_no_texts(tmp_path):
    with pytest.raises(UserError, match="_query"):
        first_ground_truth(tmp_path, IDS)


@pytest.mark.photographs
def test_the_real_texts(shared_data):
    folder = shared_data / "ground_truth/oxford5k_txt"
    rebuilt = read_json(shared_data / "ground_truth/gnd_oxford5k_rebuilt.json")
    queries = set(folder.glob("*_query.txt"))
    ids = {name for path in set(folder.glob("*.txt")) - queries for name in path.read_text().split()}
    ids |= {path.read_text().split()[0].removeprefix("oxc1_") for path in queries}
    truth = first_ground_truth(folder, ids)
    assert len(set(truth["qimlist"])) == 55
    assert sorted((one["bbx"], len(one["easy"]), len(one["junk"])) for one in truth["gnd"]) == sorted(
        (one["bbx"], len(one["ok"]), len(one["junk"])) for one in rebuilt["gnd"])
