import pytest

from landmark_zoo.core.errors import UserError
from landmark_zoo.core.notices import notify, said_at_end
from landmark_zoo.core.scripts import guarded


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
