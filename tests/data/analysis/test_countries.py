from landmark_zoo.core.files import write_csv
from landmark_zoo.data.analysis.countries import read_countries


def test_of_photographs_in_a_csv_file(tmp_path):
    write_csv(tmp_path / "photos.csv", ["id", "path", "landmark", "country"], [("p", "", "", "Peru"), ("q", "", "", " ")])
    assert read_countries(tmp_path / "photos.csv") == {"p": "Peru"}


def test_of_landmarks_beside_the_lists_of_a_folder(tmp_path):
    write_csv(tmp_path / "train.csv", ["id", "url", "landmark_id"], [("p", "", "7")])
    write_csv(tmp_path / "countries.csv", ["landmark_id", "country"], [("7", "Peru"), ("8", "Chad")])
    assert read_countries(tmp_path) == {"7": "Peru", "8": "Chad"}


def test_where_none_are_named(tmp_path):
    write_csv(tmp_path / "photos.csv", ["id", "path", "landmark"], [("p", "", "")])
    (tmp_path / "empty.csv").write_text("")
    assert read_countries(tmp_path / "photos.csv") == read_countries(tmp_path) == {}
