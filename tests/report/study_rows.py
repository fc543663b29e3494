"""Rows of a study for the tests of its table and figure."""

from landmark_zoo.evaluation.comparison import Comparison
from landmark_zoo.report.study import COSTS, StudyRow


def row(method="frozen", block="se", values=(0.5, 0.6), difference=None, before=0.45):
    """Returns a row; `difference` is (value, low, high)."""
    return StudyRow(method, block, dict(enumerate(values)), min(values) - 0.1, max(values) + 0.1, before,
                    Comparison("mAP@100", {}, *difference) if difference else None, dict.fromkeys(COSTS, 1234.5))


ROWS = [row("off_the_shelf", "baseline", (0.4,), (-0.1, -0.2, -0.05), before=0.4), row(block="baseline"),
        row(block="se", difference=(0.05, 0.01, 0.09)), row(block="eca", difference=(-0.05, -0.09, -0.01)),
        row(block="<glam>", difference=(0.01, -0.02, 0.04)), row("end_to_end", "baseline", (0.7,), before=None)]
