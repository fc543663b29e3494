import errno
import logging
import sys

import pytest
import tensorflow as tf

from landmark_zoo.core.errors import UserError
from landmark_zoo.training.distributed.strategy import _report_outcome, code_fingerprint, create_strategy

FULL = ("Expected free disk space for ckpt; received a full disk. Free some space and start the same command again: it "
        "continues where it was.")


class RecordingGroup:
    """Remembers what it was told."""

    def __init__(self):
        self.told = []

    def fail(self, line, code, others_first=0):
        self.told.append((line, code, others_first > 0))

    def leave(self):
        self.told.append("left")


@pytest.mark.parametrize("name", ["auto", "single"])
def test_one_device(name):
    default = tf.distribute.get_strategy()
    with create_strategy(name, {}, environ={}):
        assert tf.distribute.get_strategy() is default


def test_mirrored(caplog):
    with caplog.at_level(logging.INFO, logger="absl"), create_strategy("mirrored", {}, environ={}):
        assert isinstance(tf.distribute.get_strategy(), tf.distribute.MirroredStrategy)
    assert "Training on 1 devices." in caplog.text


@pytest.mark.parametrize("environ", [{}, {"SLURM_PROCID": "0", "SLURM_STEP_NUM_TASKS": "1"}])
def test_workers_that_are_not_there(environ):
    with pytest.raises(UserError, match=r"several tasks of a Slurm step, or TF_CONFIG, .*; received neither"), \
            create_strategy("workers", {}, environ=environ):
        pass


def test_single_looks_at_no_cluster():
    with create_strategy("single", {}, environ={"TF_CONFIG": "broken"}):
        pass
    with pytest.raises(UserError, match="TF_CONFIG"), create_strategy("auto", {}, environ={"TF_CONFIG": "broken"}):
        pass


@pytest.mark.parametrize(("error", "told"), [
    (UserError("x", "y", "Do z."), ("Expected x; received y. Do z.", 2, False)),
    (OSError(errno.ENOSPC, "No space left", "ckpt"),
     (FULL, 2, False)),
    (OSError("240 requested and 0 written"), (FULL.replace(" for ckpt", ""), 2, False)),
    (tf.errors.ResourceExhaustedError(None, None, "ckpt; No space left on device"), (FULL, 2, False)),
    (PermissionError(errno.EACCES, "Permission denied"), ("PermissionError: [Errno 13] Permission denied", 1, False)),
    (tf.errors.UnavailableError(None, None, "heartbeat\ntimeout"), ("UnavailableError: heartbeat timeout", 1, True)),
    (tf.errors.InvalidArgumentError(None, None, "bad"), ("InvalidArgumentError: bad", 1, False)),
    (ValueError("bad"), ("ValueError: bad", 1, False)),
    (KeyboardInterrupt(), ("KeyboardInterrupt:", 130, False)),
    (SystemExit(5), ("It ended with 5.", 1, False)),
    (SystemExit(42), "left"), (SystemExit(0), "left")], ids=lambda value: type(value).__name__)
def test_the_others_hear_how_a_worker_ends(error, told):
    group = RecordingGroup()
    with pytest.raises(type(error)), _report_outcome(group):
        raise error
    assert group.told == [told]


def test_they_leave_together_after_work():
    group = RecordingGroup()
    with _report_outcome(group):
        assert sys.exc_info()[0] is None
    assert group.told == ["left"]


def test_names_and_bytes_count_other_files_do_not(tmp_path):
    def found(**files):
        folder = tmp_path / str(len(list(tmp_path.iterdir())))
        for name, text in files.items():
            (folder / "sub").mkdir(parents=True, exist_ok=True)
            (folder / "sub" / name.replace("_", ".")).write_text(text)
        return code_fingerprint(folder)
    same = found(a_py="x = 1")
    assert same == found(a_py="x = 1", note_txt="more")
    assert len({same, found(a_py="x = 2"), found(b_py="x = 1"), found(a_py="x = 1", b_py="")}) == 4


def test_this_package():
    assert code_fingerprint() == code_fingerprint()
    assert len(code_fingerprint()) == 64
