import hashlib
import multiprocessing

import pytest

from landmark_zoo.core.errors import UserError
from landmark_zoo.data.synthetic import collection as module
from landmark_zoo.data.synthetic.collection import draw_collection

TINY = {"train_landmarks": 2, "train_views": 2, "benchmark_landmarks": 1, "index_views": 1, "query_views": 1,
        "distractors": 0, "long_side": 64}


def fingerprints(folder):
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in sorted(folder.rglob("*")) if path.is_file()}


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tiny") / "drawn"
    return folder, draw_collection(folder, workers=1, **TINY)


@pytest.mark.slow
def test_bytes_depend_on_the_arguments_alone(tmp_path, drawn):
    draw_collection(tmp_path / "again", workers=2, **TINY)
    draw_collection(tmp_path / "other", workers=1, seed=1, **TINY)
    assert fingerprints(tmp_path / "again") == fingerprints(drawn[0])
    assert not set(fingerprints(tmp_path / "other").values()) & set(fingerprints(drawn[0]).values())
    assert not multiprocessing.active_children()


def test_counts_are_the_files(drawn):
    folder, counts = drawn
    for part in ("train", "index", "test"):
        assert counts[part] == len(list((folder / part).rglob("*.jpg")))
    assert counts["revisited_index"] + counts["revisited_queries"] == len(list((folder / "revisited").rglob("*.jpg")))
    assert counts["train_landmarks"] == 2
    assert counts["benchmark_landmarks"] == 1


def test_a_complete_collection_is_left_alone(drawn, monkeypatch):
    folder, counts = drawn
    before = fingerprints(folder)
    monkeypatch.setattr(module, "take", None)
    assert draw_collection(folder, workers=1, **TINY) == counts
    assert fingerprints(folder) == before


def test_other_arguments_are_the_users_mistake(drawn):
    with pytest.raises(UserError, match="seed 0 instead of 7"):
        draw_collection(drawn[0], seed=7, workers=1, **TINY)


def test_another_folder_is_not_overwritten(tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "letter.txt").write_text("dear")
    with pytest.raises(UserError, match="Choose another output folder"):
        draw_collection(tmp_path / "mine", workers=1, **TINY)
    assert (tmp_path / "mine" / "letter.txt").read_text() == "dear"


def test_an_interrupted_drawing_leaves_nothing_and_starts_again(tmp_path, monkeypatch, drawn):
    real, calls = module.take, []

    def interrupted(*task):
        calls.append(task)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return real(*task)

    monkeypatch.setattr(module, "take", interrupted)
    with pytest.raises(KeyboardInterrupt):
        draw_collection(tmp_path / "drawn", workers=1, **TINY)
    assert list(tmp_path.iterdir()) == []
    draw_collection(tmp_path / "drawn", workers=1, **TINY)
    assert fingerprints(tmp_path / "drawn") == fingerprints(drawn[0])


def test_too_small_is_refused(tmp_path):
    with pytest.raises(ValueError, match="expected long_side of at least 64, received 32"):
        draw_collection(tmp_path / "drawn", long_side=32)
