"""What gets between the camera and the landmark."""

import numpy as np

from landmark_zoo.data.synthetic.camera import Camera
from landmark_zoo.data.synthetic.panel import Panel
from landmark_zoo.data.synthetic.stock import Stock


def draw_occluders(rng: np.random.Generator, stock: Stock, camera: Camera, amount: float) -> list[Panel]:
    """Places people, cars, lamps and trees before the camera.

    Args:
        rng: Source of chance.
        stock: What to choose from.
        camera: Whose view they stand in.
        amount: 0 for an empty square, 1 for a landmark that hardly shows.
    """
    eye, target = np.array(camera.position), np.array(camera.target)
    ahead = np.array((target[0] - eye[0], target[2] - eye[2]))
    distance = float(np.linalg.norm(ahead))
    ahead /= distance
    aside = np.array((-ahead[1], ahead[0]))
    half = 0.5 * camera.width / camera.focal

    def stand(kind: str, low: float, high: float, width: float = 1.0, tall: float | None = None) -> Panel:
        far = float(np.clip(distance * rng.uniform(low, high) ** 1.3, 3.0, None))
        x, z = eye[[0, 2]] + ahead * far + aside * (far * half * width * rng.uniform(-1, 1))
        return stock.stand(rng, kind, float(x), float(z), tall)

    panels = [stand("person", 0.08, 0.85) for _ in range(rng.poisson(2 + 8 * amount))]
    panels += [stand("car", 0.3, 0.9) for _ in range(rng.poisson(0.5 + 1.2 * amount))]
    panels += [stand("lamp", 0.2, 0.9) for _ in range(rng.poisson(0.7))]
    panels += [stand("parasol", 0.15, 0.7) for _ in range(rng.poisson(0.5))]
    if rng.random() < 0.12:
        panels.append(stand("bus", 0.3, 0.7))
    for _ in range(rng.poisson(0.15 + 2.2 * amount)):
        panels.append(stand("tree", 0.2, 0.85, 1.2, float(rng.uniform(0.1, 0.2 + 0.22 * amount)) * distance + 2.5))
    if rng.random() < 0.1 + 0.35 * amount:
        panels.append(_portrait(rng, stock, eye[[0, 2]], ahead, aside, half))
    return panels


def _portrait(rng: np.random.Generator, stock: Stock, eye: np.ndarray, ahead: np.ndarray, aside: np.ndarray,
              half: float) -> Panel:
    """Returns somebody who has their picture taken before the landmark."""
    far = float(rng.uniform(1.6, 3.6))
    x, z = eye + ahead * far + aside * (far * half * rng.uniform(-0.75, 0.75))
    return stock.stand(rng, "person", float(x), float(z))
