"""Ornament on walls: crowns, portals, rose windows, clocks."""

import numpy as np

from landmark_zoo.data.synthetic.building import Building
from landmark_zoo.data.synthetic.canvas import Canvas
from landmark_zoo.data.synthetic.openings import opening
from landmark_zoo.data.synthetic.palette import Colour, Palette, mix

_DEPTH = (38, 33, 32)
_STAINED = ((126, 60, 64), (64, 84, 132), (150, 120, 60), (70, 104, 84))


def crown(canvas: Canvas, building: Building, kind: str, unit: float) -> float:
    """Ends a wall above; returns the height in metres below it that is free for windows.

    Args:
        canvas: The wall.
        building: Whose wall.
        kind: One of `building.CROWNS`, or "none".
        unit: A hundredth of the building's size.
    """
    width, height, palette = canvas.width, canvas.height, building.palette
    pale = mix(palette.trim, (255, 255, 255), 0.15)
    if kind == "none":
        return height
    if kind == "cornice":
        _ledge(canvas, pale, height - 1.5 * unit, unit)
        return height - 2.4 * unit
    rise = min(2.6 * unit, 0.2 * height)
    step = width / max(round(width / (2.0 * rise if kind != "balustrade" else 0.7 * rise)), 1)
    low = height - rise
    for number in range(round(width / step) + 1):
        _crenel(canvas, kind, number * step, low, step, rise)
    if kind == "balustrade":
        canvas.rectangle(0, height - 0.3 * rise, width, 0.3 * rise, pale)
    _ledge(canvas, pale, low - 0.9 * unit, unit)
    return low - 1.8 * unit


def portal(canvas: Canvas, palette: Palette, shape: str, x: float, width: float, height: float) -> None:
    """Draws a doorway of receding arches with two leaves and steps."""
    rings = (mix(palette.trim, (255, 255, 255), 0.1), mix(palette.wall, (60, 50, 45), 0.35), palette.trim,
             mix(palette.wall, (40, 34, 32), 0.55))
    for number, colour in enumerate(rings):
        share = 1 - 0.11 * number
        canvas.polygon(opening(shape, x, 0, width * share, height * share), colour)
    canvas.polygon(opening(shape, x, 0, width * 0.54, height * 0.54), palette.door, 60)
    canvas.line([(x, 0), (x, height * 0.5)], _DEPTH, width * 0.03)
    canvas.line([(x - width * 0.25, height * 0.36), (x + width * 0.25, height * 0.36)], _DEPTH, width * 0.02)


def rose_window(canvas: Canvas, palette: Palette, x: float, y: float, radius: float) -> None:
    """Draws a round window of petals."""
    canvas.disc(x, y, radius * 1.18, mix(palette.trim, (255, 255, 255), 0.15))
    canvas.disc(x, y, radius, mix(palette.glass, (20, 20, 30), 0.5), 150)
    for number, turn in enumerate(np.linspace(0, 2 * np.pi, 13)[:-1]):
        canvas.disc(x + 0.7 * radius * np.cos(turn), y + 0.7 * radius * np.sin(turn), radius * 0.16,
                    _STAINED[number % 4], 230)
        canvas.line([(x, y), (x + radius * np.cos(turn), y + radius * np.sin(turn))], palette.trim, radius * 0.05)
    canvas.disc(x, y, radius * 0.26, palette.trim)
    canvas.disc(x, y, radius * 0.17, _STAINED[0], 230)


def clock_face(canvas: Canvas, palette: Palette, x: float, y: float, radius: float) -> None:
    """Draws a clock; every building's shows ten past ten."""
    canvas.disc(x, y, radius * 1.2, mix(palette.metal, (40, 34, 30), 0.3))
    canvas.disc(x, y, radius, (240, 236, 222), 220)
    for turn in np.linspace(0, 2 * np.pi, 13)[:-1]:
        along = np.array([np.cos(turn), np.sin(turn)])
        canvas.line([(x, y) + along * radius * 0.78, (x, y) + along * radius * 0.92], _DEPTH, radius * 0.07)
    for turn, length in ((2.6, 0.5), (0.52, 0.74)):
        canvas.line([(x, y), (x + radius * length * np.cos(turn), y + radius * length * np.sin(turn))], _DEPTH,
                    radius * 0.09)


def _ledge(canvas: Canvas, colour: Colour, y: float, unit: float) -> None:
    canvas.rectangle(0, y - 0.9 * unit, canvas.width, 0.5 * unit, mix(colour, (60, 50, 45), 0.25))
    step = 1.1 * unit
    for number in range(int(canvas.width / step) + 1):
        canvas.rectangle(number * step, y - 0.5 * unit, step * 0.55, 0.5 * unit, colour)
    canvas.rectangle(0, y, canvas.width, canvas.height - y if canvas.height - y < 2 * unit else unit, colour)
    canvas.shade(0, y - 2.4 * unit, canvas.width, 1.9 * unit, 0.62, 1.0)


def _crenel(canvas: Canvas, kind: str, x: float, low: float, step: float, rise: float) -> None:
    high = low + rise * 1.05
    if kind == "battlements":
        canvas.cut([(x + step * 0.55, low + 0.2 * rise), (x + step, low + 0.2 * rise), (x + step, high),
                    (x + step * 0.55, high)])
    elif kind == "swallowtails":
        canvas.cut([(x + step * 0.6, low), (x + step, low), (x + step, high), (x + step * 0.6, high)])
        canvas.cut([(x, high), (x + step * 0.3, low + 0.5 * rise), (x + step * 0.6, high)])
    elif kind == "pinnacles":
        canvas.cut([(x + step * 0.12, high), (x + step * 0.3, low), (x + step * 0.7, low), (x + step * 0.88, high)])
    else:
        canvas.cut([(x + step * 0.3, low + 0.1 * rise), (x + step * 0.7, low + 0.1 * rise),
                    (x + step * 0.7, low + 0.7 * rise), (x + step * 0.3, low + 0.7 * rise)])
