import pytest

from landmark_zoo.report.analysis.share import share


@pytest.mark.parametrize(("part", "whole", "text"), [
    (0, 10, "0 %"), (10, 10, "100 %"), (1, 14, "7.1 %"), (1, 5000, "under 0.1 %"), (4999, 5000, "over 99.9 %"),
    (0, 0, "0 %")])
def test_never_rounds_to_none_or_all(part, whole, text):
    assert share(part, whole) == text
