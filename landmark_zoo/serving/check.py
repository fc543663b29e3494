"""Check of a SavedModel in a process that cannot import this project."""

import dataclasses
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from landmark_zoo.core.errors import UserError
from landmark_zoo.core.files import read_json, read_npy


def write_check_images(folder: str | Path) -> list[Path]:
    """Draws the same few pictures each time: colour and gray JPEG, PNGs with alpha and with 16 bits, tall, wide and small.

    Args:
        folder: Gets the files.

    Returns:
        Their paths.
    """
    gray = _blobs(240, 170, 1, seed=1)
    alpha = np.concatenate([_blobs(96, 96, 3, seed=2), np.full([96, 96, 1], 255, np.uint8)], axis=2)
    sixteen = _blobs(70, 120, 3, seed=3).astype(np.uint16) * 257
    images = {"colour.jpg": _blobs(180, 260, 3, seed=0), "gray.jpg": gray, "alpha.png": alpha, "16-bit.png": sixteen,
                "small.jpg": _blobs(33, 40, 3, seed=4)}
    paths = []
    for name, pixels in images.items():
        path = Path(folder) / name
        path.write_bytes(cv2.imencode(path.suffix, pixels)[1].tobytes())
        paths.append(path)
    return paths


def _blobs(height: int, width: int, channels: int, seed: int) -> np.ndarray:
    coarse = np.random.default_rng(seed).integers(0, 256, [6, 6, channels]).astype(np.uint8)
    return cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC).reshape(height, width, channels)


_PROGRAM = Path(__file__).with_name("isolated_program.py")


@dataclasses.dataclass(frozen=True)
class IsolatedCheck:
    """Findings of an isolated process.

    Attributes:
        embeddings: float32 [N, D] of the pictures, by `serving_default`.
        signatures: Name to "inputs" and "outputs" in words.
        info: Constants of `info()`.
        tolerance: The largest difference that two of its embeddings may have that should be one: 1e-4, or 2e-2 where it
            computes in 16 bits.
        tensorflow: Version that ran it.
        python: Version of the interpreter.
    """

    embeddings: np.ndarray
    signatures: Mapping[str, Mapping[str, Mapping[str, str]]]
    info: Mapping[str, Any]
    tolerance: float
    tensorflow: str
    python: str


def isolated_check(saved_model: str | Path, images: Sequence[str | Path] = (),
                   python: str | Path = sys.executable) -> IsolatedCheck:
    """Checks every signature in a process started with `python -I` that cannot import this project.

    Embeddings have length 1; one picture at a time, all at once, through `images` and through `crop` they are the same; an
    empty batch gives no rows; bytes that are no picture and wrong boxes are named by position; `info` holds what protocol
    cards need.

    Args:
        saved_model: `<name>/<version>`.
        images: Files; a few are drawn where none are given.
        python: The interpreter, of any environment with TensorFlow.

    Raises:
        UserError: It does not load or run there, or a check fails.
    """
    with tempfile.TemporaryDirectory() as folder:
        files = [Path(image).resolve() for image in images] or write_check_images(folder)
        command = [str(python), "-I", str(_PROGRAM), str(Path(saved_model).resolve()), folder, *map(str, files)]
        try:
            done = subprocess.run(command, capture_output=True, text=True, cwd=folder, check=False)
        except OSError as error:
            raise UserError(f"a Python interpreter at {python}", error.strerror, "Check --python.") from error
        if done.returncode != 0:
            raise UserError(f"a SavedModel at {saved_model} that does its work with TensorFlow alone",
                            (done.stderr.strip().splitlines() or ["no message"])[-1], "Export it again.")
        embeddings = read_npy(Path(folder) / "embedding.npy")
        return IsolatedCheck(embeddings, **read_json(Path(folder) / "report.json"))
