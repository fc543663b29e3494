"""Training, validation and test."""

from landmark_zoo.core.errors import UserError
from landmark_zoo.data.catalogue import Catalogue
from landmark_zoo.data.split import split


def into_parts(catalogue: Catalogue, validation_fraction: float, test_fraction: float,
               seed: int) -> dict[str, Catalogue | None]:
    """Parts the photographs of each landmark; one that has a single photograph stays in training (`data.split`).

    Returns:
        "train", "validation" and, with a test fraction, "test"; None where no photograph is left for a part.

    Raises:
        UserError: The fractions leave nothing for training.
    """
    if validation_fraction + test_fraction >= 1:
        raise UserError("--validation_fraction and --test_fraction below 1 together",
                        f"{validation_fraction} and {test_fraction}", "Lower one.")
    if not test_fraction:
        return dict(zip(("train", "validation"), split(catalogue, validation_fraction, seed), strict=True))
    rest, test = split(catalogue, test_fraction, seed)
    train, validation = split(rest, validation_fraction / (1 - test_fraction), seed)
    return {"train": train, "validation": validation, "test": test}
