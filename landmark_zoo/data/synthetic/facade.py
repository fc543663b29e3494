"""A wall with its windows, doors and ornament, seen straight on."""

from dataclasses import dataclass

import numpy as np

from landmark_zoo.data.synthetic.building import Building
from landmark_zoo.data.synthetic.canvas import Canvas
from landmark_zoo.data.synthetic.openings import opening
from landmark_zoo.data.synthetic.ornament import clock_face, crown, portal, rose_window
from landmark_zoo.data.synthetic.palette import mix
from landmark_zoo.data.synthetic.window import Glazier


@dataclass(frozen=True)
class Facade:
    """What stands on a wall; whatever is not said here is the building's.

    Attributes:
        storeys: Rows of windows; 0 leaves the wall blind.
        bays: Columns of windows.
        window: Shape of the windows, the building's if None.
        window_share: Breadth by bay, the building's if None.
        tall: Height of a window by height of its storey.
        portals: Doors in the middle of the ground floor: 0, 1 or 3.
        arcade: The ground floor is a row of open arches.
        crown: What ends the wall above, the building's if None; "none" for nothing.
        rose: A round window high in the middle.
        clock: A clock high in the middle.
        dressed: Plinth, courses, pilasters and quoins as the building has them.
    """

    storeys: int = 0
    bays: int = 1
    window: str | None = None
    window_share: float | None = None
    tall: float = 0.62
    portals: int = 0
    arcade: bool = False
    crown: str | None = None
    rose: bool = False
    clock: bool = False
    dressed: bool = True


def draw_facade(building: Building, facade: Facade, width: float, height: float, density: float, paint: np.ndarray,
                rng: np.random.Generator) -> Canvas:
    """Draws a wall.

    Args:
        building: Whose wall; its palette and ornament are used.
        facade: What stands on it.
        width, height: Metres.
        density: Pixels per metre.
        paint: uint8 [P, P, 3], the bare wall, at least as large as the result.
        rng: Source of chance for glass and lights.
    """
    canvas = Canvas(width, height, density, paint)
    unit = building.size / 100
    palette = building.palette
    if building.stripes and facade.dressed:
        step = 3.2 * unit
        for number in range(int(height / step)):
            canvas.shade(0, (number + 0.5) * step, width, step * 0.42, 0.8, 0.8)
    top = crown(canvas, building, facade.crown or building.crown, unit)
    if facade.storeys:
        _windows(canvas, building, facade, top, rng)
    if facade.dressed:
        _dress(canvas, building, facade, top, unit)
    middle = width / 2
    if facade.rose:
        rose_window(canvas, palette, middle, top * 0.74, min(0.3 * width, 0.17 * top))
    if facade.clock:
        clock_face(canvas, palette, middle, top - min(0.36 * width, 0.2 * height), min(0.3 * width, 0.13 * height))
    if facade.portals:
        storey = top / max(facade.storeys, 1) if facade.storeys else top * 0.6
        reach = min(storey * 0.92, top * 0.6)
        for number in range(facade.portals):
            share = 0.5 if facade.portals == 1 else (0.2, 0.5, 0.8)[number]
            size = 1.0 if number == facade.portals // 2 else 0.8
            span = min(0.24 * width if facade.portals == 3 else 0.36 * width, reach * 0.85)
            portal(canvas, palette, building.portal, width * share, span * size, reach * size)
    canvas.shade(0, 0, width, min(height * 0.12, 3 * unit), 1.0, 0.8)
    return canvas


def _windows(canvas: Canvas, building: Building, facade: Facade, top: float, rng: np.random.Generator) -> None:
    glazier = Glazier(building, canvas.density)
    storey, bay = top / facade.storeys, canvas.width / facade.bays
    share = facade.window_share or building.window_share
    shape = facade.window or building.window
    for row in range(facade.storeys):
        if row == 0 and facade.arcade:
            _arcade(canvas, building, bay, facade.bays, storey)
            continue
        breadth, rise = bay * share, storey * facade.tall
        form = "square" if row and row == facade.storeys - 1 and facade.storeys > 3 else shape
        rise = rise * 0.75 if form != shape else rise
        rise = min(rise, breadth * 3.6)
        for column in range(facade.bays):
            pane = glazier.window(form, breadth, rise, lit=rng.random() < 0.45, tone=int(rng.integers(3)))
            middle = (column + 0.5) * bay
            canvas.stamp(pane, middle - pane.width / 2, (row + 0.5) * storey - pane.height / 2)


def _arcade(canvas: Canvas, building: Building, bay: float, bays: int, storey: float) -> None:
    for column in range(bays):
        middle = (column + 0.5) * bay
        canvas.polygon(opening(building.portal, middle, 0, bay * 0.86, storey * 0.92), building.palette.trim)
        canvas.polygon(opening(building.portal, middle, 0, bay * 0.68, storey * 0.84), (44, 39, 38), 70)


def _dress(canvas: Canvas, building: Building, facade: Facade, top: float, unit: float) -> None:
    palette, width = building.palette, canvas.width
    pale = mix(palette.trim, (255, 255, 255), 0.15)
    for row in range(1, facade.storeys):
        y = top * row / facade.storeys
        canvas.rectangle(0, y - 0.35 * unit, width, 0.7 * unit, pale)
        canvas.shade(0, y - 1.0 * unit, width, 0.7 * unit, 0.72, 1.0)
    bay = width / facade.bays
    if building.pilasters and facade.bays >= 3 and bay > 3 * unit:
        breadth = min(0.14 * bay, 1.6 * unit)
        for column in range(facade.bays + 1):
            x = float(np.clip(column * bay - breadth / 2, 0, width - breadth))
            canvas.rectangle(x, 0, breadth, top, palette.trim)
            canvas.shade(x + breadth * 0.7, 0, breadth * 0.6, top, 0.76, 0.76)
            canvas.rectangle(x - 0.3 * breadth, top - breadth, breadth * 1.6, breadth, pale)
    elif building.quoins:
        long = min(2.4 * unit, width / 6)
        step = 1.5 * unit
        for number in range(int(top / step)):
            length = long if number % 2 else long * 0.6
            for x in (0.0, width - length):
                canvas.rectangle(x, number * step, length, step * 0.86, palette.trim)
    canvas.rectangle(0, 0, width, 1.3 * unit, mix(palette.wall, (70, 64, 60), 0.35))
    canvas.rectangle(0, 1.3 * unit, width, 0.3 * unit, pale)
