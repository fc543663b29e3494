import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from landmark_zoo.core.errors import UserError
from landmark_zoo.evaluation.comparison import BINDING, SYSTEM, Comparison, compare_results, signed
from landmark_zoo.evaluation.protocol_card import ProtocolCard
from landmark_zoo.evaluation.results import Measure, Results
from landmark_zoo.metrics.bootstrap import crossed_bootstrap_interval

CARD = ProtocolCard(**{field.name: field.name for field in dataclasses.fields(ProtocolCard)})
BEFORE = {"q1": 0.5, "q2": 0.25, "q3": 1.0, "q4": float("nan")}
AFTER = {"q1": 0.25, "q2": 1.0, "q3": 1.0, "q4": float("nan")}
METRICS = {"mAP@100": Measure(0, 0, 0, 3)}


def write(folder, figures, grade=None, **card):
    rows = [{"query_id": query, "average_precision": value, "positives": 2,
             **({f"average_precision/{grade}": value} if grade else {})} for query, value in figures.items()]
    Results(folder.name, dataclasses.replace(CARD, **card), METRICS, rows, {}).write(folder, {})
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


def test_a_field_that_no_card_has_is_named(tmp_path):
    with pytest.raises(UserError, match=r"fields of the protocol card \(.*side.*\); received colour"):
        compare_results(write(tmp_path / "a", BEFORE), tmp_path / "a", allowed=["side", "colour"])


def test_other_queries_are_refused(tmp_path):
    with pytest.raises(UserError, match="on the same queries"):
        compare_results(write(tmp_path / "a", BEFORE), write(tmp_path / "b", {"q9": 0.5}))


def test_files_that_are_no_result(tmp_path):
    with pytest.raises(UserError, match="a JSON file"):
        compare_results(tmp_path / "absent.json", tmp_path / "absent.json")
    (tmp_path / "metrics.json").write_text("{}")
    with pytest.raises(UserError, match="a result of experiments"):
        compare_results(tmp_path, tmp_path)


def scores(*values):
    return {f"q{number}": value for number, value in enumerate(values)}


def test_a_steady_gain_is_clear_though_queries_vary_widely(make_result):
    before = make_result("a", scores(0.0, 0.2, 0.5, 0.9))
    after = make_result("b", scores(0.05, 0.26, 0.55, 0.95))
    difference = Comparison.between(before, after)
    assert difference.value == pytest.approx(0.0525)
    assert 0.0499 < difference.low < difference.high < 0.0601
    assert difference.clear
    assert len(difference.queries) == 4


def test_ups_and_downs_are_not_clear(make_result):
    difference = Comparison.between(make_result("a", scores(0.1, 0.9, 0.4, 0.6)),
                                   make_result("b", scores(0.9, 0.2, 0.5, 0.6)))
    assert difference.low < 0 < difference.high
    assert not difference.clear


def test_only_shared_queries_count(make_result):
    difference = Comparison.between(make_result("a", {"x": 0.0, "q0": 0.5, "q1": 0.5}),
                                   make_result("b", {"q0": 0.75, "q1": 0.75, "y": 0.0}))
    assert (difference.value, len(difference.queries)) == (0.25, 2)


def test_nothing_to_compare(make_result):
    assert Comparison.between(make_result("a", {"q0": 1.0}), make_result("b", {"q1": 1.0})) is None
    assert Comparison.between(make_result("a"), make_result("b", benchmark="other")) is None


@settings(max_examples=15, deadline=None)
@given(st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=2, max_size=6))
def test_turning_the_systems_round_turns_the_sign(pairs):
    def result(values):
        rows = [{"query_id": query, "average_precision": value, "positives": 1} for query, value in scores(*values).items()]
        return Results("r", CARD, METRICS, rows, {})
    first, second = (result(values) for values in zip(*pairs, strict=True))
    there, back = Comparison.between(first, second), Comparison.between(second, first)
    assert there.value == pytest.approx(-back.value, abs=1e-9)
    assert there.low == pytest.approx(-back.high, abs=1e-9)


def test_signed():
    assert (signed(0.0123), signed(-0.5)) == ("+1.2", "−50.0")


EARLIER = {"q0": 0.625095, "q1": 0.897214, "q2": 0.775686, "q3": 0.225207, "q4": 0.300166, "q5": 0.873553, "q6": 0.005265,
           "q7": 0.821228, "q8": 0.797069, "q9": 0.467935, "q10": 0.303032, "q11": 0.278426}
LATER = {"q0": 0.25487, "q1": 0.445076, "q2": 0.504548, "q3": 0.225207, "q4": 0.9955, "q5": 0.792662, "q6": 0.622179,
         "q7": 0.98896, "q8": 0.215309, "q9": 0.160212, "q10": 0.61254, "q11": 0.043942}
ORDER = ("q5", "q0", "q11", "q2", "q1", "q10", "q3", "q4", "q9", "q6", "q8", "q7")


def test_intervals_recorded_when_each_table_had_a_bootstrap_of_its_own(make_result):
    found = Comparison.between(make_result("a", EARLIER), make_result("b", LATER))  # reports, by sorted query
    assert (found.value, found.low, found.high) == (-0.042405916666666654, -0.25917537500000004, 0.19489933749999988)
    found = Comparison.of("mAP@100", {query: EARLIER[query] for query in ORDER}, LATER, seed=3)  # ensembles, re-ranking
    assert [f"{100 * value:+.2f}" for value in (found.value, found.low, found.high)] == ["-4.24", "-24.96", "+17.70"]
    assert found.wins_losses_ties == (4, 7, 1)
    assert not found.clear


def test_runs_are_paired_and_drawn_together_with_the_queries():
    random = np.random.default_rng(0)
    before, after = random.uniform(size=[2, 3, 5])
    found = Comparison.of_runs("mAP", "abcde", before, after)
    assert (found.value, found.low, found.high) == crossed_bootstrap_interval(after - before)
    assert found.queries["b"] == (pytest.approx(before[:, 1].mean()), pytest.approx(after[:, 1].mean()))
