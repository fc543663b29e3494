"""Scenes: a landmark among houses, and images of it from any viewpoint in any light."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import product

import cv2
import numpy as np

from landmark_zoo.data.synthetic.landmark import box, build_landmark, disc, draw_landmark
from landmark_zoo.data.synthetic.render import Camera, Canvas, Color, Frame, Quad, Texture, billboard, normals

VIEWS = ("any", "easy", "hard", "junk")
_ASPECTS = (4 / 3, 3 / 2, 1.0, 3 / 4, 2 / 3, 16 / 9)
_TURN = {"any": 0.5, "easy": 0.3, "hard": 0.75, "junk": 0.7}
_FILL = {"any": (0.55, 1.15), "easy": (0.7, 0.95), "hard": (0.25, 1.2), "junk": (0.1, 0.16)}
_OCCLUSION = {"any": (0.0, 0.6), "easy": (0.0, 0.0), "hard": (0.3, 1.0), "junk": (0.5, 1.0)}
_GROUNDS: tuple[Color, ...] = ((168, 160, 150), (124, 122, 120), (104, 126, 76), (186, 170, 138))
_SUPERSAMPLING, _LANDMARK, _TILE = 1.25, 1, 256
_MOMENTS = {"day": 0.72, "dusk": 0.15, "night": 0.13}
_LIGHTS = {  # brightness and color of the ambient light and of the sun, colors of the zenith and of the horizon
    ("day", True): ((0.5, 0.64), (0.96, 1.0, 1.06), (0.5, 0.75), (1.04, 0.98, 0.86), (66, 120, 194), (198, 214, 230)),
    ("day", False): ((0.78, 0.98), (0.96, 1.0, 1.06), (0.05, 0.2), (1.0, 1.0, 1.0), (152, 164, 180), (208, 210, 214)),
    ("dusk", True): ((0.45, 0.65), (1.05, 0.98, 1.1), (0.3, 0.7), (1.3, 0.85, 0.5), (70, 82, 136), (248, 170, 116)),
    ("dusk", False): ((0.45, 0.65), (1.05, 0.98, 1.1), (0.1, 0.3), (1.3, 0.85, 0.5), (70, 82, 136), (170, 158, 168)),
    ("night", True): ((0.22, 0.45), (0.85, 0.95, 1.25), (0.0, 0.05), (1.0, 1.0, 1.0), (22, 28, 60), (74, 72, 104)),
}
_THINGS = {  # width, height, and polygons with their color, if it is not left to chance
    "person": (0.8, 1.8, [([box(0.24, 0, 0.14, 0.9), box(0.42, 0, 0.14, 0.9)], None),
                          ([[(0.2, 0.75), (0.6, 0.75), (0.67, 1.4), (0.4, 1.52), (0.13, 1.4)]], None),
                          ([disc(0.4, 1.66, 0.13)], (60, 46, 38)), ([disc(0.4, 1.62, 0.11)], (196, 156, 130))]),
    "car": (4.2, 1.5, [([[(0.1, 0.3), (4.1, 0.3), (4.1, 0.85), (3.4, 0.95), (2.8, 1.45), (1.2, 1.45), (0.6, 0.9)]], None),
                       ([[(0.9, 0.92), (1.9, 0.92), (1.9, 1.36), (1.3, 1.36)]], (50, 60, 72)),
                       ([[(2.0, 0.92), (3.1, 0.92), (2.7, 1.36), (2.0, 1.36)]], (50, 60, 72)),
                       ([disc(0.9, 0.35, 0.35), disc(3.2, 0.35, 0.35)], (34, 34, 36))]),
}
_FLOODLIGHTS = ((1.08, 0.86, 0.6), (1.0, 0.93, 0.8), (0.86, 0.93, 1.06))


@dataclass(frozen=True)
class Scene:
    """Landmark with its surroundings, from which views are drawn.

    Attributes:
        seed, number, long_side: Of the collection, of the scene in it, and the greater side of its images, pixels.
        landmark: Quads of the landmark; none in a mere street.
        low, high: Corners of the box that a camera looks at, float [3] metres.
        houses: Quads of each of the houses around.
    """

    seed: int
    number: int
    long_side: int
    landmark: list[Quad]
    low: np.ndarray
    high: np.ndarray
    houses: list[list[Quad]]


@dataclass(frozen=True)
class View:
    """An image of a scene and what is known of it.

    Attributes:
        image: uint8 [H, W, 3], RGB.
        box: x1, y1, x2, y2 of the landmark, pixels; None where it does not show.
        visible: Share of the landmark that is in the image and not hidden, 0..1.
        turn: Angle between the line of sight and the landmark's front, radians.
        moment, quality: "day", "dusk" or "night"; JPEG quality.
    """

    image: np.ndarray
    box: tuple[float, float, float, float] | None
    visible: float
    turn: float
    moment: str
    quality: int

    @property
    def grade(self) -> str:
        """ "easy", "hard" or "junk", after the revisited benchmarks (Radenovic et al., CVPR 2018, section 3.1)."""
        x1, y1, x2, y2 = self.box or (0, 0, 0, 0)
        share = (x2 - x1) * (y2 - y1) / (self.image.shape[0] * self.image.shape[1])
        if self.visible < 0.15 or share < 0.02:
            return "junk"
        well = self.visible >= 0.6 and share >= 0.1 and abs(self.turn) < 0.9 and self.moment == "day"
        return "easy" if well else "hard"


@dataclass(frozen=True)
class Light:
    """The light of an image; factors multiply the colors of things.

    Attributes:
        moment, sun: "day", "dusk" or "night"; unit vector towards the sun.
        sunlight, ambient: Factors of RGB on what faces the sun, and on everything.
        floodlight: Factors of RGB on the landmark at night.
        zenith, horizon, clouds: Colors of the sky, and its covered share.
        haze: Share of the light from the landmark's distance that the air swallows, 0..1.
    """

    moment: str
    sun: np.ndarray
    sunlight: np.ndarray
    ambient: np.ndarray
    floodlight: np.ndarray
    zenith: np.ndarray
    horizon: np.ndarray
    clouds: float
    haze: float

    def gains(self, quads: Sequence[Quad], landmark: bool = False) -> np.ndarray:
        """The light on quads, float [N, 3]."""
        lit = self.ambient + np.clip(normals(quads) @ self.sun, 0, None)[:, None] * self.sunlight
        return np.maximum(lit, self.floodlight) if landmark and self.moment == "night" else lit


def draw_scene(seed: int, number: int, long_side: int, landmark: bool = True) -> Scene:
    """The scene of a number, in the collection of a seed, with a landmark or without; equal arguments give equal ones."""
    rng = np.random.default_rng([seed, 1, number])
    quads, radius = [], float(rng.uniform(20, 40))
    low, high = np.array((-0.4 * radius, 0, -1.3 * radius)), np.array((0.4 * radius, 12, -1.1 * radius))
    if landmark:
        quads = build_landmark(draw_landmark(rng), round(2.4 * long_side))
        corners = np.concatenate([quad.corners for quad in quads])
        low, high = corners.min(0), corners.max(0)
        radius = 0.6 * float(np.hypot(*(high - low)[[0, 2]])) + 12
    places = [(x, -radius, 0.0) for x in np.arange(-radius, radius, 13)]
    places += [(side * radius, z, -side * np.pi / 2) for side in (-1, 1) for z in np.arange(-radius, 0.3 * radius, 13)]
    stock, gaps = _houses(seed, long_side), rng.uniform(0, 0.6)
    houses = []
    for x, z, turn in places:
        if rng.random() > gaps:
            around = np.array([(np.cos(turn), 0, -np.sin(turn)), (0, 1, 0), (np.sin(turn), 0, np.cos(turn))])
            house = stock[rng.integers(len(stock))]
            houses.append([replace(quad, corners=quad.corners @ around + (x, 0, z)) for quad in house])
    return Scene(seed, number, long_side, quads, low, high, houses)


def draw_view(scene: Scene, number: int, kind: str = "any") -> View:
    """The image of a number of a scene; `kind`, one of `VIEWS`, is how well the landmark shows."""
    rng = np.random.default_rng([scene.seed, 2, scene.number, number])
    camera = draw_camera(rng, scene.low, scene.high, round(scene.long_side * _SUPERSAMPLING), kind)
    light = draw_light(rng, "day" if kind == "easy" else None)
    night, distance = light.moment == "night", float(np.linalg.norm(np.subtract(camera.target, camera.position)))
    frame = Frame(camera, _sky(rng, camera, light))
    soft = light.ambient + 0.6 * light.sunlight
    frame.draw_ground(_ground(int(rng.integers(len(_GROUNDS)))), _TILE / 14, soft)
    nearest = 0.6 * distance if scene.landmark else 8
    houses = [quad for house in scene.houses if np.hypot(*(house[0].corners[0] - camera.position)[[0, 2]]) > nearest
              for quad in house]
    if scene.landmark:
        _cast_shadows(frame, light, scene.landmark)
        frame.draw(scene.landmark, light.gains(scene.landmark, True), night, _LANDMARK)
    outlined = max(int((frame.owner == _LANDMARK).sum()), 1)
    if houses:
        frame.draw(houses, light.gains(houses), night, 2)
    occluders = draw_occluders(rng, camera, distance, float(rng.uniform(*_OCCLUSION[kind])))
    frame.draw(occluders, np.tile(soft, (len(occluders), 1)), night, 3)
    image = _develop(rng, frame, light, distance, kind == "hard")
    seen = frame.owner == _LANDMARK
    rows, columns = np.nonzero(seen)
    x, y = image.shape[1] / camera.width, image.shape[0] / camera.height
    box = (x * columns.min(), y * rows.min(), x * (columns.max() + 1), y * (rows.max() + 1)) if len(rows) else None
    points = camera.project(np.array(list(product(*zip(scene.low, scene.high, strict=True)))))[:, :2]
    low, high = points.min(0), points.max(0)
    inside = np.clip(np.minimum(high, (camera.width, camera.height)) - np.maximum(low, 0), 0, None) / (high - low)
    visible = float(seen.sum() / outlined * inside.prod())
    return View(image, box and tuple(map(float, box)), visible, float(np.arctan2(camera.position[0], camera.position[2])),
                light.moment, int(rng.integers(60, 96)))


def draw_camera(rng: np.random.Generator, low: np.ndarray, high: np.ndarray, long_side: int, kind: str) -> Camera:
    """A camera turned to the box from `low` to `high`, float [3] metres; see `draw_view` for `kind`."""
    (wide, tall, deep), middle = high - low, (low + high) / 2
    aspect = float(rng.choice(_ASPECTS[:3] if wide > 1.4 * tall and rng.random() < 0.8 else _ASPECTS))
    width, height = (long_side, round(long_side / aspect)) if aspect >= 1 else (round(long_side * aspect), long_side)
    focal = long_side / (2 * np.tan(float(rng.uniform(0.42, 0.66))))
    turn = float(np.clip(rng.normal(0, _TURN[kind]), -1.25, 1.25))
    fill = float(rng.uniform(*_FILL[kind]))
    across = wide * np.cos(turn) + deep * abs(np.sin(turn))
    along = deep * np.cos(turn) + wide * abs(np.sin(turn))
    distance = max(across * focal / (fill * width), tall * focal / (fill * height)) + 0.35 * along
    level = 1.7 if rng.random() < 0.7 else float(rng.uniform(0.1, 0.8)) * tall + 2
    position = middle + distance * np.array((np.sin(turn), 0, np.cos(turn)))
    target = middle + np.array((0, rng.uniform(-0.08, 0.06) * tall, 0))
    if kind in ("any", "hard") and rng.random() < 0.2:
        focal *= float(rng.uniform(1.3, 2.0))
        target = target + rng.uniform((-0.25, 0.0, 0.0), (0.25, 0.25, 0.0)) * (high - low)
    off = {"easy": 0.06, "junk": 0.62}.get(kind, 0.16)
    shift = (float(rng.uniform(-off, off)) * width, float(rng.uniform(-0.5, 0.5)) * off * height)
    return Camera((float(position[0]), level, float(position[2])), tuple(target.tolist()), float(rng.normal(0, 0.03)),
                  focal, width, height, shift)


def draw_light(rng: np.random.Generator, moment: str | None = None) -> Light:
    """The light of an image, by day unless chance or `moment` say otherwise."""
    moment = moment or str(rng.choice(list(_MOMENTS), p=list(_MOMENTS.values())))
    clear = bool(rng.random() < 0.6)
    side, height = rng.normal(0, 1.1), rng.uniform(0.05, 0.25) if moment == "dusk" else rng.uniform(0.35, 1.1)
    sun = np.array((np.sin(side) * np.cos(height), np.sin(height), np.cos(side) * np.cos(height)))
    fill, fill_color, direct, direct_color, zenith, horizon = _LIGHTS[moment, clear or moment == "night"]
    ambient, sunlight = rng.uniform(*fill) * np.array(fill_color), rng.uniform(*direct) * np.array(direct_color)
    flood = rng.uniform(0.7, 1.05) * np.array(_FLOODLIGHTS[rng.integers(len(_FLOODLIGHTS))]) * (rng.random() < 0.8)
    return Light(moment, sun, sunlight, ambient, flood, *(color + rng.normal(0, 8, 3) for color in (zenith, horizon)),
                 float(rng.uniform(0, 0.5) if clear else rng.uniform(0.6, 1)), float(rng.exponential(0.08)))


def draw_occluders(rng: np.random.Generator, camera: Camera, distance: float, amount: float) -> list[Quad]:
    """Things up to `distance` metres away; `amount` is 0 for an empty square, 1 for a landmark that hardly shows."""
    forward, right = camera.rotation[2], camera.rotation[0]
    counts = {"person": 3 + 8 * amount, "car": 0.8 + 1.5 * amount, "tree": 3.5 * amount}
    sizes = {"person": (1.5, 1.9), "car": (1.4, 1.7), "tree": (4.0, 6.0 + 0.15 * distance)}
    nearest = {"person": 0.03 if rng.random() < 0.1 + 0.3 * amount else 0.1, "car": 0.25, "tree": 0.3}
    quads = []
    for kind, textures in _things().items():
        for _ in range(rng.poisson(counts[kind])):
            far = max(distance * float(rng.uniform(nearest[kind], 0.9)), 2.5)
            aside = far * 0.6 * camera.width / camera.focal * float(rng.uniform(-1, 1))
            x, _, z = np.array(camera.position) + far * forward + aside * right
            quads.append(billboard(textures[rng.integers(len(textures))], camera, x, z, float(rng.uniform(*sizes[kind]))))
    return quads


def _sky(rng: np.random.Generator, camera: Camera, light: Light) -> np.ndarray:
    """A sky with clouds and far hills, uint8 [H, W, 3]."""
    a, b, c = camera.rays[1]
    columns = np.arange(camera.width)
    horizon = -(a * columns + c) / b
    share = np.clip((horizon.mean() - np.arange(camera.height)) / (0.9 * camera.height), 0, 1)[:, None, None] ** 0.8
    sky = np.repeat((light.horizon + share * (light.zenith - light.horizon)).astype(np.float32), camera.width, axis=1)
    noise = _clouds()
    top, left = rng.integers(0, len(noise) // 2, 2)
    patch = cv2.resize(noise[top:top + 96, left:left + 160], (camera.width, camera.height), interpolation=cv2.INTER_CUBIC)
    cover = np.clip((patch - (1 - light.clouds)) * 3, 0, 1)[..., None] * np.clip(4 * share, 0, 0.85).astype(np.float32)
    sky += cover * ({"day": 236.0, "dusk": 190.0, "night": 70.0}[light.moment] - sky)
    hills = horizon - camera.height * rng.uniform(0, 0.09) * _clouds()[int(rng.integers(500)), columns % 512]
    color = 0.75 * light.horizon + 0.25 * np.array((70, 86, 80)) * light.ambient
    outlined = np.concatenate([np.stack([columns, hills], 1), [(camera.width, camera.height), (0, camera.height)]])
    cv2.fillPoly(sky, [outlined.astype(np.int32)], color.tolist())
    return np.clip(sky, 0, 255).astype(np.uint8)


def _cast_shadows(frame: Frame, light: Light, quads: list[Quad]) -> None:
    """Darkens the ground where quads keep the sun away."""
    corners = np.stack([quad.corners for quad in quads])
    fallen = frame.camera.project(corners - corners[..., 1:2] * (light.sun / light.sun[1]))
    mask = np.zeros(frame.nearness.shape, np.uint8)
    for points in np.clip(fallen[(fallen[..., 2] > 0.5).all(1), :, :2], -9999, 9999).astype(np.int32):
        cv2.fillConvexPoly(mask, points, 255)
    dark = (mask > 0) & (frame.nearness > 0)
    kept = (light.ambient / (light.ambient + 0.6 * light.sunlight)).mean()
    frame.color[dark] = (frame.color[dark] * (kept, kept, kept, 1)).astype(np.uint8)


def _develop(rng: np.random.Generator, frame: Frame, light: Light, distance: float, poor: bool) -> np.ndarray:
    """The photograph of a frame: haze, white balance, exposure, contrast, blur, noise; uint8 [H, W, 3]."""
    size = (round(frame.camera.width / _SUPERSAMPLING), round(frame.camera.height / _SUPERSAMPLING))
    image = cv2.resize(frame.color, size, interpolation=cv2.INTER_AREA)[..., :3].astype(np.float32)
    nearness = cv2.resize(frame.nearness, size, interpolation=cv2.INTER_NEAREST)
    thickness = -np.log(1 - min(light.haze + 0.02, 0.6)) / distance
    share = np.where(nearness > 0, 1 - np.exp(-thickness / np.maximum(nearness, 1e-4)), light.haze / 2)[..., None]
    image += share.astype(np.float32) * (light.horizon.astype(np.float32) - image)
    worse = 1.6 if poor else 1.0
    saturation = float(np.clip(rng.normal(0.95, 0.25 * worse), 0.1, 1.6))
    warmth, tint = rng.normal(0, (0.09 * worse, 0.02 * worse))
    balance = np.exp((warmth - tint, tint, -warmth - tint)) * min(np.exp(rng.normal(0.04, 0.17 * worse)), 1.3)
    image = cv2.transform(image, balance[:, None] * (saturation * np.eye(3) + (1 - saturation) / 3))
    tones = np.linspace(0, 1, 256) ** np.exp(rng.normal(-0.05, 0.15 * worse))
    tones = np.clip(0.5 + (tones - 0.5) * rng.uniform(0.7, 1.2), 0, 1) * 255
    image = cv2.LUT(np.clip(image, 0, 255).astype(np.uint8), tones.astype(np.float32))
    blur = min(float(rng.exponential(0.3 * worse)), 1.6)
    if blur > 0.35:
        image = cv2.GaussianBlur(image, (0, 0), blur * max(image.shape) / 256)
    noise = np.float32(rng.exponential(2.5 * worse) + 4.0 * (light.moment == "night"))
    image += noise * rng.standard_normal((*image.shape[:2], 1), np.float32)
    return np.clip(image + 0.5, 0, 255).astype(np.uint8)


@lru_cache(maxsize=2)
def _houses(seed: int, long_side: int) -> list[list[Quad]]:
    """The houses of a collection: plain landmarks of the same stones and roofs."""
    rng = np.random.default_rng([seed, 3])
    houses = [replace(draw_landmark(rng), width=float(rng.uniform(9, 14)), depth=10.0, bays=int(rng.integers(2, 5)),
                      storeys=int(rng.integers(2, 5)), storey_height=3.4, setbacks=(), wings=0.0, towers=0, rose=False,
                      porch=0, roof=("gable", "hip", "flat")[number % 3]) for number in range(12)]
    return [build_landmark(house, long_side // 2) for house in houses]


@lru_cache(maxsize=1)
def _things() -> dict[str, list[Texture]]:
    """Occluders of one view."""
    rng = np.random.default_rng(4)
    things: dict[str, list[Texture]] = {"tree": [_tree(rng) for _ in range(6)]}
    for kind, (width, height, layers) in _THINGS.items():
        things[kind] = [Canvas(width, height, 100 / height) for _ in range(12)]
        for canvas, (polygons, color) in product(things[kind], layers):
            canvas.fill(polygons, color or tuple(rng.integers(30, 200, 3).tolist()))
    return things


def _tree(rng: np.random.Generator) -> Texture:
    canvas = Canvas(8, 10, 16)
    canvas.fill([[(3.7, 0), (4.3, 0), (4.1, 5), (3.9, 5)]], (84, 68, 54))
    pointed = rng.random() < 0.4
    for number in range(140):
        y = rng.uniform(2, 9.4)
        half = 3.2 * (1 - (y - 2) / 8) if pointed else 3.3 * np.sqrt(max(1 - ((y - 6) / 4) ** 2, 0.02))
        shade = (0.6 + 0.5 * number / 140) * rng.uniform(0.85, 1.1)
        canvas.fill([disc(4 + rng.uniform(-1, 1) * half, y, float(rng.uniform(0.35, 0.75)))],
                    (int(84 * shade), int(108 * shade), int(62 * shade)))
    return canvas


@lru_cache(maxsize=8)
def _ground(kind: int) -> np.ndarray:
    """A tile of ground, uint8 [T, T, 3]."""
    canvas = Canvas(16, 16, _TILE / 16, _GROUNDS[kind])
    lines = np.arange(0, 16, (2, 1, 16, 16)[kind])
    canvas.line([[(0, at), (16, at)] for at in lines] + [[(at, 0), (at, 16)] for at in lines],
                tuple(int(0.8 * value) for value in _GROUNDS[kind]), 0.1)
    return np.ascontiguousarray(canvas.pixels[..., :3])


@lru_cache(maxsize=1)
def _clouds() -> np.ndarray:
    """Noise of several scales, float32 [512, 512], 0..1."""
    rng = np.random.default_rng(6)
    noise = sum(0.55 ** octave * cv2.resize(rng.random((8 << octave, 8 << octave)).astype(np.float32), (512, 512),
                                            interpolation=cv2.INTER_CUBIC) for octave in range(5))
    return (noise - noise.min()) / (noise.max() - noise.min())
