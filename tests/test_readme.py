"""README's commands: every flag exists here; `make readme` runs them all."""

import re
import shlex
import subprocess
import sys

import pytest

from tests.run_script import former_commands

COMMAND = re.compile(r"^python -m ([\w.]+) (.*)$", re.MULTILINE)


def commands(root):
    blocks = re.findall(r"```bash\n(.*?)```", (root / "README.md").read_text(encoding="utf-8"), re.DOTALL)
    return [found for block in blocks for found in COMMAND.findall(block)]


def test_every_script_has_a_command(root):
    former = former_commands(root)
    named = {former.get(module, module) for module, _ in commands(root)}
    scripts = {f"{folder}.{path.stem}" for folder in ("experiments", "export") for path in (root / folder).glob("*.py")
               if "\ndef main(" in path.read_text(encoding="utf-8")}
    assert len(scripts) > 25
    assert named <= scripts
    assert scripts - named <= {"experiments.quickstart"}


@pytest.mark.slow
def test_every_flag_of_the_commands_exists(root):
    program = ("import sys, importlib; from absl import flags; m = importlib.import_module(sys.argv[1]); "
               "flags.FLAGS(['x', *sys.argv[2:]])")
    found = commands(root)
    assert len(found) > 9
    by_module = {}
    for module, arguments in found:
        by_module.setdefault(module, []).extend(shlex.split(re.sub(r"\$\([^)]*\)", "x.jpg", arguments)))
    for module, arguments in by_module.items():
        done = subprocess.run([sys.executable, "-c", program, module, *arguments], cwd=root, capture_output=True, text=True,
                              check=False)
        assert done.returncode == 0, f"{module}: {done.stderr[-500:]}"
