import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from landmark_zoo.report.difference import paired_difference, signed
from landmark_zoo.report.result import Result


def scores(*values):
    return {f"q{number}": value for number, value in enumerate(values)}


def test_a_steady_gain_is_clear_though_queries_vary_widely(make_result):
    before = make_result("a", scores(0.0, 0.2, 0.5, 0.9))
    after = make_result("b", scores(0.05, 0.26, 0.55, 0.95))
    difference = paired_difference(before, after)
    assert difference.value == pytest.approx(0.0525)
    assert 0.0499 < difference.low < difference.high < 0.0601
    assert difference.clear
    assert difference.queries == 4


def test_ups_and_downs_are_not_clear(make_result):
    difference = paired_difference(make_result("a", scores(0.1, 0.9, 0.4, 0.6)),
                                   make_result("b", scores(0.9, 0.2, 0.5, 0.6)))
    assert difference.low < 0 < difference.high
    assert not difference.clear


def test_only_shared_queries_count(make_result):
    difference = paired_difference(make_result("a", {"x": 0.0, "q0": 0.5, "q1": 0.5}),
                                   make_result("b", {"q0": 0.75, "q1": 0.75, "y": 0.0}))
    assert (difference.value, difference.queries) == (0.25, 2)


def test_nothing_to_compare(make_result):
    assert paired_difference(make_result("a", {"q0": 1.0}), make_result("b", {"q1": 1.0})) is None
    assert paired_difference(make_result("a"), make_result("b", benchmark="other")) is None


@settings(max_examples=15, deadline=None)
@given(st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=2, max_size=6))
def test_turning_the_systems_round_turns_the_sign(pairs):
    def result(values):
        return Result("r", "b", "p", {}, 0, 0, {}, scores(*values), {}, {})
    first, second = (result(values) for values in zip(*pairs, strict=True))
    there, back = paired_difference(first, second), paired_difference(second, first)
    assert there.value == pytest.approx(-back.value, abs=1e-9)
    assert there.low == pytest.approx(-back.high, abs=1e-9)


def test_signed():
    assert (signed(0.0123), signed(-0.5)) == ("+1.2", "−50.0")
