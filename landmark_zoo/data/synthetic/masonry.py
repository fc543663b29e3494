"""Wall and roof surfaces: stone courses, brick, plaster, glass, tiles."""

import cv2
import numpy as np

from landmark_zoo.data.synthetic.palette import Colour

MATERIALS = ("ashlar", "brick", "plaster", "rubble", "marble")
_JOINTS = {"ashlar": (0.75, 1.6, 0.07, 0.86), "brick": (0.4, 0.9, 0.10, 0.80), "rubble": (0.8, 1.1, 0.12, 0.78)}
_BLOCK_SPREAD = {"ashlar": 0.055, "brick": 0.09, "rubble": 0.10}


def masonry(rng: np.random.Generator, material: str, colour: Colour, pixels: int, density: float) -> np.ndarray:
    """Draws a square piece of wall.

    Args:
        rng: Source of chance.
        material: One of `MATERIALS`.
        colour: Mean RGB.
        pixels: Side of the square.
        density: Pixels per metre; joints finer than two pixels are left out.

    Returns:
        uint8 [pixels, pixels, 3].
    """
    tone = 1 + 0.05 * cloudy(rng, pixels, 5) + 0.03 * rng.standard_normal((pixels, pixels), np.float32)
    if material in _JOINTS:
        tone *= _blocks(rng, material, pixels, density)
    elif material == "marble":
        veins = np.abs(cloudy(rng, pixels, 4))
        tone *= 1 - 0.14 * np.clip(1 - 6 * veins, 0, 1)
    hue = 0.02 * cloudy(rng, pixels, 3)[..., None] * np.array([1, 0.2, -1], np.float32)
    return np.clip(np.array(colour, np.float32) * (tone[..., None] + hue), 0, 255).astype(np.uint8)


def roofing(rng: np.random.Generator, colour: Colour, pixels: int, density: float) -> np.ndarray:
    """Draws a square piece of roof in rows of tiles or slates; uint8 [pixels, pixels, 3]."""
    row = np.arange(pixels) / (density * 0.7)
    tone = 1 + 0.06 * cloudy(rng, pixels, 4) + 0.05 * rng.standard_normal((pixels, pixels), np.float32)
    if density * 0.7 >= 3:
        tone *= (0.82 + 0.28 * (row % 1)).astype(np.float32)[:, None]
        tone *= np.where((row % 1) < 0.15, 0.9, 1).astype(np.float32)[:, None]
    return np.clip(np.array(colour, np.float32) * tone[..., None], 0, 255).astype(np.uint8)


def cloudy(rng: np.random.Generator, pixels: int, octaves: int) -> np.ndarray:
    """Draws smooth noise of about unit strength, float32 [pixels, pixels]; repeats without a seam at powers of 2."""
    total = np.zeros((pixels, pixels), np.float32)
    for octave in range(octaves):
        side = min(2 ** (octave + 2), pixels)
        coarse = np.pad(rng.standard_normal((side, side), np.float32) * np.float32(0.6 ** octave), 2, mode="wrap")
        step = -(-pixels // side)
        fine = cv2.resize(coarse, None, fx=step, fy=step, interpolation=cv2.INTER_LINEAR)
        total += fine[2 * step:2 * step + pixels, 2 * step:2 * step + pixels]
    return total / max(float(total.std()), 1e-6)


def _blocks(rng: np.random.Generator, material: str, pixels: int, density: float) -> np.ndarray:
    height, width, joint, dark = _JOINTS[material]
    height, width = max(height, 5 / density), max(width, 9 / density)
    at = np.arange(pixels) / density
    course = (at / height).astype(int)
    tones = 1 + _BLOCK_SPREAD[material] * rng.standard_normal((int(course[-1]) + 1, 256)).astype(np.float32)
    offset = rng.random(len(tones)) if material == "rubble" else np.arange(len(tones)) % 2 / 2
    place = at[None] / width + offset[course][:, None]
    tone = tones[course[:, None], place.astype(int) % 256]
    thin = max(joint, 1 / density / height)
    lines = (at / height % 1 < thin)[:, None] | (place % 1 < max(joint * height / width, 1 / density / width))
    return np.where(lines, np.float32(dark), tone)
