import numpy as np
import pytest
from PIL import ExifTags, Image

from landmark_zoo.data.analysis.measure import MEASURES, measure
from landmark_zoo.data.photograph import BadPhotograph


def test_a_row_fits_the_table(picture, encode):
    exif = Image.Exif()
    exif[ExifTags.Base.DateTime] = "2011:05:04 00:00:00"
    row = np.array([measure(encode(picture(300, 400).convert("L"), exif=exif))], MEASURES)[0]
    assert row["readable"]
    assert (row["height"], row["width"], row["year"], row["month"]) == (300, 400, 2011, 5)
    assert row["strongest_colour"] < 1
    assert row["hash"] > 0
    assert np.isnan(row["latitude"])


def test_a_bad_photograph_is_refused():
    with pytest.raises(BadPhotograph):
        measure(b"nothing")
