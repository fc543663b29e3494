"""Loads a SavedModel in a process that sees TensorFlow but not this project."""

import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from landmark_zoo.core.errors import UserError

_PROGRAM = """
import json, os, sys
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import numpy as np
import tensorflow as tf
try:
    import landmark_zoo
    sys.exit("landmark_zoo can be imported: the check would prove nothing")
except ImportError:
    pass
model = tf.saved_model.load(sys.argv[1])
pictures = [open(path, "rb").read() for path in sys.argv[3:]]
embedding = model.signatures["serving_default"](image_bytes=tf.constant(pictures, tf.string))["embedding"].numpy()
np.save(sys.argv[2], embedding)
signatures = {name: {"inputs": {key: str(spec) for key, spec in function.structured_input_signature[1].items()},
                     "outputs": {key: str(spec) for key, spec in function.structured_outputs.items()}}
              for name, function in model.signatures.items()}
print(json.dumps(signatures))
"""
_BLOCK = """
import sys
class _Block:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in ("landmark_zoo", "experiments", "export"):
            raise ImportError(name)
sys.meta_path.insert(0, _Block())
"""


def isolated_check(saved_model: str | Path, pictures: Sequence[str | Path]) -> tuple[np.ndarray, dict]:
    """Embeds pictures by `serving_default` in a process started with `python -I` that cannot import this project.

    Args:
        saved_model: `<name>/<version>`.
        pictures: Files; may be empty.

    Returns:
        float32 [N, D], and the signatures in words.

    Raises:
        UserError: It does not load or run there.
    """
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder) / "embedding.npy"
        command = [sys.executable, "-I", "-c", _BLOCK + _PROGRAM, str(Path(saved_model).resolve()), str(output),
                   *(str(Path(picture).resolve()) for picture in pictures)]
        done = subprocess.run(command, capture_output=True, text=True, cwd=folder, check=False)
        if done.returncode != 0:
            raise UserError(f"a SavedModel at {saved_model} that runs with TensorFlow alone",
                            (done.stderr.strip().splitlines() or ["no message"])[-1], "Export it again.")
        return np.load(output, allow_pickle=False), json.loads(done.stdout.strip().splitlines()[-1])
