"""The one-line error, and the checks that raise it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from landmark_zoo.core.errors import UserError, check_choice, check_range, notify, printable, said_at_end
from landmark_zoo.core.scripts import guarded


def test_one_line_whatever_comes_in():
    error = UserError("a file", "two\n  lines", "Do this.")
    assert str(error) == "Expected a file; received two lines. Do this."
    assert error.remedy == "Do this."


@given(st.text(st.characters()))
def test_any_text_can_be_printed_on_one_line(text):
    error = UserError(text, "none", "Do this.")
    assert str(error).encode()
    assert len(f"{error}x".splitlines()) == 1
    assert "\x1b" not in printable(f"{text}\x1b[31m")


HOSTILE = "\x1b[2K\x00\x07\x7f\x9b31m\u202e\u2066\u200f\udc80\U000e0041"


def test_control_characters_are_written_out():
    assert printable(HOSTILE).isascii()
    assert printable(HOSTILE).startswith(r"\x1b[2K\x00\x07\x7f\x9b31m\u202e\u2066")
    assert printable("two\nlines\r", keep="\n") == "two\nlines\\r"
    assert str(UserError("a file", HOSTILE, "Do this.")) == f"Expected a file; received {printable(HOSTILE)}. Do this."


@pytest.mark.parametrize("text", ["Ünï code", "می‌خواهم", "日本", "👩‍👧", "a\\n", ""])
def test_other_characters_are_kept(text):
    assert printable(text) == text


@pytest.mark.parametrize(("value", "bounds"), [
    (0, (0, None)), (5, (None, 5)), (0.5, (0, 1)), (1, (0, 1)), (-7, (None, None))])
def test_values_in_range(value, bounds):
    check_range("x", value, *bounds)


@pytest.mark.parametrize(("value", "bounds", "said"), [
    (-1, (0, None), "Expected --x >= 0; received -1. Raise --x."),
    (6, (None, 5), "Expected --x <= 5; received 6. Lower --x."),
    (1.5, (0, 1), "Expected --x from 0 to 1; received 1.5. Lower --x."),
    (-0.5, (0, 1), "Expected --x from 0 to 1; received -0.5. Raise --x."),
    (float("nan"), (0, None), "Expected --x >= 0; received nan. Raise --x."),
    (float("inf"), (0, None), "Expected --x >= 0; received inf. Lower --x.")])
def test_values_out_of_range(value, bounds, said):
    with pytest.raises(UserError) as caught:
        check_range("x", value, *bounds)
    assert str(caught.value) == said


def test_choices():
    check_choice("x", "a", ("a", "b"))
    with pytest.raises(UserError) as caught:
        check_choice("x", "c", ("a", "b"))
    assert str(caught.value) == "Expected --x among a, b; received 'c'. Choose one of them."


def test_outside_of_a_command_a_line_is_said_at_once(caplog):
    notify("1 file\x1b passed over")
    assert caplog.messages == ["1 file\\x1b passed over"]


def test_lines_are_said_once_when_the_outermost_command_ends(caplog):
    with said_at_end():
        with said_at_end():
            notify("one")
            notify("one")
        assert not caplog.messages
        notify("two")
    assert caplog.messages == ["one", "two"]


def test_a_command_that_fails_says_them_before_its_error(caplog, capsys):
    def main(_):
        notify("5 files passed over")
        raise UserError("images", "none", "Check the path.")
    with pytest.raises(SystemExit):
        guarded(main, ["script"])
    assert caplog.messages == ["5 files passed over"]
    assert capsys.readouterr().err == "Error: Expected images; received none. Check the path.\n"
