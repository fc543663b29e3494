import numpy as np

from landmark_zoo.report.analysis import examples as module
from landmark_zoo.report.analysis.examples import examples


def test_each_landmark_with_its_readable_photographs(findings):
    html = examples(findings, np.random.default_rng(0))
    assert "photographs of each landmark." in html
    assert "taj mahal, 3 photographs" in html
    assert "lone, 1 photograph<" in html
    assert html.count("<img") == 5
    assert "index0" not in html


def test_of_many_landmarks_some_by_the_seed(findings, monkeypatch):
    monkeypatch.setattr(module, "LANDMARKS", 1)
    seen = {examples(findings, np.random.default_rng(seed)) for seed in (0, 0, 1, 2, 3, 4)}
    assert 1 < len(seen) <= 3
    assert all("1 of 3 landmarks, drawn at random" in html for html in seen)
