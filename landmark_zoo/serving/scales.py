"""At which sizes a picture is embedded, and how the embeddings become one."""

import dataclasses
import math

from landmark_zoo.core.errors import UserError


@dataclasses.dataclass(frozen=True)
class Scales:
    """Fixed scales and their aggregation.

    Attributes:
        factors: Of the picture at the model's side, e.g. (0.7071, 1, 1.4142).
        unit: Whether the embeddings of all scales have length 1 before they are put together.
        power: p of the generalised mean over the scales; 1 is the mean.

    Raises:
        UserError: No scale, one that is not above 0, one twice, or a power that is not above 0.
    """

    factors: tuple[float, ...] = (1.0,)
    unit: bool = True
    power: float = 1.0

    def __post_init__(self):
        good = self.factors and all(math.isfinite(factor) and factor > 0 for factor in self.factors)
        if not good or len(set(self.factors)) < len(self.factors):
            raise UserError("scales above 0, none twice", ", ".join(map(str, self.factors)) or "none",
                            "Write for example --scales=0.7071,1,1.4142.")
        if not (math.isfinite(self.power) and self.power > 0):
            raise UserError("a power above 0 for the mean over the scales", str(self.power), "Use 1 for the mean.")

    @property
    def aggregation(self) -> str:
        """One line for protocol cards."""
        if self.factors == (1.0,):
            return "none"
        mean = "mean" if self.power == 1 else f"generalised mean, p {self.power:g},"
        return f"{mean} of embeddings {'of length 1' if self.unit else 'before their L2 normalisation'}, L2"
