"""Landmarks from one shape grammar: a mass with set-backs, wings, towers and a roof, and its facades."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import pairwise

import numpy as np

from landmark_zoo.data.synthetic.render import Canvas, Color, Quad, Texture

STONES: tuple[Color, ...] = ((206, 194, 168), (192, 170, 138), (172, 167, 158), (186, 152, 124))
ROOFS: tuple[Color, ...] = ((96, 100, 110), (150, 96, 74), (118, 140, 130))
_TRIMS = [tuple((value + 248) // 2 for value in stone) for stone in STONES]
_SHADES = [tuple(value * 5 // 8 for value in stone) for stone in STONES]
OPENINGS = ("square", "arch", "pointed", "round")
ROOF_SHAPES = ("flat", "gable", "hip", "dome")
CROWNS = ("none", "cornice", "teeth")
CAPS: dict[str, tuple[tuple[float, float], ...]] = {
    "flat": ((1.0, 0.0), (0.02, 0.15)),
    "spire": ((1.08, 0.0), (0.02, 4.2)),
    "pyramid": ((1.12, 0.0), (0.02, 1.7)),
    "dome": ((1.0, 0.0), (0.95, 0.38), (0.76, 0.74), (0.42, 1.0), (0.02, 1.12)),
    "onion": ((0.8, 0.0), (1.22, 0.55), (1.12, 1.0), (0.52, 1.6), (0.16, 2.1), (0.02, 2.8)),
    "helm": ((1.08, 0.0), (0.86, 0.5), (0.4, 1.0), (0.32, 1.9), (0.02, 3.2)),
}
_GLASS, _DOOR, _COURSE = (58, 66, 78), (74, 54, 42), 0.7
_QUARTER = np.array(((0, 0, 1), (0, 1, 0), (-1, 0, 0)))
Point = tuple[float, float, float]


@dataclass(frozen=True)
class Landmark:
    """The parameters of a landmark; lengths in metres.

    Attributes:
        stone, roof_color: Places in `STONES` and `ROOFS`.
        width, depth: Of the central mass.
        storeys, storey_height, bays: Rows, their height, and columns of openings in its front.
        setbacks: Widths of the blocks on top of each other, as shares of the one below.
        wings: Width of each of the two wings as a share of the central mass; 0 for none.
        towers, tower_back: Their number, 0, 1, 2 or 4; a single one rises behind the front.
        tower_sides, tower_width, tower_height: Corners of a tower, its width by the mass's width, its height by the mass's.
        cap: Top of a tower, a key of `CAPS`.
        roof, steepness, gable_front: One of `ROOF_SHAPES`, its height by half its span; its ridge runs front to back.
        openings: Shape of the openings of the ground floor, the storeys between and the top, of `OPENINGS`.
        opening_width, opening_height, frame: Of an opening by its bay and storey, and of its frame by the opening.
        bands, pilasters, stripes: Bands between storeys, strips between bays, courses of two shades.
        crown: Crown of a wall, one of `CROWNS`.
        rose, portal, porch: A large round window; shape of the door, of `OPENINGS`; bays of a porch before it, 0 for none.
    """

    stone: int
    roof_color: int
    width: float
    depth: float
    storeys: int
    storey_height: float
    bays: int
    setbacks: tuple[float, ...]
    wings: float
    towers: int
    tower_sides: int
    tower_width: float
    tower_height: float
    tower_back: bool
    cap: str
    roof: str
    steepness: float
    gable_front: bool
    openings: tuple[str, str, str]
    opening_width: float
    opening_height: float
    frame: float
    bands: bool
    pilasters: bool
    stripes: bool
    crown: str
    rose: bool
    portal: str
    porch: int


def draw_landmark(rng: np.random.Generator) -> Landmark:
    """A random landmark; equal generators give equal ones."""
    def chance(share: float) -> bool:
        return bool(rng.random() < share)

    def choice(values: Sequence, p: Sequence[float] | None = None):
        return values[int(rng.choice(len(values), p=p))]

    storeys = choice((1, 2, 3, 4, 6), (0.2, 0.3, 0.25, 0.15, 0.1))
    storey_height = float(rng.uniform(4.5, 7.5) if storeys < 3 else rng.uniform(3.6, 5.0))
    bays = choice((3, 5, 7, 9), (0.3, 0.35, 0.2, 0.15) if storeys < 5 else (0.6, 0.4, 0.0, 0.0))
    width = bays * float(rng.uniform(3.2, 5.2))
    towers = choice((0, 1, 2, 4), (0.25, 0.3, 0.25, 0.2))
    body, top = choice(OPENINGS[:3]), choice(OPENINGS)
    return Landmark(
        stone=int(rng.integers(len(STONES))), roof_color=int(rng.integers(len(ROOFS))),
        width=width, depth=width * float(rng.uniform(0.5, 1.1)), storeys=storeys, storey_height=storey_height, bays=bays,
        setbacks=tuple(float(share) for share in rng.uniform(0.5, 0.8, choice((0, 1, 2), (0.6, 0.25, 0.15)))),
        wings=float(rng.uniform(0.4, 0.9)) if chance(0.35) else 0.0, towers=towers,
        tower_sides=choice((4, 6, 8, 12), (0.4, 0.15, 0.25, 0.2)),
        tower_width=float(rng.uniform(0.2, 0.38) if towers == 1 else rng.uniform(0.14, 0.26)),
        tower_height=float(rng.uniform(1.3, 2.6) if storeys < 5 else rng.uniform(1.1, 1.4)), tower_back=chance(0.5),
        cap=choice(tuple(CAPS)), roof=choice(ROOF_SHAPES, (0.25, 0.3, 0.25, 0.2)), steepness=float(rng.uniform(0.4, 1.5)),
        gable_front=chance(0.6), openings=(choice(OPENINGS[:3]), body, top if chance(0.5) else body),
        opening_width=float(rng.uniform(0.34, 0.66)), opening_height=float(rng.uniform(0.46, 0.72)),
        frame=choice((0.0, 0.12, 0.22)), bands=chance(0.5), pilasters=chance(0.35),
        stripes=chance(0.25), crown=choice(CROWNS), rose=chance(0.35), portal=choice(OPENINGS[:3]),
        porch=choice((0, 1, 3), (0.65, 0.15, 0.2)))


def build_landmark(landmark: Landmark, pixels: int) -> list[Quad]:
    """The quads of a landmark, its middle at the origin; textures have `pixels` across its width or its height."""
    mark, height = landmark, landmark.storeys * landmark.storey_height
    tall = height * (mark.tower_height if mark.towers else 1 + 0.5 * len(mark.setbacks))
    density = pixels / max(tall, mark.width * (1 + 2 * mark.wings))
    width, depth, bays, base, storeys = mark.width, mark.depth, mark.bays, 0.0, mark.storeys
    quads = []
    for number, share in enumerate((1.0, *mark.setbacks)):
        width, depth, bays = width * share, depth * share, max(1, round(bays * share))
        roof = mark.roof if number == len(mark.setbacks) else "flat"
        quads += _block(mark, density, (0, base, 0), (width, depth), storeys, bays, roof, not number)
        base += storeys * mark.storey_height
        storeys = max(1, mark.storeys // 2)
    wing = mark.wings * mark.width
    for side in (-1, 1) if mark.wings else ():
        quads += _block(mark, density, (side * (mark.width + wing) / 2, 0, -0.1 * mark.depth), (wing, 0.7 * mark.depth),
                        max(1, mark.storeys - 1), max(1, round(mark.bays * mark.wings)),
                        "hip" if mark.roof in ("gable", "hip") else "flat")
    if mark.porch:
        quads += _block(mark, density, (0, 0, mark.depth / 2 + 0.06 * mark.width),
                        (1.15 * mark.porch * mark.width / mark.bays, 0.12 * mark.width), 1, mark.porch, "pediment", True)
    x, z = mark.width / 2, mark.depth / 2
    places = [(side * x, end * z) for end in (1, -1)[:mark.towers // 2] for side in (-1, 1)]
    for place in [(0.0, -0.2 * z if mark.tower_back else z)] if mark.towers == 1 else places:
        quads += _tower(mark, density, place, mark.tower_width * mark.width / 2, mark.tower_height * height)
    return quads


def _tower(mark: Landmark, density: float, place: tuple[float, float], radius: float, height: float) -> list[Quad]:
    low, high = (_ring(mark.tower_sides, radius, radius, (place[0], y, place[1])) for y in (0.0, height))
    wall = draw_facade(mark, float(np.linalg.norm(low[0] - low[1])), height,
                       max(2, round(0.8 * height / mark.storey_height)), 1, density)
    return [*_loft([wall] * mark.tower_sides, low, high),
            *_cap(mark, mark.cap, mark.tower_sides, radius, (place[0], height - (mark.cap == "flat"), place[1]))]


def _cap(mark: Landmark, kind: str, sides: int, radius: float, foot: Point) -> list[Quad]:
    rings = [_ring(sides, radius * share, radius * share, (foot[0], foot[1] + radius * rise, foot[2]))
             for share, rise in CAPS[kind]]
    return [quad for low, high in pairwise(rings) for quad in _loft([_roofing(mark.roof_color)] * sides, low, high)]


def _block(mark: Landmark, density: float, foot: Point, plan: tuple[float, float], storeys: int, bays: int, roof: str,
           front: bool = False) -> list[Quad]:
    """A box with four facades and a roof; `foot` is the middle of its ground plan, a width and a depth."""
    (x, base, z), (width, depth) = foot, plan
    height, crown, roofing = storeys * mark.storey_height, roof in ("flat", "dome"), _roofing(mark.roof_color)
    face, back, side = (draw_facade(mark, wide, height, storeys, count, density, crown, ahead) for wide, count, ahead in (
        (width, bays, front), (width, bays, False), (depth, max(1, round(bays * depth / width)), False)))
    top = base + height
    quads = _loft([face, side, back, side], *(_ring(4, width / 2, depth / 2, (x, y, z)) for y in (base, top)))
    rise = mark.steepness * min(width, depth) / 2
    if roof in ("gable", "pediment"):
        rise, ahead = (rise, mark.gable_front) if roof == "gable" else (0.3 * width, True)
        return quads + _gable(mark, density, (x, top, z), plan, rise, ahead)
    if roof == "hip":
        inset = 0.49 * min(width, depth)
        return quads + _loft([roofing] * 4, _ring(4, 0.515 * width, 0.515 * depth, (x, top, z)),
                             _ring(4, width / 2 - inset, depth / 2 - inset, (x, top + rise, z)))
    flat = _ring(4, width / 2, depth / 2, (x, top - 0.1 * mark.storey_height, z))
    quads.append(Quad(roofing, flat[[2, 3, 0, 1]]))
    if roof == "dome":
        radius, drum = 0.42 * min(width, depth), 0.8 * mark.storey_height
        low, high = (_ring(12, radius, radius, (x, y, z)) for y in (top - 0.5, top + drum))
        wall = draw_facade(mark, float(np.linalg.norm(low[0] - low[1])), drum, 1, 1, density)
        quads += _loft([wall] * 12, low, high) + _cap(mark, "dome", 12, 1.02 * radius, (x, top + drum, z))
    return quads


def _gable(mark: Landmark, density: float, foot: Point, plan: tuple[float, float], rise: float, front: bool) -> list[Quad]:
    """A saddle roof and its two triangular walls; its ridge runs from front to back or from side to side."""
    half, end = (plan[0] / 2, plan[1] / 2) if front else (plan[1] / 2, plan[0] / 2)
    wall, size, color = Canvas(2 * half, rise, density, STONES[mark.stone], _COURSE), min(2 * half, rise), _TRIMS[mark.stone]
    if size > 2:
        wall.fill([disc(half, 0.38 * rise, 0.17 * size)], color)
        wall.fill([disc(half, 0.38 * rise, 0.13 * size)], _GLASS, 150)
    wall.line([[(0, 0), (half, rise), (2 * half, 0)]], color, 0.05 * size)
    wall.cut([[(side, 0), (side, 1.01 * rise), (half, 1.01 * rise)] for side in (0, 2 * half)])
    triangle = np.array([(-half, rise, end), (half, rise, end), (half, 0, end), (-half, 0, end)])
    low, over = (1.04 * half, -0.04 * rise), 1.04 * end
    slope = np.array([(0, rise, over), (0, rise, -over), (*low, -over), (*low, over)])
    turns = [np.diag((sign, 1.0, sign)) @ (np.eye(3) if front else _QUARTER) for sign in (1.0, -1.0)]
    return [Quad(texture, corners @ turn + foot) for turn in turns
            for texture, corners in ((wall, triangle), (_roofing(mark.roof_color), slope))]


@lru_cache(maxsize=64)
def draw_facade(landmark: Landmark, width: float, height: float, storeys: int, bays: int, density: float,
                crown: bool = True, front: bool = False) -> Texture:
    """A wall with a grid of openings, `density` pixels per metre; the front has the portal and the rose window."""
    wall = Canvas(width, height, density, STONES[landmark.stone], _COURSE, landmark.stripes)
    rise, bay, trim, shade = height / storeys, width / bays, _TRIMS[landmark.stone], _SHADES[landmark.stone]
    centers = (np.arange(bays) + 0.5) * bay
    middle = bays // 2 if front and bays % 2 else -1
    wall.fill([box(0, 0, width, 0.12 * rise)], shade)
    if landmark.pilasters and bays > 1:
        wall.fill([box(x - 0.07 * bay, 0, 0.14 * bay, height) for x in np.arange(bays + 1) * bay], trim)
    for storey in range(storeys):
        kind = landmark.openings[0 if storey == 0 else 2 if storey == storeys - 1 else 1]
        places = [x for number, x in enumerate(centers) if storey or number != middle]
        if places:
            _openings(wall, landmark, kind, places, storey * rise, bay, rise)
        if landmark.bands and storey:
            wall.fill([box(0, storey * rise - 0.05 * rise, width, 0.09 * rise)], trim)
    if front and middle >= 0:
        door, at = outline(landmark.portal, 0.62 * bay, 0.8 * rise), np.array((width / 2, 0))
        wall.fill([door * (1.3, 1.12) + at], trim)
        wall.fill([door + at], _DOOR, 60)
    if front and landmark.rose and storeys > 1:
        middle, radius = (width / 2, height - 0.55 * rise), 0.42 * min(rise, width / 3)
        wall.fill([disc(*middle, 1.2 * radius)], trim)
        wall.fill([disc(*middle, radius)], _GLASS, 170)
        wall.line([[middle, end] for end in disc(*middle, radius)[::2]], trim, 0.06 * radius)
        wall.fill([disc(*middle, 0.22 * radius)], trim)
    if crown and landmark.crown == "cornice":
        wall.fill([box(0, height - 0.2 * rise, width, 0.2 * rise)], trim)
        wall.line([[(0, height - 0.21 * rise), (width, height - 0.21 * rise)]], shade, 0.05 * rise)
    elif crown and landmark.crown == "teeth":
        step = width / max(2, round(width / (0.45 * rise)))
        wall.line([[(0, height - 0.3 * rise), (width, height - 0.3 * rise)]], shade, 0.05 * rise)
        wall.cut([box((number + 0.5) * step, height - 0.18 * rise, 0.5 * step, 0.2 * rise)
                  for number in range(round(width / step))])
    return wall


def _openings(wall: Canvas, landmark: Landmark, kind: str, places: Sequence[float], base: float, bay: float,
              rise: float) -> None:
    """Paints one storey's openings, their middles at `places`, with frame, reveal, glass, bars and sill."""
    width, height = landmark.opening_width * bay, landmark.opening_height * rise
    at = np.array([(x, base + 0.2 * rise) for x in places])[:, None]
    shape, frame = outline(kind, width, height), landmark.frame * width
    trim, shade = _TRIMS[landmark.stone], _SHADES[landmark.stone]
    if frame:
        wall.fill(shape * (1 + 2 * frame / width, 1 + 2 * frame / height) - (0, frame) + at, trim)
    wall.fill(shape + at, shade)
    for start, light in enumerate((0, 130, 0, 190, 245)[:len(at)]):
        wall.fill(shape * (0.84, 0.93) + (0.05 * width, 0) + at[start::5], _GLASS, light)
    if kind != "round":
        wall.line(np.array([(0, 0), (0, 0.9 * height)]) + at, shade, 0.07 * width)
        wall.line(np.array([(-0.4 * width, 0.55 * height), (0.4 * width, 0.55 * height)]) + at, shade, 0.05 * width)
        wall.fill(box(-0.62 * width, -0.05 * rise, 1.24 * width, 0.05 * rise) + at, trim)


