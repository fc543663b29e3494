"""Which strategy a script gets; several workers are in test_local_workers.py."""

import errno
import logging
import sys

import pytest
import tensorflow as tf

from landmark_zoo.core.errors import UserError
from landmark_zoo.training.distribution import _together, distribution

FULL = ("Expected free disk space for ckpt; received a full disk. Free some space and start the same command again: it "
        "continues where it was.")


class Crew:
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
    with distribution(name, {}, environ={}):
        assert tf.distribute.get_strategy() is default


def test_mirrored(caplog):
    with caplog.at_level(logging.INFO, logger="absl"), distribution("mirrored", {}, environ={}):
        assert isinstance(tf.distribute.get_strategy(), tf.distribute.MirroredStrategy)
    assert "Training on 1 devices." in caplog.text


@pytest.mark.parametrize("environ", [{}, {"SLURM_PROCID": "0", "SLURM_STEP_NUM_TASKS": "1"}])
def test_workers_that_are_not_there(environ):
    with pytest.raises(UserError, match=r"several tasks of a Slurm step, or TF_CONFIG, .*; received neither"), \
            distribution("workers", {}, environ=environ):
        pass


def test_single_looks_at_no_cluster():
    with distribution("single", {}, environ={"TF_CONFIG": "broken"}):
        pass
    with pytest.raises(UserError, match="TF_CONFIG"), distribution("auto", {}, environ={"TF_CONFIG": "broken"}):
        pass


@pytest.mark.parametrize(("error", "told"), [
    (UserError("x", "y", "Do z."), ("Expected x; received y. Do z.", 2, False)),
    (OSError(errno.ENOSPC, "No space left", "ckpt"),
     (FULL, 2, False)),
    (PermissionError(errno.EACCES, "Permission denied"), ("PermissionError: [Errno 13] Permission denied", 1, False)),
    (tf.errors.UnavailableError(None, None, "heartbeat\ntimeout"), ("UnavailableError: heartbeat timeout", 1, True)),
    (tf.errors.InvalidArgumentError(None, None, "bad"), ("InvalidArgumentError: bad", 1, False)),
    (ValueError("bad"), ("ValueError: bad", 1, False)),
    (KeyboardInterrupt(), ("KeyboardInterrupt:", 130, False)),
    (SystemExit(5), ("It ended with 5.", 1, False)),
    (SystemExit(42), "left"), (SystemExit(0), "left")], ids=lambda value: type(value).__name__)
def test_the_others_hear_how_a_worker_ends(error, told):
    crew = Crew()
    with pytest.raises(type(error)), _together(crew):
        raise error
    assert crew.told == [told]


def test_they_leave_together_after_work():
    crew = Crew()
    with _together(crew):
        assert sys.exc_info()[0] is None
    assert crew.told == ["left"]
