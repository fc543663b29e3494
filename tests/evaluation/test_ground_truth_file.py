"""What may stand in a gnd_* file; the faults are tested with the benchmarks that read it."""

import json

import pytest

from landmark_zoo.core.errors import UserError
from landmark_zoo.evaluation.ground_truth_file import GroundTruthFile


@pytest.fixture
def truth(tmp_path):
    (tmp_path / "gnd_toy.json").write_text(json.dumps({
        "imlist": ["a", "b"], "qimlist": ["q"], "gnd": [{"bbx": [0, 0, 5, 5], "ok": [1], "junk": [0]}]}))
    return GroundTruthFile.read(tmp_path / "gnd_toy.json")


def test_lists_and_boxes(truth):
    assert (truth.name, truth.query_ids, truth.index_ids) == ("toy", ("q",), ("a", "b"))
    assert (truth.boxes(), truth.places(0, "ok")) == (((0, 0, 5, 5),), [1])


def test_what_is_missing_is_named(truth):
    with pytest.raises(UserError, match=r"query q; received none named easy\. .* --protocol"):
        truth.places(0, "easy")


def test_a_file_that_is_no_ground_truth(tmp_path):
    (tmp_path / "gnd_toy.json").write_text("[1]")
    with pytest.raises(UserError, match="imlist, qimlist and gnd"):
        GroundTruthFile.read(tmp_path / "gnd_toy.json")
