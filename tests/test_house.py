"""The rules of the house on files (CONTRIBUTING.md): not too small, not too long, not too many, no cycle of imports."""

import ast
import graphlib
import statistics
from collections import defaultdict
from pathlib import Path

import grimp

ROOT = Path(__file__).parents[1]
SMALL = {  # under 80 lines with one importer, and why
    "landmark_zoo/core/keras_version.py": "imported by the packages' __init__",
    "landmark_zoo/core/lazy.py": "imported by the packages' __init__",
    "landmark_zoo/layers/registry.py": "imported by the packages' __init__",
    "landmark_zoo/losses/listwise_ap.py": "a paper of its own",
    "landmark_zoo/models/how.py": "a paper of its own",
    "landmark_zoo/models/solar.py": "a paper of its own",
    "landmark_zoo/retrieval/rerank/vlad.py": "a paper of its own",
}
REASONS = {  # past 350 lines, and why
    "landmark_zoo/saved_model.py": "the one loader, a method for each signature",
    "landmark_zoo/data/verify.py": "one check per function, read as a list",
}
LONGEST = 400


def source_files():
    files = (path for folder in ("landmark_zoo", "experiments", "export") for path in (ROOT / folder).rglob("*.py"))
    return {name: path.read_text(encoding="utf-8") for path in files
            if path.name != "__init__.py" for name in [str(path.relative_to(ROOT))]}


TEXTS = source_files()
LINES = {name: len(text.splitlines()) for name, text in TEXTS.items()}


def importers():
    """Returns the files that import each module, as `package.module`."""
    found = defaultdict(set)
    for name, text in TEXTS.items():
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.ImportFrom) and node.module:
                found[node.module].add(name)
                for alias in node.names:
                    found[f"{node.module}.{alias.name}"].add(name)
            elif isinstance(node, ast.Import):
                for alias in node.names:
                    found[alias.name].add(name)
    return found


def test_a_small_file_has_two_importers_or_a_paper():
    by_module = importers()
    small = {name for name, lines in LINES.items()
             if name.startswith("landmark_zoo/") and lines < 80 and len(by_module[name[:-3].replace("/", ".")]) < 2
             and "layers/attention/" not in name and "\ndef main(" not in TEXTS[name]}
    assert small <= set(SMALL)


def test_a_long_file_has_a_reason():
    assert {name for name, lines in LINES.items() if lines > 350} <= set(REASONS)
    assert {name: lines for name, lines in LINES.items() if lines > LONGEST} == {}


def test_reasons_are_of_files_that_exist():
    assert {*SMALL, *REASONS} <= set(TEXTS)


def test_number_and_size_of_files():
    assert len(TEXTS) <= 283  # 265, Keras applications (6), DINOv2, SALAD and MegaLoc (3), published checkpoints (8)
    assert statistics.median(LINES.values()) >= 100
    assert len(list((ROOT / "tests").rglob("test_*.py"))) <= 295


def test_imports_have_no_cycle():
    graph = grimp.build_graph("landmark_zoo", exclude_type_checking_imports=True, cache_dir=None)
    imports = {module: graph.find_modules_directly_imported_by(module) for module in graph.modules}
    assert sum(map(len, imports.values())) > 300
    graphlib.TopologicalSorter(imports).prepare()  # a cycle is a CycleError that names it
