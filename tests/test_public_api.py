"""What users import: it is cheap, complete, documented, and its examples run."""

import ast
import doctest
import importlib
import inspect
import re
import subprocess
import sys
from pathlib import Path

import pytest

import landmark_zoo

ROOT = Path(__file__).parents[1]
SOURCES = sorted((ROOT / "landmark_zoo").rglob("*.py"))
PACKAGES = ("backbones", "data", "evaluation", "layers", "losses", "metrics", "models", "report", "retrieval", "serving",
            "training")
NAMES = ("EmbedConfig", "ModelConfig", "ObjectiveConfig", "SamplingConfig", "TrainingConfig", "__version__", "build_index",
         "create_model", "embed", "evaluate", "export_saved_model", "list_models", "load_model", "open_index",
         "read_benchmark", "run_training")


def module_name(path):
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def test_only_landmark_zoo_is_installed_in_its_version():
    setup = (ROOT / "setup.py").read_text(encoding="utf-8")
    assert f'version="{landmark_zoo.__version__}"' in setup
    assert 'find_packages(include=["landmark_zoo", "landmark_zoo.*"])' in setup


def test_import_is_cheap_and_loads_no_tensorflow():
    program = ("import time, sys; start = time.perf_counter(); import landmark_zoo as lz; names = dir(lz); "
               "print(time.perf_counter() - start, *sorted({'tensorflow', 'numpy', 'keras'} & set(sys.modules)))")
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    seconds, *loaded = done.stdout.split()
    assert not loaded
    assert float(seconds) < 0.3


def test_names_and_packages():
    assert dir(landmark_zoo) == sorted({*PACKAGES, *NAMES})
    for name in PACKAGES:
        assert getattr(landmark_zoo, name).__name__ == f"landmark_zoo.{name}"


@pytest.mark.parametrize("package", [module_name(path) for path in SOURCES
                                     if path.name == "__init__.py" and "__all__" in path.read_text(encoding="utf-8")])
def test_every_export_exists_and_has_a_docstring(package):
    module = importlib.import_module(package)
    values = {name: getattr(module, name) for name in module.__all__}
    documented = {name: value for name, value in values.items() if callable(value) or inspect.ismodule(value)}
    assert [name for name, value in documented.items() if not value.__doc__] == []


def test_every_entry_point_has_an_example():
    values = {name: getattr(landmark_zoo, name) for name in NAMES}
    missing = {name for name, value in values.items() if callable(value) and ">>>" not in value.__doc__}
    assert missing == set()


def examples():
    for path in SOURCES:
        found = re.findall(r"^ *>>>.*(?:\n *\.\.\..*)*", path.read_text(encoding="utf-8"), re.MULTILINE)
        shown = [example for example in found if "+SKIP" not in example]
        if shown:
            builds = re.search(r"(create|build|export)_\w*model|run_training|build_\w+\(\"", "\n".join(shown))
            yield pytest.param(module_name(path), marks=[pytest.mark.slow] if builds else [])


@pytest.mark.parametrize("name", examples())
def test_examples_run(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    options = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
    failed, attempted = doctest.testmod(importlib.import_module(name), optionflags=options)
    assert attempted
    assert not failed


def imports_through_exports(path):
    """Yields `package.name` for each import of something that is no module from a package of ours."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name == "landmark_zoo")
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "landmark_zoo":
            folder = ROOT / node.module.replace(".", "/")
            if folder.is_dir():
                yield from (f"{node.module}.{alias.name}" for alias in node.names
                            if not (folder / f"{alias.name}.py").exists() and not (folder / alias.name).is_dir())


def test_no_source_file_imports_through_the_exports():
    through = {str(path.relative_to(ROOT)): found for folder in ("landmark_zoo", "experiments", "export")
               for path in (ROOT / folder).rglob("*.py") if (found := list(imports_through_exports(path)))}
    through = {path: found for path, found in through.items() if "data/synthetic/" not in path}
    assert through == {}
