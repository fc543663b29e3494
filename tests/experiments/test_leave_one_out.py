import csv
import functools
import math

import numpy as np
import pytest
from PIL import Image

from experiments.leave_one_out import HEADER, combinations, concatenated, milliseconds, table_row
from landmark_zoo.core.errors import UserError
from landmark_zoo.data.datasets.image_refs import ImageRef
from landmark_zoo.evaluation.protocol_card import ProtocolCard
from landmark_zoo.evaluation.results import Measure, Results
from landmark_zoo.retrieval.embedding_set import EmbeddingSet
from landmark_zoo.saved_model import SavedModel
from tests.run_script import run_script
from tests.tiny_saved_model import write_tiny_saved_model


@pytest.fixture(scope="module")
def members(root, tmp_path_factory):
    """Three tiny models; the second and the third are the first with embeddings a hair longer."""
    write = write_tiny_saved_model
    folder = tmp_path_factory.mktemp("models")
    return [write(folder / name / "1", scale=scale).parent for name, scale in (("a", 1.0), ("b", 1.0001), ("c", 1.0002))]


@pytest.fixture
def benchmark(tmp_path):
    folder = tmp_path / "bench"
    folder.mkdir()
    for number, name in enumerate(["q0", "q1", "i0", "i1", "i2", "i3"]):
        colors = np.random.default_rng(number % 2).integers(30, 226, [2, 2, 3], np.uint8)
        Image.fromarray(colors).resize((64, 64), Image.Resampling.NEAREST).save(folder / f"{name}.png")
    (folder / "test.csv").write_text("id\nq0\nq1\n")
    (folder / "index.csv").write_text("id\ni0\ni1\ni2\ni3\n")
    (folder / "retrieval_solution.csv").write_text("id,images,Usage\nq0,i0 i2,Public\nq1,i1 i3,Private\n")
    return folder


@pytest.fixture
def leave_one_out(root):
    return functools.partial(run_script, "experiments.leave_one_out")


@pytest.mark.slow
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


def test_three_members():
    assert combinations(["a", "b", "c"]) == {
        "all": (0, 1, 2), "without a": (1, 2), "without b": (0, 2), "without c": (0, 1), "a alone": (0,), "b alone": (1,),
        "c alone": (2,)}


def test_of_two_members_the_one_without_is_the_other_alone():
    assert list(combinations(["a", "b"])) == ["all", "a alone", "b alone"]


def made(name, dimension, ids="abcd", **provenance):
    vectors = np.random.default_rng(len(name)).normal(size=(len(ids), dimension)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return EmbeddingSet(list(ids), vectors, name, {"photographs_sha256": "p", "model": {
        "name": name, "side": 64, "training_data": f"set {name}"}, **provenance})


def test_weighted_mean_of_cosines():
    one, two = made("x", 3), made("yy", 5)
    both = concatenated([one, two], [3, 1])
    expected = 0.75 * one.vectors @ one.vectors.T + 0.25 * two.vectors @ two.vectors.T
    np.testing.assert_allclose(both.vectors @ both.vectors.T, expected, atol=1e-6)
    info = both.provenance["model"]
    assert (info["name"], info["side"], info["training_data"]) == ("x + yy", 64, "set x; set yy")
    assert both.model_fingerprint not in (one.model_fingerprint, two.model_fingerprint)
    assert concatenated([one, two]).model_fingerprint != both.model_fingerprint


def test_one_set_comes_back():
    one = made("x", 3)
    assert concatenated([one]) is one


def test_images_that_one_member_lacks_are_left_out():
    assert concatenated([made("x", 3), made("yy", 5, "bda")]).ids == ["a", "b", "d"]


def test_other_images():
    with pytest.raises(UserError, match="members' embeddings with one photographs_sha256; received p, q"):
        concatenated([made("x", 3), made("yy", 5, photographs_sha256="q")])


def results(*precisions):
    mean = sum(precisions) / len(precisions)
    rows = [{"query_id": f"q{number}", "average_precision": value, "positives": 1}
            for number, value in enumerate([*precisions, math.nan])]
    return Results("r", ProtocolCard.from_dict({}, complete=False), {"mAP@100": Measure(mean, mean, mean, len(precisions))},
                   rows, {})


def test_differences_are_paired_and_queries_without_positives_do_not_count():
    everyone, fewer = results(0.5, 0.9, 0.1), results(0.4, 0.8, 0.0)
    cells = dict(zip(HEADER, table_row("without a", fewer, everyone), strict=False))
    assert (cells["members"], cells["mAP"], cells["queries"]) == ("without a", "40.00", "3")
    assert [cells[f"difference_{end}"] for end in ("to_all", "low", "high")] == ["-10.00"] * 3
    assert table_row("all", everyone, everyone)[5:8] == ["", "", ""]


def test_one_time_per_model_and_bad_images_do_not_stop_it(root, tmp_path):
    write = write_tiny_saved_model
    models = [SavedModel(write(tmp_path / name / "1")) for name in ("a", "b")]
    Image.fromarray(np.full((40, 40, 3), 90, np.uint8)).save(tmp_path / "good.png")
    images = [ImageRef("bad", tmp_path / "absent.jpg"), ImageRef("good", tmp_path / "good.png")]
    assert all(0 < time < 5000 for time in milliseconds(models, images, apply_exif=True))
