"""A full disk."""

import errno

import pytest
import tensorflow as tf

from landmark_zoo.training.full_disk import naming_full_disk


@pytest.mark.parametrize("error", [
    tf.errors.ResourceExhaustedError(None, None, "ckpt-6.tempstate; No space left on device"),
    OSError(errno.ENOSPC, "No space left on device"), OSError(errno.EDQUOT, "Quota exceeded")])
def test_says_what_could_not_be_written(error):
    with pytest.raises(OSError, match="history") as caught, naming_full_disk("the history"):
        raise error
    assert caught.value.errno in (errno.ENOSPC, errno.EDQUOT)
    assert caught.value.filename == "the history"


@pytest.mark.parametrize("error", [tf.errors.ResourceExhaustedError(None, None, "OOM when allocating"),
                                   PermissionError(errno.EACCES, "Permission denied", "there")])
def test_leaves_other_errors_alone(error):
    with pytest.raises(type(error)) as caught, naming_full_disk("the history"):
        raise error
    assert caught.value is error
