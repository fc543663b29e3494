"""Outlines of windows, doors and arches."""

import numpy as np

OPENINGS = ("square", "round", "pointed", "segmental", "horseshoe", "ogee")


def opening(shape: str, x: float, y: float, width: float, height: float) -> np.ndarray:
    """Returns the outline of an opening as points float64 [N, 2].

    Args:
        shape: One of `OPENINGS`, or "oculus" (an ellipse).
        x: Its middle.
        y: Its sill.
        width: Its breadth.
        height: From the sill to the crown.
    """
    half = width / 2
    if shape == "square":
        return np.array([(x - half, y), (x + half, y), (x + half, y + height), (x - half, y + height)])
    if shape == "oculus":
        turn = np.linspace(0, 2 * np.pi, 25)[:-1]
        return np.stack([x + half * np.cos(turn), y + height / 2 * (1 + np.sin(turn))], 1)
    rise, across, up = _crown(shape)
    rise = min(rise * width, height * 0.8)
    crown = np.stack([x + half * across, y + height - rise + rise * up], 1)
    return np.concatenate([[(x + half * across[0], y)], crown, [(x + half * across[-1], y)]])


def _crown(shape: str) -> tuple[float, np.ndarray, np.ndarray]:
    """Returns rise / width, and the arch from right to left in units of half the width and of the rise."""
    turn = np.linspace(0, np.pi, 17)
    if shape == "round":
        return 0.5, np.cos(turn), np.sin(turn)
    if shape == "segmental":
        return 0.2, np.cos(turn), np.sin(turn) ** 0.7
    if shape == "horseshoe":
        turn = np.linspace(-0.45, np.pi + 0.45, 21)
        up = (np.sin(turn) + np.sin(0.45)) / (1 + np.sin(0.45))
        return 0.72, np.cos(turn), up
    side = np.linspace(0, np.pi / 3, 9)
    across, up = np.maximum(2 * np.cos(side) - 1, 0), np.sin(side) / np.sin(np.pi / 3)
    if shape == "ogee":
        up = up ** 1.6
        across = across ** 0.8
    elif shape != "pointed":
        raise ValueError(f"expected a shape of {OPENINGS}, received {shape!r}")
    rise = 1.0 if shape == "ogee" else 0.87
    return rise, np.concatenate([across, -across[-2::-1]]), np.concatenate([up, up[-2::-1]])
