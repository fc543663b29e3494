"""Round things: towers, domes, spires and columns, as sprites shaded like cylinders."""

from collections.abc import Sequence

import cv2
import numpy as np

from landmark_zoo.data.synthetic.canvas import Canvas
from landmark_zoo.data.synthetic.texture import Texture

Outline = Sequence[tuple[float, float]]

OUTLINES: dict[str, Outline] = {
    "tower": ((0, 0.97), (0.06, 0.95), (0.86, 0.9), (0.9, 1.0), (1, 1.0)),
    "shaft": ((0, 1.0), (1, 0.94)),
    "taper": ((0, 1.0), (0.05, 0.95), (1, 0.62)),
    "column": ((0, 1.0), (0.05, 1.0), (0.055, 0.8), (0.5, 0.78), (0.9, 0.68), (0.905, 0.8), (0.95, 1.0), (1, 1.0)),
    "minaret": ((0, 1.0), (0.3, 0.92), (0.31, 1.45), (0.35, 1.45), (0.36, 0.8), (0.62, 0.74), (0.63, 1.25),
                (0.67, 1.25), (0.68, 0.62), (0.82, 0.6), (0.83, 0.9), (0.85, 0.9), (0.86, 0.55), (0.93, 0.45),
                (1, 0.02)),
    "hemisphere": tuple((float(np.sin(a)), float(np.cos(a))) for a in np.linspace(0, np.pi / 2, 14)),
    "saucer": tuple((float(np.sin(a)), float(np.cos(a) ** 1.3)) for a in np.linspace(0, np.pi / 2, 14)),
    "pointed": ((0, 0.94), (0.1, 0.99), (0.25, 1.0), (0.4, 0.94), (0.55, 0.82), (0.7, 0.62), (0.82, 0.42), (0.92, 0.2),
                (1, 0.02)),
    "onion": ((0, 0.66), (0.08, 0.84), (0.18, 0.97), (0.28, 1.0), (0.4, 0.93), (0.52, 0.74), (0.64, 0.5), (0.75, 0.29),
              (0.86, 0.14), (1, 0.02)),
    "melon": ((0, 0.84), (0.12, 0.95), (0.3, 1.0), (0.5, 0.93), (0.7, 0.74), (0.85, 0.5), (0.95, 0.25), (1, 0.05)),
    "needle": ((0, 1.0), (0.08, 0.82), (0.5, 0.38), (1, 0.02)),
    "cone": ((0, 1.1), (1, 0.02)),
    "helm": ((0, 1.0), (0.12, 1.05), (0.3, 0.8), (0.42, 0.45), (0.5, 0.5), (0.6, 0.42), (0.7, 0.2), (1, 0.02)),
    "lantern": ((0, 1.0), (0.15, 0.9), (0.3, 0.62), (0.34, 0.6), (0.36, 0.46), (0.62, 0.44), (0.64, 0.55), (0.8, 0.3),
                (0.9, 0.06), (1, 0.02)),
}


def turn(canvas: Canvas, outline: Outline) -> Texture:
    """Wraps a flat drawing round a body of revolution, as seen from the side and lit from the left.

    Args:
        canvas: Half of the body unrolled; its width is half the greatest circumference.
        outline: (share of the height, share of the greatest radius) from the foot up; radii may pass 1 for ledges.

    Returns:
        A texture as wide as the greatest diameter of the outline and as high as the canvas.
    """
    rows, columns = canvas.lights.shape
    heights, radii = np.array(outline, np.float64).T
    greatest = float(radii.max())
    wide = max(round(2 * greatest * columns / np.pi), 3)
    radius = np.interp(1 - (np.arange(rows) + 0.5) / rows, heights, radii)[:, None] * columns / np.pi
    across = (np.arange(wide) + 0.5 - wide / 2)[None] / np.maximum(radius, 0.3)
    angle = np.arcsin(np.clip(across, -1, 1)).astype(np.float32)
    at_x = (angle / np.float32(np.pi) + 0.5) * columns - 0.5
    at_y = np.repeat(np.arange(rows, dtype=np.float32)[:, None], wide, 1)
    pixels = cv2.remap(canvas.pixels, at_x, at_y, cv2.INTER_LINEAR, None, cv2.BORDER_REPLICATE)
    lights = cv2.remap(canvas.lights, at_x, at_y, cv2.INTER_LINEAR, None, cv2.BORDER_REPLICATE)
    slope = np.gradient(radius[:, 0])[:, None].clip(-1.5, 1.5)
    light = 0.58 + 0.5 * np.maximum(np.cos(angle + 0.75), 0) + 0.16 * slope.clip(0, 1) - 0.2 * (-slope).clip(0, 1)
    pixels[..., :3] = np.clip(pixels[..., :3] * light[..., None], 0, 255).astype(np.uint8)
    pixels[..., 3] = np.where(np.abs(across) <= 1, pixels[..., 3], 0)
    lights[np.abs(across) > 1] = 0
    return Texture(pixels, lights)
