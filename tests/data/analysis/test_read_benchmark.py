import shutil

import pytest

from landmark_zoo.core.errors import UserError
from landmark_zoo.core.files import write_csv
from landmark_zoo.data.analysis.read_benchmark import read_benchmark


@pytest.fixture
def benchmark(photo_folder, tmp_path):
    photo_folder({"a": 3})
    folder = tmp_path / "benchmark"
    write_csv(folder / "index.csv", ["id"], [("a_0",), ("a_1",), ("gone",)])
    write_csv(folder / "test_v2.1.csv", ["id"], [("a_2",)])
    return folder


def test_index_and_queries_and_what_has_no_file(benchmark, tmp_path):
    index, queries = read_benchmark(benchmark, tmp_path / "photos")
    assert (index.part, index.ids, index.landmarks, list(index.missing)) == ("index", ["a_0", "a_1"], ["", ""], ["gone"])
    assert (queries.part, queries.ids) == ("queries", ["a_2"])


def test_landmarks_where_they_are_listed(benchmark, tmp_path):
    write_csv(benchmark / "index_image_to_landmark.csv", ["id", "landmark_id"], [("a_1", "9")])
    assert read_benchmark(benchmark, tmp_path / "photos")[0].landmarks == ["", "9"]


def test_an_id_of_the_training_set_is_not_taken_for_one_of_the_index(benchmark, tmp_path):
    photos = tmp_path / "gldv2"
    for part, source in (("train", "a_0"), ("index", "a_2"), ("test", "a_2")):
        (photos / part).mkdir(parents=True)
        shutil.copy(tmp_path / "photos/a" / f"{source}.jpg", photos / part / "a_0.jpg")
    shutil.copy(photos / "test/a_0.jpg", photos / "test/a_2.jpg")
    index, _ = read_benchmark(benchmark, photos)
    assert index.read(0) == (tmp_path / "photos/a/a_2.jpg").read_bytes()


def test_lists_or_photographs_that_are_not_there(benchmark, tmp_path):
    with pytest.raises(UserError, match=r"index\.csv"):
        read_benchmark(tmp_path, tmp_path / "photos")
    (tmp_path / "empty").mkdir()
    with pytest.raises(UserError, match="--photos"):
        read_benchmark(benchmark, tmp_path / "empty")
