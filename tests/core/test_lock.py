"""One run per folder."""

import subprocess
import sys

import pytest

from landmark_zoo.core.errors import UserError
from landmark_zoo.core.lock import lock_directory

HOLD = """
import sys
from landmark_zoo.core.lock import lock_directory
with lock_directory(sys.argv[1]):
    print("held", flush=True)
    input()
"""


def test_a_second_process_is_refused_until_the_first_is_gone(tmp_path):
    with subprocess.Popen([sys.executable, "-c", HOLD, tmp_path], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        holder.stdout.readline()
        with pytest.raises(UserError, match=f"a run that is using it \\(pid {holder.pid}"), lock_directory(tmp_path):
            pass
        holder.kill()
        holder.wait()
        with lock_directory(tmp_path):
            assert (tmp_path / ".lock").exists()
