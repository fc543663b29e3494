"""The one-line error."""

from landmark_zoo.core.errors import UserError


def test_one_line_whatever_comes_in():
    error = UserError("a file", "two\n  lines", "Do this.")
    assert str(error) == "Expected a file; received two lines. Do this."
    assert error.remedy == "Do this."
