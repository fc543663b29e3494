"""Sky, clouds, stars, and the hills on the horizon."""

from functools import lru_cache

import cv2
import numpy as np

from landmark_zoo.data.synthetic.camera import Camera
from landmark_zoo.data.synthetic.light import Light
from landmark_zoo.data.synthetic.masonry import cloudy

_TILE = 512
_COARSE = 4


def paint_sky(camera: Camera, light: Light, rng: np.random.Generator, hills: np.ndarray) -> np.ndarray:
    """Paints what lies behind everything.

    Args:
        camera: Whose picture.
        light: Colours, clouds and the sun.
        rng: Source of chance for the clouds and stars.
        hills: float [2, N], the heights of two ridges (tangent of the angle) all round the horizon; 0 for none.

    Returns:
        uint8 [H, W, 3].
    """
    rows, columns = camera.height // _COARSE + 1, camera.width // _COARSE + 1
    x, y = np.meshgrid(np.arange(columns) * _COARSE, np.arange(rows) * _COARSE)
    rays = cv2.invert(camera.matrix[:, :3])[1] @ np.stack([x.ravel(), y.ravel(), np.ones(x.size)])
    level = np.maximum(np.hypot(rays[0], rays[2]), 1e-6)
    rise = (rays[1] / level).reshape(rows, columns).astype(np.float32)
    ray = (rays / np.maximum(np.linalg.norm(rays, axis=0), 1e-9)).reshape(3, rows, columns).astype(np.float32)
    share = np.clip(rise / 0.9, 0, 1)[..., None] ** 0.6
    sky = np.array(light.horizon, np.float32) * (1 - share) + np.array(light.zenith, np.float32) * share
    if light.moment != "night":
        glow = np.clip(sum(ray[axis] * np.float32(light.sun[axis]) for axis in range(3)), 0, 1)[..., None]
        sky += glow ** 24 * np.array((120, 90, 50), np.float32) * (1 - 0.8 * light.clouds) * (1 - light.haze)
    if light.clouds > 0.02:
        sky = _clouded(sky, rise, ray, light, rng)
    sky = cv2.resize(np.clip(sky, 0, 255).astype(np.uint8), (columns * _COARSE, rows * _COARSE),
                     interpolation=cv2.INTER_LINEAR)[:camera.height, :camera.width].copy()
    if light.moment == "night" and light.clouds < 0.4:
        stars = rng.integers(0, (camera.height, camera.width), (camera.width // 8, 2))
        sky[stars[:, 0], stars[:, 1]] = rng.integers(120, 240, (len(stars), 1))
    return _hilly(sky, camera, light, hills)


def draw_hills(rng: np.random.Generator, kind: str) -> np.ndarray:
    """Draws the skyline all round: float [2, 720], tangents of the angle above the horizon.

    Args:
        rng: Source of chance.
        kind: "none", "hills", "mountains" or "town".
    """
    if kind == "none":
        return np.zeros((2, 720))
    if kind == "town":
        low, high = (np.repeat(rng.uniform(0.01, height, 120), 6) for height in (0.07, 0.12))
        return np.stack([high * (rng.random(720) < 0.97), low])
    steep = {"hills": 0.06, "mountains": 0.2}[kind]
    turn = np.linspace(0, 2 * np.pi, 720)
    ridges = []
    for scale in (1.0, 0.55):
        waves = sum(np.sin(turn * k + rng.uniform(0, 7)) / k ** (1.0 if kind == "mountains" else 1.4)
                    for k in rng.choice(np.arange(2, 60), 16, replace=False))
        ridges.append(steep * scale * np.clip(0.7 + 0.5 * waves, 0.05, None))
    return np.stack(ridges)


def _clouded(sky: np.ndarray, rise: np.ndarray, ray: np.ndarray, light: Light, rng: np.random.Generator) -> np.ndarray:
    far = 1 / (np.maximum(rise, 0.0) + 0.16)
    turn = np.arctan2(ray[0], ray[2])
    shift = rng.uniform(0, _TILE, 2)
    stretch = rng.uniform(24, 60)
    at = [(far * wave(turn) * stretch + offset).astype(np.float32)
          for wave, offset in zip((np.sin, np.cos), shift, strict=True)]
    noise = cv2.remap(_cloud_tile(), at[0], at[1], cv2.INTER_LINEAR, None, cv2.BORDER_WRAP)
    edge = 1.6 - 3.2 * light.clouds
    cover = np.clip((noise - edge) / 0.9, 0, 1)[..., None] * np.clip(rise * 14, 0, 1)[..., None]
    white = {"day": (250, 250, 250), "dusk": (244, 176, 150), "night": (60, 58, 72)}[light.moment]
    gray = np.array(light.horizon, np.float32) * 0.9
    body = np.array(white, np.float32) * (1 - 0.7 * light.clouds ** 2) + gray * 0.7 * light.clouds ** 2
    shaded = body * (1 - 0.16 * np.clip(noise - edge - 0.6, 0, 1.2)[..., None])
    return sky * (1 - cover) + shaded * cover


@lru_cache(maxsize=1)
def _cloud_tile() -> np.ndarray:
    return cloudy(np.random.default_rng(11), _TILE, 7)


def _hilly(sky: np.ndarray, camera: Camera, light: Light, hills: np.ndarray) -> np.ndarray:
    if not hills.any():
        return sky
    columns = np.arange(camera.width)
    inverse = cv2.invert(camera.matrix[:, :3])[1]
    middle = inverse @ np.stack([columns, np.full(camera.width, camera.height / 2), np.ones(camera.width)])
    place = ((np.arctan2(middle[0], middle[2]) / (2 * np.pi)) % 1 * hills.shape[1]).astype(int) % hills.shape[1]
    level = middle / np.hypot(middle[0], middle[2])
    corners = [(camera.width, camera.height), (0, camera.height)]
    tones = (((0.45, (96, 116, 140)), (0.2, (82, 98, 76))), ((0.2, (70, 60, 80)), (0.1, (40, 36, 44))),
             ((0.3, (12, 14, 26)), (0.1, (8, 9, 14))))[("day", "dusk", "night").index(light.moment)]
    for ridge, (pale, colour) in zip(hills, tones, strict=True):
        world = np.stack([level[0], ridge[place], level[2]])
        image = camera.matrix[:, :3] @ world
        top = np.where(image[2] > 0, image[1] / np.maximum(image[2], 1e-6), camera.height)
        colour = np.array(colour) * (1 - pale) + np.array(light.horizon) * pale
        colour = colour * (1 - light.haze) + np.array(light.horizon) * light.haze
        edge = np.concatenate([np.stack([columns, np.clip(top, -9, camera.height)], 1), corners])
        cv2.fillPoly(sky, [np.round(edge * 16).astype(np.int32)], tuple(colour.tolist()), cv2.LINE_AA, 4)
    return sky
