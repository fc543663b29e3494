"""Flags of all commands: words that stand alone describe each, as each attribute of a dataclass, and numbers have ranges."""

import ast
import contextlib
import io
import re
from pathlib import Path

import pytest
from absl import flags

from landmark_zoo.core.scripts import attribute_entries, parse_flags
from tests.run_script import imported_alone, script_flags

ROOT = Path(__file__).parents[1]
RIDDLE = re.compile(r"(Of|Its|Their|Likewise|The same|What|How|Which)\b")
COMMANDS = sorted(f"{folder}.{path.stem}" for folder in ("experiments", "export") for path in (ROOT / folder).glob("*.py")
                  if "\ndef main(" in path.read_text(encoding="utf-8"))


def riddles(texts):
    """Returns the names whose text does not stand alone."""
    return sorted(name for name, text in texts.items() if RIDDLE.match(text) or len(text.split()) < 2)


def dataclasses_by_file():
    """Yields the path of a file, the name of a dataclass in it and the texts of its attributes."""
    for folder in ("landmark_zoo", "experiments", "export"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.ClassDef) and any("dataclass" in ast.unparse(mark) for mark in node.decorator_list):
                    yield (str(path.relative_to(ROOT)), node.name,
                           attribute_entries(ast.get_docstring(node, clean=False) or ""))


def test_attributes_of_dataclasses():
    found = {f"{path}:{name}": riddles(texts) for path, name, texts in dataclasses_by_file()}
    assert len(found) > 20
    assert {name: riddle for name, riddle in found.items() if riddle} == {}


@pytest.mark.parametrize("command", COMMANDS)
def test_flags(command):
    with imported_alone(command):
        defined = flags.FLAGS.flags_by_module_dict()
        texts = {flag.name: flag.help for flag in defined[command]}
    assert riddles(texts) == []


ANY_SIZE = {"log_steps", "checkpoint_steps", "query_size", "pool_size", "negatives", "images_per_class", "steps_per_epoch",
            "sampled_classes"}  # larger than there is of it means all of it, or contradicts --batch_size


def refusal(command, *arguments):
    """Returns the lines in which a command refuses its flags; those that it requires and are not given are "x"."""
    required = []
    while True:
        said = io.StringIO()
        with contextlib.redirect_stderr(said), contextlib.suppress(SystemExit):
            parse_flags([command, *required, *arguments])
            return []
        missing = re.search(r"[Ff]lag --(\w+) must have a value other than None", said.getvalue())
        if missing is None:
            return said.getvalue().splitlines()
        required.append(f"--{missing[1]}=x")


@pytest.mark.parametrize("command", COMMANDS)
def test_impossible_numbers_are_refused_before_any_work(command):
    """One line that names the flag, for every number that a command takes."""
    with imported_alone(command):
        numbers = {name: flags.FLAGS[name] for name in script_flags()
                   if isinstance(flags.FLAGS[name].parser, flags.IntegerParser | flags.FloatParser)}
        assert refusal(command) == []
        for name, flag in numbers.items():
            real = isinstance(flag.parser, flags.FloatParser)
            impossible = ["-1", *(["nan", "inf", "-inf"] if real else []), *(["4294967296"] if name == "seed" else [])]
            impossible += [] if real or name in {"seed", *ANY_SIZE} else ["1000000000"]
            for value in impossible:
                lines = refusal(command, f"--{name}={value}")
                assert len(lines) == 1, (name, value, lines)
                assert name in lines[0], (value, lines)
                flag.unparse()
