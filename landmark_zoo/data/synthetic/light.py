"""Time of day and weather: what light falls on what."""

from dataclasses import dataclass

import numpy as np

from landmark_zoo.data.synthetic.palette import Colour

Factors = tuple[float, float, float]

MOMENTS = ("day", "dusk", "night")
WEATHERS = ("clear", "cloudy", "haze", "rain", "snow")


@dataclass(frozen=True)
class Light:
    """The light of one photograph; factors multiply the colour of things, channel by channel.

    Attributes:
        moment: One of `MOMENTS`.
        weather: One of `WEATHERS`.
        sun: Unit vector towards the sun.
        sunlight: Factors on what faces the sun.
        ambient: Factors on everything.
        floodlight: Factors on a lit landmark at night; None where the lamps are off.
        zenith, horizon: Colours of the sky.
        clouds: Share of the sky that is covered, 0..1.
        haze: Share of the light from the landmark's distance that the air swallows, 0..1.
    """

    moment: str
    weather: str
    sun: Factors
    sunlight: Factors
    ambient: Factors
    floodlight: Factors | None
    zenith: Colour
    horizon: Colour
    clouds: float
    haze: float

    def gain(self, normal: np.ndarray | None, landmark: bool) -> Factors:
        """Returns the factors for a panel.

        Args:
            normal: float [3], out of its face; None for a round thing, which has many.
            landmark: It is part of the landmark, which is floodlit at night.
        """
        if landmark and self.floodlight is not None:
            return self.floodlight
        facing = 0.62 if normal is None else max(float(normal @ self.sun), 0.0)
        return tuple(float(fill + facing * sun) for fill, sun in zip(self.ambient, self.sunlight, strict=True))


def draw_light(rng: np.random.Generator, floodlight: Factors, moment: str | None = None,
               weather: str | None = None) -> Light:
    """Draws the light of a photograph.

    Args:
        rng: Source of chance.
        floodlight: Colour of the landmark's lamps.
        moment: One of `MOMENTS`; None for mostly day.
        weather: One of `WEATHERS`; None for any.
    """
    moment = moment or str(rng.choice(MOMENTS, p=(0.72, 0.15, 0.13)))
    weather = weather or str(rng.choice(WEATHERS, p=(0.58, 0.21, 0.08, 0.07, 0.06)))
    clear = weather == "clear"
    side = rng.normal(0, 1.1)
    height = {"day": rng.uniform(0.35, 1.1), "dusk": rng.uniform(0.04, 0.22), "night": 0.6}[moment]
    sun = (float(np.sin(side) * np.cos(height)), float(np.sin(height)), float(np.cos(side) * np.cos(height)))
    clouds = float({"clear": rng.uniform(0, 0.5), "cloudy": rng.uniform(0.5, 0.9)}.get(weather, 0.95))
    haze = float({"haze": rng.uniform(0.3, 0.6), "rain": rng.uniform(0.15, 0.35), "snow": rng.uniform(0.1, 0.3)}
                 .get(weather, rng.uniform(0.0, 0.1)))
    if moment == "night":
        lit = tuple(np.array(floodlight) * rng.uniform(0.75, 1.0)) if rng.random() < 0.85 else None
        dark = rng.uniform(0.24, 0.4)
        return Light(moment, weather, sun, (0.03,) * 3, (dark * 0.85, dark * 0.9, dark * 1.2), lit,
                     _shade((22, 28, 60), rng), _shade((74, 72, 104), rng), clouds * 0.5, haze * 0.6)
    if moment == "dusk":
        warm = rng.uniform(0, 1)
        return Light(moment, weather, sun, (0.95 if clear else 0.35, 0.55 if clear else 0.25, 0.28),
                     (0.56 + 0.1 * warm, 0.52, 0.62 - 0.1 * warm), None,
                     _shade(((58, 78, 138), (96, 86, 132))[int(warm > 0.5)], rng),
                     _shade(((246, 186, 130), (250, 150, 100))[int(warm > 0.5)] if clear else (170, 156, 168), rng),
                     clouds, haze)
    strong = rng.uniform(0.5, 0.72) if clear else rng.uniform(0.06, 0.2)
    early = rng.uniform(0, 1) ** 2
    sunlight = (strong, strong * (0.96 - 0.14 * early), strong * (0.88 - 0.3 * early))
    fill = rng.uniform(0.46, 0.6) if clear else rng.uniform(0.76, 0.94)
    zenith = _shade(((62, 116, 192), (98, 150, 214), (44, 92, 168))[rng.integers(3)], rng)
    horizon = _shade((196, 214, 230), rng)
    if not clear:
        gray = float(rng.uniform(0.94, 1.14))
        zenith = _shade((150 * gray, 164 * gray, 182 * gray), rng)
        horizon = _shade((206 * gray, 210 * gray, 214 * gray), rng)
    return Light(moment, weather, sun, sunlight, (fill * 0.95, fill, fill * 1.07), None, zenith, horizon, clouds, haze)


def _shade(colour: tuple[float, float, float], rng: np.random.Generator) -> Colour:
    return tuple(int(value) for value in np.clip(np.array(colour) + rng.normal(0, 7, 3), 0, 255))
