"""How scripts end."""

import errno
import subprocess
import sys

import pytest

from landmark_zoo.core.errors import UserError
from landmark_zoo.core.script import guarded

PROGRAM = """
from absl import flags
from landmark_zoo.core.errors import UserError
from landmark_zoo.core.script import run
FLAG = flags.DEFINE_integer("number", 1, "A number.")
def main(_):
    if FLAG.value == 2:
        raise UserError("one", "two", "Say one.")
    print("number", FLAG.value)
if __name__ == "__main__":
    run(main)
"""


@pytest.mark.parametrize(("arguments", "code", "said"), [
    (["--number=7"], 0, "number 7"),
    (["--number=2"], 2, "Error: Expected one; received two. Say one."),
    (["--numbr=2"], 2, "Unknown command line flag 'numbr'"),
    (["--number=x"], 2, "number"),
    (["seven"], 2, "received the argument 'seven'"),
    (["--flagfile=absent.flags"], 2, "absent.flags"),
])
def test_exit_codes_without_traceback(arguments, code, said, tmp_path):
    script = tmp_path / "script.py"
    script.write_text(PROGRAM)
    done = subprocess.run([sys.executable, script, *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == code
    assert said in done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    if code:
        assert len(done.stderr.strip().splitlines()) == 1


def raising(error):
    def main(_):
        raise error
    return main


def test_full_disk_is_one_line(capsys):
    with pytest.raises(SystemExit) as ended:
        guarded(raising(OSError(errno.ENOSPC, "No space left on device", "out.npy")), ["script"])
    assert ended.value.code == 2
    assert "full disk" in capsys.readouterr().err


def test_interrupt_ends_with_130():
    with pytest.raises(SystemExit) as ended:
        guarded(raising(KeyboardInterrupt()), ["script"])
    assert ended.value.code == 130


def test_other_errors_are_not_hidden():
    with pytest.raises(ZeroDivisionError):
        guarded(raising(ZeroDivisionError()), ["script"])
    with pytest.raises(OSError, match="denied"):
        guarded(raising(OSError(errno.EACCES, "denied")), ["script"])


def test_user_error_goes_to_stderr(capsys):
    with pytest.raises(SystemExit) as ended:
        guarded(raising(UserError("a", "b", "Do c.")), ["script"])
    assert ended.value.code == 2
    assert capsys.readouterr().err == "Error: Expected a; received b. Do c.\n"
