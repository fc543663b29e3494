"""Windows, drawn once per shape and stamped on the wall."""

from landmark_zoo.data.synthetic.building import Building
from landmark_zoo.data.synthetic.canvas import Canvas
from landmark_zoo.data.synthetic.openings import opening
from landmark_zoo.data.synthetic.palette import mix


class Glazier:
    """Draws a building's windows; equal ones are drawn once.

    Args:
        building: Whose windows.
        density: Pixels per metre.
    """

    def __init__(self, building: Building, density: float):
        self.building, self.density = building, density
        self._made: dict[tuple, Canvas] = {}

    def window(self, shape: str, width: float, height: float, lit: bool, tone: int) -> Canvas:
        """Returns a window with its surround.

        Args:
            shape: One of `openings.OPENINGS`, or "oculus".
            width, height: Of the opening, metres.
            lit: Somebody is at home at night.
            tone: 0 to 2, how much sky the glass mirrors.
        """
        key = (shape, width, height, lit, tone)
        if key not in self._made:
            self._made[key] = self._draw(*key)
        return self._made[key]

    def _draw(self, shape: str, width: float, height: float, lit: bool, tone: int) -> Canvas:
        building, palette = self.building, self.building.palette
        frame, head = 0.16 * width, 0.0 if building.hood == "none" or shape == "oculus" else 0.3 * width
        wide = width * (2.0 if building.shutters and shape == "square" else 1.36) + 2 * frame
        canvas = Canvas(wide, height + 3 * frame + head, self.density)
        middle, sill = wide / 2, frame
        surround = opening(shape, middle, sill - frame * 0.5, width + 2 * frame, height + frame * 1.4)
        canvas.polygon(surround, palette.trim)
        glass = mix(palette.glass, (168, 190, 214), (0.0, 0.16, 0.4)[tone])
        canvas.polygon(opening(shape, middle, sill, width, height), mix(glass, (16, 18, 24), 0.55))
        canvas.polygon(opening(shape, middle + 0.05 * width, sill, width * 0.86, height * 0.93), glass,
                       235 if lit else 18)
        bar = mix(palette.trim, (90, 80, 74), 0.35)
        canvas.line([(middle, sill), (middle, sill + height * 0.96)], bar, 0.07 * width)
        for share in (0.38, 0.68):
            canvas.line([(middle - width / 2.2, sill + height * share), (middle + width / 2.2, sill + height * share)],
                        bar, 0.06 * width)
        canvas.rectangle(middle - width / 2 - frame * 1.4, sill - frame, width + 2.8 * frame, frame * 0.9, palette.trim)
        if building.shutters and shape == "square":
            for side in (-1, 1):
                canvas.rectangle(middle + side * width * 0.8 - width * 0.25, sill, width * 0.5, height, palette.door)
        if head:
            self._hood(canvas, middle, sill + height + frame, width + 3 * frame, head)
        return canvas

    def _hood(self, canvas: Canvas, middle: float, y: float, width: float, rise: float) -> None:
        trim = mix(self.building.palette.trim, (255, 255, 255), 0.12)
        if self.building.hood == "gable":
            canvas.polygon([(middle - width / 2, y), (middle + width / 2, y), (middle, y + rise)], trim)
        elif self.building.hood == "arch":
            canvas.polygon(opening("segmental", middle, y, width, rise), trim)
        else:
            canvas.rectangle(middle - width / 2, y, width, rise * 0.45, trim)
