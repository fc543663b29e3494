"""One run of a study."""

from typing import NamedTuple

FROZEN, END_TO_END, OFF_THE_SHELF = "frozen", "end_to_end", "off_the_shelf"


class StudyKey(NamedTuple):
    """What tells one run of a study from the others.

    Attributes:
        method: `FROZEN` (backbone frozen, on cached feature maps), `END_TO_END`, or `OFF_THE_SHELF` (nothing is trained, the
            embedding is a PCA).
        block: `BASELINE` or a name of `ATTENTION`.
        seed: Of weights, order and views.
    """

    method: str
    block: str
    seed: int

    @property
    def name(self) -> str:
        """As in reports and as its folder, e.g. "frozen-se-seed0"."""
        return f"{self.method}-{self.block}-seed{self.seed}"
