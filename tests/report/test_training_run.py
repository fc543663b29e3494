import json

import pytest

from landmark_zoo.core.errors import UserError
from landmark_zoo.report.training_run import read_training_run, unfolded


def test_reads_facts_flags_and_history(workdir):
    run = read_training_run(workdir)
    assert run.model == "resnet50_se"
    assert run.facts == {"model": "resnet50_se", "embedding_dim": 512, "parameters": 1_234_567}
    assert run.flags == {"batch_size": 32, "alpha": None}
    assert (len(run.training), len(run.validation)) == (200, 2)
    assert run.training[-1]["step"] == 2000


def test_reads_what_was_measured_on_unseen_landmarks(workdir, selected):
    (workdir / "best").mkdir()
    (workdir / "best" / "selection.json").write_text(json.dumps(selected.selection))
    with open(workdir / "history.jsonl", "a") as file:
        file.writelines(json.dumps(line) + "\n" for line in selected.retrieval[::-1])
    run = read_training_run(workdir)
    assert (run.retrieval, run.selection) == (selected.retrieval, selected.selection)
    assert len(run.training) == 200
    (workdir / "best" / "selection.json").write_text(json.dumps(selected.selection | {"gain": {"value": 0.1}}))
    with pytest.raises(UserError, match=r"gain\.low in .*selection\.json"):
        read_training_run(workdir)


def test_an_empty_folder_is_an_empty_run(tmp_path):
    run = read_training_run(tmp_path)
    assert (run.model, run.facts, run.flags, run.training, run.validation) == (None, {}, {}, [], [])


def test_no_folder(tmp_path):
    with pytest.raises(UserError, match="--workdir"):
        read_training_run(tmp_path / "nowhere")


def test_the_later_line_of_a_step_counts_and_a_line_being_written_is_left_out(tmp_path):
    (tmp_path / "history.jsonl").write_text(
        '{"step": 20, "loss": 2}\n{"step": 10, "loss": 3}\n{"step": 20, "loss": 1}\n{"step": 30, "lo')
    assert [(line["step"], line["loss"]) for line in read_training_run(tmp_path).training] == [(10, 3), (20, 1)]


@pytest.mark.parametrize("line", ["{", "[]", '{"loss": 1}', '{"step": "x"}', "\ufffd"])
def test_a_broken_line_costs_no_other(tmp_path, line):
    (tmp_path / "history.jsonl").write_text(f'{{"step": 1, "loss": 1}}\n{line}\n{{"step": 2, "loss": 1}}\n')
    assert [each["step"] for each in read_training_run(tmp_path).training] == [1, 2]


@pytest.mark.parametrize("text", ["{", "[1]"])
def test_broken_facts(tmp_path, text):
    (tmp_path / "model.json").write_text(text)
    with pytest.raises(UserError, match="JSON"):
        read_training_run(tmp_path)


def test_unfolded():
    assert unfolded({"a": {"b": {"c": 1}, "d": {}}, "e": [2]}) == {"a.b.c": 1, "a.d": {}, "e": [2]}
