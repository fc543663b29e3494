"""`python -m experiments.leave_one_out`, as a user starts it."""

import csv
import functools
import runpy

import numpy as np
import pytest
from PIL import Image


@pytest.fixture(scope="module")
def members(root, tmp_path_factory):
    """Three tiny models; the second and the third are the first with embeddings a hair longer."""
    write = runpy.run_path(str(root / "tests/retrieval/tiny_saved_model.py"))["write_tiny_saved_model"]
    folder = tmp_path_factory.mktemp("models")
    return [write(folder / name / "1", scale=scale).parent for name, scale in (("a", 1.0), ("b", 1.0001), ("c", 1.0002))]


@pytest.fixture
def benchmark(tmp_path):
    folder = tmp_path / "bench"
    folder.mkdir()
    for number, name in enumerate(["q0", "q1", "i0", "i1", "i2", "i3"]):
        colours = np.random.default_rng(number % 2).integers(30, 226, [2, 2, 3], np.uint8)
        Image.fromarray(colours).resize((64, 64), Image.Resampling.NEAREST).save(folder / f"{name}.png")
    (folder / "test.csv").write_text("id\nq0\nq1\n")
    (folder / "index.csv").write_text("id\ni0\ni1\ni2\ni3\n")
    (folder / "retrieval_solution.csv").write_text("id,images,Usage\nq0,i0 i2,Public\nq1,i1 i3,Private\n")
    return folder


@pytest.fixture
def leave_one_out(root):
    run_script = runpy.run_path(str(root / "tests/experiments/run_script.py"))["run_script"]
    return functools.partial(run_script, "experiments.leave_one_out")


def test_table_and_second_run_from_the_embeddings(leave_one_out, members, benchmark, tmp_path):
    flags = {"members": ",".join(map(str, members)), "benchmark": benchmark, "output": tmp_path / "out", "weights": "2,1,1"}
    done = leave_one_out(**flags)
    assert done.code == 0, done.stderr
    with open(tmp_path / "out" / "leave_one_out.csv", encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 7
    assert {row["mAP"] for row in rows} == {"100.00"}
    assert rows[0]["dimension"] == "36"
    assert rows[1]["difference_to_all"] == "+0.00"
    assert float(rows[0]["ms_per_picture"]) >= float(rows[1]["ms_per_picture"]) > 0
    assert "ms_per_picture" in done.stdout
    (benchmark / "q0.png").touch()
    assert leave_one_out(**flags).code == 0


@pytest.mark.parametrize(("change", "said"), [
    (lambda members: {"members": members[0]}, "two members or more, none twice"),
    (lambda members: {"members": f"{members[0]},{members[0]}/1"}, "two members or more, none twice"),
    (lambda members: {"weights": "1"}, "3 weights above 0, one for each member; received 1.0"),
    (lambda members: {"weights": "1,2,x"}, "numbers for --weights"),
    (lambda members: {"benchmark": "absent"}, "a folder at absent"),
    (lambda members: {"members": "absent,absent"}, "a SavedModel at absent"),
])
def test_mistakes_are_one_line(leave_one_out, members, benchmark, tmp_path, change, said):
    flags = {"members": ",".join(map(str, members)), "benchmark": benchmark, "output": tmp_path / "out", **change(members)}
    done = leave_one_out(**flags)
    assert done.code == 2
    assert said in done.stderr
