import numpy as np
import pytest

from landmark_zoo.core.errors import UserError
from landmark_zoo.report.study_row import study_rows
from landmark_zoo.report.study_run import COSTS, StudyRun


@pytest.fixture
def run(make_result):
    """run(method, block, seed, average precisions) -> a run; one query counts for each figure."""
    def make(method, block, seed, values, before=0.25, **fields):
        scores = {f"q{number}": value for number, value in enumerate(values)}
        return StudyRun(method, block, seed, make_result(scores=scores, **fields), before, dict.fromkeys(COSTS, 10.0 + seed))
    return make


def test_seeds_of_a_block_become_one_row(run):
    rows = study_rows([run("frozen", "baseline", seed, [0.2, 0.4]) for seed in (0, 1)]
                      + [run("frozen", "se", 0, [0.3, 0.5]), run("frozen", "se", 1, [0.5, 0.7])])
    assert [row.label for row in rows] == ["baseline", "se"]
    assert rows[1].values == pytest.approx({0: 0.4, 1: 0.6})
    assert (rows[1].mean, rows[1].deviation) == pytest.approx((0.5, np.std([0.4, 0.6], ddof=1)))
    assert rows[1].before == 0.25
    assert rows[1].costs["parameters"] == 10.5
    assert rows[1].low == pytest.approx(0.4)
    assert rows[1].high == pytest.approx(0.6)


def test_differences_are_paired_by_seed_and_query(run):
    """Seeds and queries differ much, the block adds 0.1 everywhere: the interval has no width."""
    base = {seed: [0.1 + 0.2 * seed, 0.5 + 0.1 * seed] for seed in (0, 1, 2)}
    rows = study_rows([run("frozen", "baseline", seed, values) for seed, values in base.items()]
                      + [run("frozen", "se", seed, [value + 0.1 for value in values]) for seed, values in base.items()])
    difference = rows[1].difference
    assert (difference.value, difference.low, difference.high, difference.queries) == pytest.approx((0.1, 0.1, 0.1, 2))
    assert rows[0].difference is None


def test_each_method_has_a_baseline_of_its_own_and_the_shelf_meets_every_seed_of_the_frozen_one(run):
    rows = study_rows([run("off_the_shelf", "baseline", 0, [0.1, 0.1]), run("frozen", "baseline", 0, [0.2, 0.2]),
                       run("frozen", "baseline", 1, [0.4, 0.4]), run("end_to_end", "baseline", 0, [0.7, 0.7]),
                       run("end_to_end", "se", 0, [0.6, 0.6])])
    assert [row.label for row in rows] == ["off the shelf + PCA", "baseline", "baseline", "se"]
    assert rows[0].difference.value == pytest.approx(-0.2)
    assert (rows[0].difference.low, rows[0].difference.high) == pytest.approx((-0.3, -0.1))
    assert rows[3].difference.value == pytest.approx(-0.1)


def test_without_a_baseline_or_a_second_seed_something_is_missing(run):
    row, = study_rows([run("frozen", "se", 0, [0.5, 0.7], before=None)])
    assert row.difference is row.deviation is row.before is None


def test_runs_on_other_queries_or_benchmarks_are_refused(run):
    for other in (run("frozen", "se", 0, [0.5]), run("frozen", "se", 0, [0.5, 0.7], benchmark="other")):
        with pytest.raises(UserError, match="all runs of a study on toy with 2 queries"):
            study_rows([run("frozen", "baseline", 0, [0.2, 0.4]), other])
