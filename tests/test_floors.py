"""The floors of DESIGN.md."""

import subprocess
import sys
from pathlib import Path


def test_every_module_imports_from_floors_below_only(root):
    lint = Path(sys.executable).parent / "lint-imports"
    done = subprocess.run([lint], cwd=root, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_only_the_public_keras_is_used(root):
    for folder in ("landmark_zoo", "experiments", "export"):
        for path in (root / folder).rglob("*.py"):
            text = path.read_text(encoding="utf-8")
            assert "keras.src" not in text, path
            assert "tensorflow.python" not in text, path
            assert "tensorflow_addons" not in text, path
