import json
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from landmark_zoo.core.errors import UserError
from landmark_zoo.core.strict_json import check_form, parse_json

FACTS = st.recursive(st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) |
                     st.text(st.characters(exclude_categories=["Cs"])),
                     lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner, max_size=4))


@settings(max_examples=100)
@given(FACTS, st.booleans())
def test_what_json_writes_is_read(facts, ascii_only):
    assert parse_json(json.dumps(facts, ensure_ascii=ascii_only)) == facts
    assert parse_json(json.dumps(facts, ensure_ascii=ascii_only).encode()) == facts


@pytest.mark.parametrize(("text", "said"), [
    ("NaN", "NaN, which is no finite number"), ('{"a": [-Infinity]}', "-Infinity"), ("1e999", "1e999"),
    ('{"a": 1, "a": 1}', "the key 'a' twice"), ('[{"b": {"c": 1, "d": 2, "c": 3}}]', "the key 'c' twice"),
    ('"\\ud83d"', "surrogates"), ('{"\\udc00": 1}', "surrogates"), ("[" * 100_000, "without end"), ("", "Expecting"),
    ("{", "Expecting"), ("1 2", "Extra"), ("{'a': 1}", "Expecting"), ("[1,]", "Expecting|trailing comma"),
    ("\ufeff1", "Expecting"), (b"\xff", "utf-8"), ("9" * 5000, "digits")])
def test_what_is_no_json_is_refused(text, said):
    with pytest.raises(ValueError, match=said):
        parse_json(text)


def test_a_whole_character_of_two_halves_is_read():
    assert parse_json('"\\ud83d\\ude00 \\\\ud83d"') == "\U0001f600 \\ud83d"


def test_numbers_that_are_not_finite_where_they_may_stand():
    assert math.isnan(parse_json("[NaN]", finite=False)[0])
    assert parse_json("[-Infinity]", finite=False) == [-math.inf]


FORM = {"version": int, "name": str | None, "scale": float, "ids": [str], "parts": [{"size": int}], "any": object,
        "table": {str: float}, "done": bool}
GOOD = {"version": 1, "name": None, "scale": 2, "ids": ["a"], "parts": [{"size": 3, "more": 0}], "any": None,
        "table": {"a": 1, "b": .5}, "done": True, "beside": []}


def test_facts_of_the_form():
    check_form(GOOD, FORM, "x.json")
    check_form({key: value for key, value in GOOD.items() if key not in ("name", "any")}, FORM, "x.json")
    check_form([1], object, "x.json")
    check_form({}, dict, "x.json")


@pytest.mark.parametrize(("change", "said"), [
    ({"version": True}, "a whole number for version in x.json; received True"), ({"version": 1.0}, "received 1.0"),
    ({"version": "1"}, "received '1'"), ({"name": 3}, "text or null for name"), ({"scale": "2"}, "a number for scale"),
    ({"scale": None}, "received None"), ({"ids": "ab"}, "a list for ids"),
    ({"ids": [1]}, r"text for ids\[0\] in x.json; received 1"),
    ({"parts": [{}]}, r"a whole number for parts\[0\].size in x.json; received nothing"),
    ({"parts": [[]]}, "a JSON object for parts"), ({"table": {"a": 1, "b": "x"}}, "a number for table.b"),
    ({"table": []}, "a JSON object for table"), ({"done": 1}, "true or false")])
def test_facts_of_another_form_are_named(change, said):
    with pytest.raises(UserError, match=said):
        check_form(GOOD | change, FORM, "x.json")


@given(st.sampled_from(sorted(FORM)), FACTS)
def test_any_change_is_taken_or_named(key, value):
    try:
        check_form(GOOD | {key: value}, FORM, "x.json")
    except UserError as error:
        assert key in str(error)  # noqa: PT017, the other outcome is no error


@pytest.mark.parametrize("facts", [[], 3, None, "x"])
def test_no_object(facts):
    with pytest.raises(UserError, match=r"a JSON object in x\.json"):
        check_form(facts, FORM, "x.json")


@pytest.mark.parametrize("key", ["version", "scale", "ids", "parts", "table", "done"])
def test_a_missing_field_is_named(key):
    with pytest.raises(UserError, match=f"for {key} in x.json; received nothing"):
        check_form({name: value for name, value in GOOD.items() if name != key}, FORM, "x.json")
