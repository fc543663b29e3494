"""README's commands: every flag exists here; `make readme` runs them all."""

import re
import shlex

from absl import flags

from tests.run_script import former_commands, imported_alone

COMMAND = re.compile(r"^python -m ([\w.]+) ?(.*)$", re.MULTILINE)


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
    assert scripts - named <= {"experiments.quickstart", "export.wrap"}  # the second wants an archive of TensorFlow's


def test_every_flag_of_the_commands_exists(root):
    found = commands(root)
    assert len(found) > 9
    by_module = {}
    for module, arguments in found:
        by_module.setdefault(module, []).extend(shlex.split(re.sub(r"\$\([^)]*\)", "x.jpg", arguments)))
    for module, arguments in by_module.items():
        with imported_alone(module):
            flags.FLAGS([module, *arguments])
