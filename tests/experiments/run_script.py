"""Runs a script of experiments/ without a new process, which would import TensorFlow anew each time."""

import contextlib
import io
import runpy
from types import SimpleNamespace

from absl import flags

from landmark_zoo.core.script import guarded


def run_script(module: str, **values: object) -> SimpleNamespace:
    """Runs `python -m module --name=value ...` as `core.script.run` does; returns `code`, `stdout`, `stderr`.

    The script's flags are forgotten afterwards, so that several scripts may run one after another.
    """
    known = set(flags.FLAGS)
    stdout, stderr, code = io.StringIO(), io.StringIO(), 0
    try:
        with contextlib.redirect_stdout(stdout), contextlib.redirect_stderr(stderr):
            main = runpy.run_module(module, run_name=module)["main"]
            flags.FLAGS([module, *(f"--{name}={value}" for name, value in values.items())])
            guarded(main, [module])
    except SystemExit as end:
        code = end.code
    finally:
        for name in set(flags.FLAGS) - known:
            delattr(flags.FLAGS, name)
    return SimpleNamespace(code=code, stdout=stdout.getvalue(), stderr=stderr.getvalue())
