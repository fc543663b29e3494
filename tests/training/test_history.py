"""The history of a run."""

from landmark_zoo.training.history import History, read_history


def test_lines_after_the_last_checkpoint_are_dropped(tmp_path):
    history = History(tmp_path, 0)
    for step in (1, 2, 3):
        history.add(step, loss=0.5)
    History(tmp_path, 2).add(3, loss=0.25)
    lines = [(line["step"], line["loss"]) for line in read_history(tmp_path / "history.jsonl")]
    assert lines == [(1, 0.5), (2, 0.5), (3, 0.25)]


def test_a_line_cut_off_by_a_crash(tmp_path):
    (tmp_path / "history.jsonl").write_text('{"step": 1, "loss": 2}\n{"step": 2, "lo')
    assert read_history(tmp_path / "history.jsonl") == [{"step": 1, "loss": 2}]
    assert read_history(tmp_path / "absent.jsonl") == []
