"""Loads a SavedModel where this project cannot be imported, checks all its signatures there, and prints them.

    python -m export.check --savedmodel=DIR
    python -m export.check --savedmodel=DIR --python=/path/to/another/venv/bin/python

With --python the other interpreter, and its TensorFlow, must give the same embeddings.
"""

from pathlib import Path

import numpy as np
from absl import flags

from landmark_zoo.core.errors import UserError, printable
from landmark_zoo.core.scripts import run
from landmark_zoo.serving.check import isolated_check

_SAVED_MODEL = flags.DEFINE_string("savedmodel", None, "Exported model, a folder <name>/<version>.", required=True)
_IMAGES = flags.DEFINE_list("images", [], "Images to embed there; unset: some are drawn.")
_PYTHON = flags.DEFINE_string("python", None, "Another interpreter, of an environment with another TensorFlow.")


def main(_):
    """Checks, compares, prints."""
    missing = [path for path in _IMAGES.value if not Path(path).is_file()]
    if missing:
        raise UserError("pictures", f"no file at {missing[0]}", "Check --images.")
    found = isolated_check(_SAVED_MODEL.value, _IMAGES.value)
    for name, signature in found.signatures.items():
        specs = [(side, *spec) for side in ("inputs", "outputs") for spec in signature[side].items()]
        print(name, *(f"\n  {side} {key}: {spec}" for side, key, spec in specs))
    print(*(printable(f"{key}: {value}") for key, value in sorted(found.info.items())), sep="\n")
    print(f"{len(found.embeddings)} images embedded without this project's code, TensorFlow {found.tensorflow}.")
    if _PYTHON.value:
        other = isolated_check(_SAVED_MODEL.value, _IMAGES.value, _PYTHON.value)
        difference = float(np.abs(found.embeddings - other.embeddings).max())
        if not difference <= found.tolerance:
            raise UserError(f"the same embeddings with TensorFlow {other.tensorflow}", f"a difference of {difference:.2g}",
                            "Export with operations that both versions compute alike.")
        print(f"The same with TensorFlow {other.tensorflow} on Python {other.python}: largest difference {difference:.1g}.")


if __name__ == "__main__":
    run(main)
