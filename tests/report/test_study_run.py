import json

import pytest

from landmark_zoo.core.errors import UserError
from landmark_zoo.report.study_run import COSTS, read_study_run


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
