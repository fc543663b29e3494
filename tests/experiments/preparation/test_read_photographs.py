import pytest

from experiments.preparation.read_photographs import read_photographs
from landmark_zoo.core.errors import UserError


def test_sources_by_name(tmp_path):
    for landmark in ("a", "b"):
        (tmp_path / "folder" / landmark).mkdir(parents=True)
        (tmp_path / "folder" / landmark / f"{landmark}1.jpg").write_bytes(b"x")
    (tmp_path / "list.csv").write_text("name,file,place\na1,folder/a/a1.jpg,here\n")
    assert read_photographs("folder", [tmp_path / "folder"]).landmark_counts == {"a": 1, "b": 1}
    table = [tmp_path / "list.csv"]
    assert read_photographs("table", table, columns=["name", "file", "place"]).landmark_counts == {"here": 1}
    with pytest.raises(UserError, match="three --columns"):
        read_photographs("table", table, columns=["name"])
    with pytest.raises(UserError, match="one --photos for source gldv2"):
        read_photographs("gldv2", [tmp_path, tmp_path])
