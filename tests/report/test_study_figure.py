import runpy
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from landmark_zoo.report.study_figure import study_figure

MADE_UP = runpy.run_path(str(Path(__file__).with_name("study_rows_made_up.py")))
ROWS, row = MADE_UP["ROWS"], MADE_UP["row"]


def colours(path):
    pixels = np.asarray(Image.open(path).convert("RGB")).reshape(-1, 3)
    return {tuple(colour) for colour in np.unique(pixels, axis=0)}


def test_both_methods_are_drawn_in_their_colours(tmp_path):
    study_figure(ROWS, tmp_path / "figure.png")
    drawn = colours(tmp_path / "figure.png")
    assert {(0x2f, 0x5f, 0xd0), (0xc2, 0x57, 0x0c)} <= drawn
    study_figure([line for line in ROWS if line.method != "end_to_end"], tmp_path / "frozen.png")
    assert (0xc2, 0x57, 0x0c) not in colours(tmp_path / "frozen.png")


@pytest.mark.parametrize("count", [1, 40])
def test_it_grows_with_the_number_of_blocks(tmp_path, count):
    study_figure([row(block=f"block{number}") for number in range(count)], tmp_path / "figure.png")
    width, height = Image.open(tmp_path / "figure.png").size
    assert width == 1440
    assert height == pytest.approx(160 * (1.6 + 0.42 * count), abs=2)