def outline(kind: str, width: float, height: float) -> np.ndarray:
    """The polygon of an opening, float [P, 2] metres; the origin is the middle of its foot."""
    half = width / 2
    if kind == "round":
        return disc(0, height / 2, min(half, height / 2))
    if kind == "square":
        return box(-half, 0, width, height)
    end, radius, rise = (np.pi / 2, half, half) if kind == "arch" else (np.pi / 3, width, 0.866 * width)
    arc = np.linspace(0, end, 7)
    right = np.stack([half - radius + radius * np.cos(arc), max(height - rise, 0) + radius * np.sin(arc)], 1)
    return np.concatenate([[(-half, 0), (half, 0)], right, right[-2::-1] * (-1, 1)])


def disc(x: float, y: float, radius: float) -> np.ndarray:
    """The polygon of a circle, float [24, 2] metres; (x, y) is its middle."""
    angles = 2 * np.pi * np.arange(24) / 24
    return np.stack([x + radius * np.cos(angles), y + radius * np.sin(angles)], 1)


def box(x: float, y: float, width: float, height: float) -> np.ndarray:
    """The polygon of a rectangle, float [4, 2] metres; (x, y) is its lower left corner."""
    return np.array([(x, y), (x + width, y), (x + width, y + height), (x, y + height)])


def _ring(sides: int, half_width: float, half_depth: float, middle: Point) -> np.ndarray:
    """Corners of a horizontal polygon, float [sides, 3]; its sides are counted from the front to the right."""
    angles = 2 * np.pi * (np.arange(sides) + 0.5) / sides
    wide, deep = (max(half, 0.02) / np.cos(np.pi / sides) for half in (half_width, half_depth))
    return np.stack([wide * np.sin(angles), np.zeros(sides), deep * np.cos(angles)], 1) + middle


def _loft(textures: Sequence[Texture], low: np.ndarray, high: np.ndarray) -> list[Quad]:
    """The walls between two rings, one texture each."""
    return [Quad(texture, np.stack([high[number - 1], high[number], low[number], low[number - 1]]))
            for number, texture in enumerate(textures)]


@cache
def _roofing(color: int) -> Texture:
    """Rows of tiles."""
    tiles = Canvas(8.0, 8.0, 16, ROOFS[color])
    tiles.line([[(0, row), (8, row)] for row in np.arange(0, 8, 0.5)], tuple(value * 5 // 8 for value in ROOFS[color]), 0.08)
    return tiles
