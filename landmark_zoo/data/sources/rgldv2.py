"""Which landmarks of GLDv2 are also in Oxford and Paris."""

import csv
from pathlib import Path

from landmark_zoo.core.errors import UserError
from landmark_zoo.core.files import read_csv

REVISED_LIST = "rgldv2_clean.csv"
ADDRESS = "https://github.com/dealicious-inc/RGLDv2-clean"
_LONGEST_CELL = 2**27


def overlapping_landmarks(root: str | Path) -> set[str]:
    """Returns the landmarks that RGLDv2-clean leaves out of the clean list of GLDv2.

    36 of the 70 queries of ROxford and 38 of those of RParis show a landmark of GLDv2-clean; the revised list has 17
    landmarks (1,565 photographs) fewer. It is offered by its authors behind a web form and is not fetched here. Its format
    could not be checked: expected is that of `train_clean.csv` (a column landmark_id). Landmarks outside the clean list
    were not looked at by its authors.

    Args:
        root: The folder with `train_clean.csv` and `rgldv2_clean.csv`.

    Raises:
        UserError: A list is missing or broken, the revised one names landmarks that the clean one does not know, or
            nothing is left out.
    """
    root = Path(root)
    revised_path = root / REVISED_LIST
    if not revised_path.is_file():
        raise UserError(f"the list RGLDv2-clean at {revised_path}", "none",
                        f"Download it from {ADDRESS} and save it there, in the format of train_clean.csv.")
    csv.field_size_limit(_LONGEST_CELL)
    clean_path = next((path for path in (root / "train_clean.csv", root / "train_clean_v2.1.csv") if path.is_file()),
                      root / "train_clean.csv")
    clean = {row["landmark_id"] for row in read_csv(clean_path, ["landmark_id"])}
    revised = {row["landmark_id"] for row in read_csv(revised_path, ["landmark_id"])}
    if not revised <= clean or revised == clean:
        raise UserError(f"landmarks of {clean_path.name}, but not all, in {revised_path}",
                        f"{len(revised - clean):,} others" if revised - clean else "all of them", "Take another copy.")
    return clean - revised
