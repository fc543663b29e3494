"""`python -m experiments.paper_2208_04201`, as a user starts it."""

import csv
import functools
import shutil

import pytest

from tests.local_saved_model import write_local_saved_model
from tests.run_script import run_script
from tests.tiny_saved_model import write_tiny_saved_model
from tests.walls import write_walls


@pytest.fixture(scope="module")
def folder(root, tmp_path_factory):
    """The walls and two models."""
    folder = tmp_path_factory.mktemp("thesis")
    write_local_saved_model(folder / "e2" / "1")
    write_tiny_saved_model(folder / "e1" / "1")
    write_walls(folder)
    return folder


@pytest.fixture
def thesis(root, folder, tmp_path):
    return functools.partial(
        run_script, "experiments.paper_2208_04201", models=f"{folder / 'e1'},{folder / 'e2'}",
        benchmark=folder / "benchmark", photos=folder / "photos", output=tmp_path / "out", validation_queries=4,
        validation_index=8, codebook_photographs=4)


@pytest.mark.slow
def test_the_table(thesis, tmp_path):
    done = thesis()
    assert done.code == 0, done.stderr
    lines = done.stdout.splitlines()
    assert [line.split()[0] for line in lines[:8]] == ["row", *(f"E{n}" for n in range(1, 8))]
    assert lines[3].split()[-2:] == ["-", "-"]
    assert any(line.startswith("E5 against E2: ") for line in lines)
    with open(tmp_path / "out" / "per_query.csv") as file:
        rows = list(csv.DictReader(file))
    assert [row["query_id"] for row in rows] == ["00", "10"]
    assert list(rows[0]) == ["query_id", "E1", "E2", "E5", "E6", "E7"]
    for name in ("E5", "E6", "E7"):
        assert (tmp_path / "out" / name / "rankings.csv").exists()
        assert (tmp_path / "out" / name / "fusion.json").exists()
    again = thesis()
    assert again.stdout.splitlines()[1].split()[:5] == lines[1].split()[:5]


@pytest.mark.parametrize(("change", "message"), [
    ({"models": "-,-"}, "one to four --models"),
    ({"models": "a,b,c,d,e"}, "one to four --models"),
    ({"models": "absent"}, "no such folder"),
    ({"validation_index": 500}, "photographs of landmarks outside the benchmark"),
    ({"photos": "absent"}, "a folder at"),
])
def test_mistakes_are_one_line(thesis, change, message):
    done = thesis(**change)
    assert done.code == 2
    assert message in done.stderr.splitlines()[-1]


def test_a_last_model_without_local_features(thesis, folder):
    done = thesis(models=f"{folder / 'e2'},{folder / 'e1'}")
    assert done.code == 2
    assert "with the signature local" in done.stderr.splitlines()[-1]


@pytest.mark.slow
def test_a_missing_image_is_counted_and_the_rest_goes_on(thesis, folder, tmp_path, caplog):
    photos = shutil.copytree(folder / "photos", tmp_path / "photos")
    (photos / "wall0" / "03.png").unlink()
    done = thesis(photos=photos)
    assert done.code == 0, done.stderr
    assert "1 of 10 images are bad" in caplog.text
    strict = thesis(photos=photos, output=tmp_path / "strict", strict="true")
    assert strict.code == 2
    assert "a usable photograph for 03" in strict.stderr.splitlines()[-1]
