import runpy
from pathlib import Path

from landmark_zoo.report.study_table import study_table

MADE_UP = runpy.run_path(str(Path(__file__).with_name("study_rows_made_up.py")))
ROWS, row = MADE_UP["ROWS"], MADE_UP["row"]


def test_each_method_has_a_table_and_a_sentence_says_what_came_out():
    text = study_table(ROWS)
    assert [line for line in text.splitlines() if line.startswith("**")] == [
        "**Without training**", "**Backbone frozen, cached feature maps**", "**Backbone trained too**"]
    assert "| se | 2 | 55.0 | 7.1 | 40.0–70.0 | 45.0 | +5.0 | +1.0 to +9.0 | 1,234 |" in text
    assert "| baseline | 1 | 70.0 | – | 60.0–80.0 | – | – | – |" in text
    assert "Better than the baseline: se; worse: eca; no clear difference: <glam>." in text


def test_it_says_also_that_nothing_helps():
    text = study_table([row(block="baseline"), row(block="se", difference=(0.01, -0.01, 0.02))])
    assert "Better than the baseline: none; worse: none; no clear difference: se." in text
    assert "Without training" not in text


def test_every_line_of_a_table_has_as_many_cells():
    lines = [line for line in study_table(ROWS).splitlines() if line.startswith("|")]
    assert len({line.count("|") for line in lines}) == 1
