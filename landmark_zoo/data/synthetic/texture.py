"""A flat picture that is hung in the scene: colour, cut-outs, and windows that shine at night."""

import cv2
import numpy as np

_LAMPLIGHT = np.array([255, 206, 128], np.float32)


class Texture:
    """RGBA pixels with a mask of lit windows, kept in halving sizes for each time of day.

    Args:
        pixels: uint8 [H, W, 4], RGB and coverage; what is not covered is seen through.
        lights: uint8 [H, W], how brightly a pixel shines at night; None for no lights.
    """

    def __init__(self, pixels: np.ndarray, lights: np.ndarray | None = None):
        if pixels.ndim != 3 or pixels.shape[2] != 4 or pixels.dtype != np.uint8:
            raise ValueError(f"expected uint8 pixels [H, W, 4], received {pixels.dtype} {pixels.shape}")
        self.pixels, self.lights = pixels, lights
        self._levels: dict[tuple[str, int], np.ndarray] = {}
        self._most = int(np.log2(min(pixels.shape[:2])))
        sample = pixels[::5, ::5].reshape(-1, 4)
        solid = sample[sample[:, 3] > 127] if (sample[:, 3] > 127).any() else sample
        self.mean = tuple(float(value) for value in solid[:, :3].mean(0))
        if cv2.countNonZero(pixels[..., 3]) < pixels[..., 3].size:
            pixels[pixels[..., 3] < 128, :3] = self.mean

    def level(self, moment: str, halvings: int) -> np.ndarray:
        """Returns the picture at a time of day, halved in size `halvings` times (or as often as it goes).

        Args:
            moment: "day", "dusk" or "night".
            halvings: 0 for full size.
        """
        halvings = min(halvings, self._most)
        key = (moment, halvings)
        if key not in self._levels:
            self._levels[key] = self._at(moment, halvings)
        return self._levels[key]

    def _at(self, moment: str, halvings: int) -> np.ndarray:
        if moment == "day":
            return _halved(self.level("day", halvings - 1)) if halvings else self.pixels
        picture = self.level("day", halvings)
        colour = picture[..., :3].astype(np.float32)
        if moment == "night":
            colour *= np.linspace(0.45, 1.0, len(colour), dtype=np.float32)[:, None, None]
        if self.lights is not None:
            lights = cv2.resize(self.lights, picture.shape[1::-1], interpolation=cv2.INTER_AREA)
            share = lights[..., None].astype(np.float32) * ((0.9 if moment == "night" else 0.7) / 255)
            colour += (_LAMPLIGHT - colour) * share
        lit = picture.copy()
        lit[..., :3] = colour
        return lit


def _halved(picture: np.ndarray) -> np.ndarray:
    rows, columns = picture.shape[:2]
    return cv2.resize(picture, (columns // 2, rows // 2), interpolation=cv2.INTER_AREA)
