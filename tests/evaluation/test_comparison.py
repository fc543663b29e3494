"""Two results side by side."""

import dataclasses

import pytest

from landmark_zoo.core.errors import UserError
from landmark_zoo.evaluation.comparison import BINDING, SYSTEM, compare_results
from landmark_zoo.evaluation.protocol_card import ProtocolCard
from landmark_zoo.evaluation.results import Results

CARD = ProtocolCard(**{field.name: field.name for field in dataclasses.fields(ProtocolCard)})
BEFORE = {"q1": 0.5, "q2": 0.25, "q3": 1.0, "q4": float("nan")}
AFTER = {"q1": 0.25, "q2": 1.0, "q3": 1.0, "q4": float("nan")}
METRICS = {"mAP@100": {"value": 0, "low": 0, "high": 0, "queries": 3}}


def write(folder, figures, grade=None, **card):
    rows = [{"query_id": query, "average_precision": value, "positives": 2,
             **({f"average_precision/{grade}": value} if grade else {})} for query, value in figures.items()]
    Results(folder.name, dataclasses.replace(CARD, **card), METRICS, rows, []).write(folder, {})
    return folder


def test_wins_losses_ties_and_what_changed_most(tmp_path):
    found, = compare_results(write(tmp_path / "a", BEFORE), write(tmp_path / "b", AFTER) / "metrics.json")
    assert (found.metric, found.wins_losses_ties) == ("mAP@100", (1, 1, 1))
    assert found.value == pytest.approx((0.75 - 0.25) / 3)
    assert found.low < 0 < found.high
    assert found.most_changed(5) == [("q2", 0.25, 1.0), ("q1", 0.5, 0.25)]
    assert found.most_changed(1) == [("q2", 0.25, 1.0)]


def test_a_result_against_itself(tmp_path):
    found, = compare_results(write(tmp_path / "a", BEFORE), tmp_path / "a")
    assert (found.value, found.low, found.high, found.wins_losses_ties) == (0, 0, 0, (0, 0, 3))


def test_each_grade_is_compared(tmp_path):
    found, = compare_results(write(tmp_path / "a", BEFORE, "Hard"), write(tmp_path / "b", AFTER, "Hard"))
    assert found.metric == "mAP/Hard"


@pytest.mark.parametrize("field", [field.name for field in dataclasses.fields(ProtocolCard)])
def test_unlike_protocols_are_refused_unless_that_is_what_is_compared(tmp_path, field):
    folders = write(tmp_path / "a", BEFORE), write(tmp_path / "b", AFTER, **{field: "another"})
    if field in (*SYSTEM, "model_name", "model_fingerprint"):
        assert compare_results(*folders)
        return
    with pytest.raises(UserError, match=rf"unlike ones \({field}: {field} and another\)"):
        compare_results(*folders)
    if field in BINDING:
        with pytest.raises(UserError, match="cannot be compared"):
            compare_results(*folders, allowed=[field])
    else:
        assert compare_results(*folders, allowed=[field])


def test_several_fields_are_all_named(tmp_path):
    folders = write(tmp_path / "a", BEFORE), write(tmp_path / "b", AFTER, side=1, crop="none")
    with pytest.raises(UserError, match="--allow=crop,side"):
        compare_results(*folders)


def test_other_queries_are_refused(tmp_path):
    with pytest.raises(UserError, match="on the same queries"):
        compare_results(write(tmp_path / "a", BEFORE), write(tmp_path / "b", {"q9": 0.5}))


def test_files_that_are_no_result(tmp_path):
    with pytest.raises(UserError, match="a JSON file"):
        compare_results(tmp_path / "absent.json", tmp_path / "absent.json")
    (tmp_path / "metrics.json").write_text("{}")
    with pytest.raises(UserError, match="a result of experiments"):
        compare_results(tmp_path, tmp_path)
