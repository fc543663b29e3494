"""Loads a SavedModel where this project cannot be imported, and prints its signatures.

    python -m export.check --savedmodel=DIR
"""

from pathlib import Path

import numpy as np
from absl import flags

from landmark_zoo.core.errors import UserError
from landmark_zoo.core.script import run
from landmark_zoo.serving.isolated_check import isolated_check

_SAVED_MODEL = flags.DEFINE_string("savedmodel", None, "Folder <name>/<version>.", required=True)
_IMAGES = flags.DEFINE_list("images", [], "Pictures to embed there.")


def main(_):
    """Checks, prints."""
    missing = [path for path in _IMAGES.value if not Path(path).is_file()]
    if missing:
        raise UserError("pictures", f"no file at {missing[0]}", "Check --images.")
    embeddings, signatures = isolated_check(_SAVED_MODEL.value, _IMAGES.value)
    for name, signature in signatures.items():
        specs = [(side, *spec) for side in ("inputs", "outputs") for spec in signature[side].items()]
        print(name, *(f"\n  {side} {key}: {spec}" for side, key, spec in specs))
    lengths = np.linalg.norm(embeddings, axis=1)
    if not np.allclose(lengths, 1, atol=1e-3):
        raise UserError("embeddings of length 1", f"lengths {lengths.tolist()}", "Export the model again.")
    print(f"{len(embeddings)} pictures embedded without this project's code.")


if __name__ == "__main__":
    run(main)
