"""What re-ranking is fitted on, and how."""

from dataclasses import dataclass

from landmark_zoo.core.errors import UserError

LEAST_SIDE = 32


@dataclass(frozen=True)
class RerankingConfig:
    """Settings that the re-ranking scripts share.

    Attributes:
        validation_queries: Queries of landmarks outside the benchmark that v is fitted on.
        validation_index: Index images that they search.
        codebook_photographs: Photographs that codebooks are fitted on.
        max_side: Pixels of the longer side for local features.
        strict: Stop at the first bad or missing photograph.
        seed: Of the draw, k-means, MAGSAC and the bootstrap.

    Raises:
        UserError: A count below 1, or a side below 32.
    """

    validation_queries: int = 60
    validation_index: int = 600
    codebook_photographs: int = 300
    max_side: int = 512
    strict: bool = False
    seed: int = 0

    def __post_init__(self):
        least = {"validation_queries": 1, "validation_index": 1, "codebook_photographs": 1, "max_side": LEAST_SIDE}
        for name, low in least.items():
            if getattr(self, name) < low:
                raise UserError(f"--{name} of {low} or more", str(getattr(self, name)), "Raise it.")
