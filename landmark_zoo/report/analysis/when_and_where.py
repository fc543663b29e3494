"""When and where the photographs were taken, as far as anything says so."""

from collections.abc import Sequence

import numpy as np

from landmark_zoo.report.analysis.countries import countries
from landmark_zoo.report.analysis.dates import dates
from landmark_zoo.report.analysis.places import places
from landmark_zoo.report.table import Html


def when_and_where(measures: np.ndarray, found: Sequence[str]) -> Html:
    """Puts dates, places and countries together, with a sentence on what is not known.

    Args:
        measures: `MEASURES` [N] of readable photographs.
        found: The country of each photograph, "" where unknown; empty where no table names any.
    """
    shown = {"No photograph carries a date in its EXIF.": dates(measures),
             "No photograph carries a place in its EXIF.": places(measures),
             "No table beside the data names countries.": countries(found)}
    absent = " ".join(sentence for sentence, part in shown.items() if not part)
    return Html("".join(shown.values()) + (f"<p>{absent}</p>" if absent else ""))
