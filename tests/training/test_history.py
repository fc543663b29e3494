"""The history of a run."""

from pathlib import Path

import pytest

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


def test_a_full_disk_leaves_the_lines_before(tmp_path):
    """/dev/full takes nothing."""
    history = History(tmp_path, 0)
    history.add(1, loss=0.5)
    kept = history.path.read_text()
    history.path = Path("/dev/full")
    with pytest.raises(OSError, match="No space left on device: '/dev/full'"):
        history.add(2, loss=0.25)
    assert (tmp_path / "history.jsonl").read_text() == kept
