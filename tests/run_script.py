"""Runs a script of experiments/ without a new process, which would import TensorFlow anew each time."""

import contextlib
import importlib
import io
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

from absl import flags

from landmark_zoo.core.scripts import guarded, parse_flags


def run_script(module: str, *arguments: str, **values: object) -> SimpleNamespace:
    """Runs `python -m module ARGUMENT ... --name=value ...` in this process; returns `code`, `stdout` and `stderr`."""
    stdout, stderr, code = io.StringIO(), io.StringIO(), 0
    try:
        with contextlib.redirect_stdout(stdout), contextlib.redirect_stderr(stderr), imported_alone(module) as script:
            given = [*arguments, *(f"--{name}={value}" for name, value in values.items())]
            guarded(script.main, parse_flags([module, *given]))
    except SystemExit as end:
        code = end.code
    return SimpleNamespace(code=code, stdout=stdout.getvalue(), stderr=stderr.getvalue())


@contextlib.contextmanager
def imported_alone(module: str) -> Iterator:
    """Imports a script anew; until the block ends, its flags are the only ones of this project."""
    stashed, scripts = flags.FlagValues(), {name: sys.modules.pop(name) for name in _scripts()}
    for name in script_flags():
        stashed[name] = flags.FLAGS[name]
    flags.FLAGS.remove_flag_values(stashed)
    try:
        yield importlib.import_module(module)
    finally:
        for name in _scripts():
            del sys.modules[name]
        sys.modules.update(scripts)
        for name in script_flags():
            delattr(flags.FLAGS, name)
        flags.FLAGS.append_flag_values(stashed)


def _scripts() -> list[str]:
    return [name for name in sys.modules if re.fullmatch(r"(experiments|export)\.\w+", name)]


def script_flags() -> list[str]:
    """Names of the flags that this project's modules define; a flag that was stashed once has no module any more."""
    modules = {name: flags.FLAGS.find_module_defining_flag(name) for name in flags.FLAGS}
    return [name for name, module in modules.items()
            if module is None or re.match(r"(experiments|export|landmark_zoo)\b", module)]


def former_commands(root: Path) -> dict[str, str]:
    """Returns the table of docs/commands.md: former to present module."""
    text = (root / "docs" / "commands.md").read_text(encoding="utf-8")
    return dict(re.findall(r"^\| `([\w.]+)` \| `([\w.]+)[^`]*` \|", text, re.MULTILINE))
