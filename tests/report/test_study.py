import json

import numpy as np
import pytest
from PIL import Image

from landmark_zoo.core.errors import UserError
from landmark_zoo.core.files import read_csv
from landmark_zoo.report.study import COSTS, StudyRun, read_study_run, study_figure, study_rows, study_table, write_study
from tests.report.study_rows import ROWS, row


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
    assert (difference.value, difference.low, difference.high) == pytest.approx((0.1, 0.1, 0.1))
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


def finished(folder, **facts):
    (folder / "study.json").write_text(json.dumps(
        {"method": "frozen", "block": "se", "seed": 1, **dict.fromkeys(COSTS, 2), **facts}))
    return folder


def test_a_finished_run(result_folder, tmp_path):
    result_folder(folder="run/results/trained", score=0.5)
    result_folder(folder="run/results/initial", score=0.375)
    run = read_study_run(finished(tmp_path / "run"))
    assert (run.method, run.block, run.seed, run.before) == ("frozen", "se", 1, 0.375)
    assert run.result.main.value == 0.5
    assert run.costs["block_macs"] == 2


def test_what_was_not_measured_before_training(result_folder, tmp_path):
    result_folder(folder="run/results/trained")
    assert read_study_run(finished(tmp_path / "run")).before is None


def test_an_unfinished_run_and_broken_facts(result_folder, tmp_path):
    result_folder(folder="run/results/trained")
    with pytest.raises(UserError, match=r"study\.json"):
        read_study_run(tmp_path / "run")
    with pytest.raises(UserError, match="the facts of a run"):
        read_study_run(finished(tmp_path / "run", parameters="many"))


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


def colors(path):
    pixels = np.asarray(Image.open(path).convert("RGB")).reshape(-1, 3)
    return {tuple(color) for color in np.unique(pixels, axis=0)}


def test_both_methods_are_drawn_in_their_colors(tmp_path):
    study_figure(ROWS, tmp_path / "figure.png")
    drawn = colors(tmp_path / "figure.png")
    assert {(0x2f, 0x5f, 0xd0), (0xc2, 0x57, 0x0c)} <= drawn
    study_figure([line for line in ROWS if line.method != "end_to_end"], tmp_path / "frozen.png")
    assert (0xc2, 0x57, 0x0c) not in colors(tmp_path / "frozen.png")


@pytest.mark.parametrize("count", [1, 40])
def test_it_grows_with_the_number_of_blocks(tmp_path, count):
    study_figure([row(block=f"block{number}") for number in range(count)], tmp_path / "figure.png")
    width, height = Image.open(tmp_path / "figure.png").size
    assert width == 1440
    assert height == pytest.approx(160 * (1.6 + 0.42 * count), abs=2)


def test_table_summary_and_figure_of_the_folders_of_runs(result_folder, tmp_path):
    folders = []
    for block, score in (("baseline", 0.25), ("se", 0.5)):
        result_folder(folder=f"{block}/results/trained", score=score)
        (tmp_path / block / "study.json").write_text(json.dumps(
            {"method": "frozen", "block": block, "seed": 0, **dict.fromkeys(COSTS, 3)}))
        folders.append(tmp_path / block)
    rows = write_study(tmp_path / "study", folders)
    assert [row.block for row in rows] == ["baseline", "se"]
    lines = list(read_csv(tmp_path / "study" / "summary.csv", ["method", "block", "mean", "difference", *COSTS]))
    assert [(line["mean"], line["difference"], line["standard_deviation"]) for line in lines] == [
        ("0.250000", "", ""), ("0.500000", "0.250000", "")]
    assert lines[0]["block_macs"] == "3"
    assert "| se | 1 | 50.0 |" in (tmp_path / "study" / "table.md").read_text()
    assert (tmp_path / "study" / "figure.png").stat().st_size > 1000
