"""What exact ranks cost."""

import pytest

from experiments.benchmarks.evaluation import measure_evaluation


def test_counting_equals_sorting():
    found = measure_evaluation(images=3000, queries=4, dimension=16)
    assert found["largest_difference"] == pytest.approx(0, abs=1e-12)
    assert set(found) == {f"{way}_{what}" for way in ("product", "counting", "sorting") for what in ("seconds", "mib")} | {
        "largest_difference"}
    assert all(value > 0 for name, value in found.items() if name != "largest_difference")
