"""Pictures to check an exported model with, where none are given."""

from pathlib import Path

import cv2
import numpy as np


def write_check_pictures(folder: str | Path) -> list[Path]:
    """Draws the same few pictures each time: colour and gray JPEG, PNGs with alpha and with 16 bits, tall, wide and small.

    Args:
        folder: Gets the files.

    Returns:
        Their paths.
    """
    gray = _blobs(240, 170, 1, seed=1)
    alpha = np.concatenate([_blobs(96, 96, 3, seed=2), np.full([96, 96, 1], 255, np.uint8)], axis=2)
    sixteen = _blobs(70, 120, 3, seed=3).astype(np.uint16) * 257
    pictures = {"colour.jpg": _blobs(180, 260, 3, seed=0), "gray.jpg": gray, "alpha.png": alpha, "16-bit.png": sixteen,
                "small.jpg": _blobs(33, 40, 3, seed=4)}
    paths = []
    for name, pixels in pictures.items():
        path = Path(folder) / name
        path.write_bytes(cv2.imencode(path.suffix, pixels)[1].tobytes())
        paths.append(path)
    return paths


def _blobs(height: int, width: int, channels: int, seed: int) -> np.ndarray:
    coarse = np.random.default_rng(seed).integers(0, 256, [6, 6, channels]).astype(np.uint8)
    return cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC).reshape(height, width, channels)
