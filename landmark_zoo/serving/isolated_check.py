"""Loads a SavedModel in a process that sees TensorFlow but not this project, and checks all its signatures there."""

import dataclasses
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from landmark_zoo.core.errors import UserError
from landmark_zoo.core.files import read_json
from landmark_zoo.serving.check_pictures import write_check_pictures

_PROGRAM = Path(__file__).with_name("isolated_program.py")


@dataclasses.dataclass(frozen=True)
class IsolatedCheck:
    """What an isolated process found.

    Attributes:
        embeddings: float32 [N, D] of the pictures, by `serving_default`.
        signatures: Name to "inputs" and "outputs" in words.
        info: What the model says of itself.
        tolerance: The largest difference that two of its embeddings may have that should be one: 1e-4, or 2e-2 where it
            computes in 16 bits.
        tensorflow: Version that ran it.
        python: Likewise.
    """

    embeddings: np.ndarray
    signatures: Mapping[str, Mapping[str, Mapping[str, str]]]
    info: Mapping[str, Any]
    tolerance: float
    tensorflow: str
    python: str


def isolated_check(saved_model: str | Path, pictures: Sequence[str | Path] = (),
                   python: str | Path = sys.executable) -> IsolatedCheck:
    """Checks every signature in a process started with `python -I` that cannot import this project.

    Embeddings have length 1; one picture at a time, all at once, through `images` and through `crop` they are the same; an
    empty batch gives no rows; bytes that are no picture and wrong boxes are named by position; `info` holds what protocol
    cards need.

    Args:
        saved_model: `<name>/<version>`.
        pictures: Files; a few are drawn where none are given.
        python: The interpreter, of any environment with TensorFlow.

    Raises:
        UserError: It does not load or run there, or a check fails.
    """
    with tempfile.TemporaryDirectory() as folder:
        files = [Path(picture).resolve() for picture in pictures] or write_check_pictures(folder)
        command = [str(python), "-I", str(_PROGRAM), str(Path(saved_model).resolve()), folder, *map(str, files)]
        try:
            done = subprocess.run(command, capture_output=True, text=True, cwd=folder, check=False)
        except OSError as error:
            raise UserError(f"a Python interpreter at {python}", error.strerror, "Check --python.") from error
        if done.returncode != 0:
            raise UserError(f"a SavedModel at {saved_model} that does its work with TensorFlow alone",
                            (done.stderr.strip().splitlines() or ["no message"])[-1], "Export it again.")
        embeddings = np.load(Path(folder) / "embedding.npy", allow_pickle=False)
        return IsolatedCheck(embeddings, **read_json(Path(folder) / "report.json"))
