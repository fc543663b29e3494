"""From the scene to the photograph: weather, exposure, colour cast, blur, noise."""

from functools import lru_cache

import cv2
import numpy as np

from landmark_zoo.data.synthetic.light import Light


def develop(image: np.ndarray, rng: np.random.Generator, light: Light, poor: bool) -> np.ndarray:
    """Returns the photograph uint8 [H, W, 3] of a scene uint8 [H, W, 3].

    Args:
        image: The scene as it is.
        rng: Source of chance.
        light: Time of day and weather.
        poor: The photographer had a bad day: strong cast, blur and noise.
    """
    if light.moment == "night":
        bright = np.where(image.max(2, keepdims=True) > 205, image, 0).astype(np.uint8)
        image = cv2.add(image, cv2.GaussianBlur(bright, (0, 0), max(image.shape) / 90))
    if light.weather in ("rain", "snow"):
        image = _precipitation(image, rng, light.weather)
    worse = 1.6 if poor else 1.0
    saturation = float(np.clip(rng.normal(1.05, 0.22 * worse), 0.25, 1.7))
    cast = np.exp(rng.normal(0, 0.045 * worse, 3)) * min(np.exp(rng.normal(0.06, 0.14 * worse)), 1.25)
    image = cv2.transform(image, cast[:, None] * (saturation * np.eye(3) + (1 - saturation) / 3))
    tones = np.linspace(0, 1, 256) ** np.exp(rng.normal(-0.05, 0.13 * worse))
    tones = 0.5 + (tones - 0.5) * rng.uniform(0.82, 1.2)
    picture = cv2.LUT(image, (np.clip(tones, 0, 1) * 255).astype(np.float32))
    picture *= _vignette(picture.shape[:2], float(rng.uniform(0, 0.28)))
    blur = float(rng.exponential(0.25 * worse))
    if blur > 0.35:
        picture = cv2.GaussianBlur(picture, (0, 0), min(blur, 1.6) * max(image.shape) / 256)
    noise = float(rng.exponential(0.008 * worse)) + (0.02 if light.moment == "night" else 0.0)
    picture += np.float32(255 * noise) * _noise(picture.shape, int(rng.integers(1 << 16)))
    return np.clip(picture + 0.5, 0, 255).astype(np.uint8)


def _noise(shape: tuple[int, ...], start: int) -> np.ndarray:
    return np.resize(_grains()[start:], shape)


@lru_cache(maxsize=1)
def _grains() -> np.ndarray:
    return np.random.default_rng(5).standard_normal(1 << 19, np.float32)


def _vignette(shape: tuple[int, int], strength: float) -> np.ndarray:
    y, x = (np.linspace(-1, 1, side, dtype=np.float32) for side in shape)
    return (1 - strength * (x[None] ** 2 + y[:, None] ** 2) / 2)[..., None].astype(np.float32)


def _precipitation(image: np.ndarray, rng: np.random.Generator, weather: str) -> np.ndarray:
    rows, columns = image.shape[:2]
    layer = np.zeros((rows, columns), np.uint8)
    scale = max(rows, columns) / 256
    for x, y in rng.uniform((0, 0), (columns, rows), (int(rng.integers(90, 260)), 2)):
        if weather == "snow":
            radius = int(16 * scale * rng.uniform(0.4, 1.5))
            cv2.circle(layer, (int(x * 16), int(y * 16)), radius, 220, -1, cv2.LINE_AA, 4)
        else:
            end = (int(x - 2 * scale), int(y + rng.uniform(7, 15) * scale))
            cv2.line(layer, (int(x), int(y)), end, int(rng.integers(50, 110)), 1, cv2.LINE_AA)
    share = layer[..., None].astype(np.float32) / 255
    return (image * (1 - share) + 235 * share).astype(np.uint8)
