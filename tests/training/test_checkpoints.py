import errno

import numpy as np
import pytest
import tensorflow as tf

from landmark_zoo.core.errors import UserError
from landmark_zoo.models import build_model
from landmark_zoo.training.checkpoints import (
    Checkpoints,
    full_disk_as_os_error,
    has_checkpoint,
    load_weights,
)
from landmark_zoo.training.distributed.collectives import WorkerInfo
from landmark_zoo.training.ema import ExponentialMovingAverage


def built(embedding_dim=4):
    return build_model("resnet18", alpha=0.125, embedding_dim=embedding_dim)


def test_latest_and_initial(tmp_path):
    model, step = built(), tf.Variable(0, dtype=tf.int64)
    checkpoints = Checkpoints(tmp_path, model, step=step)
    assert not checkpoints.restore()
    checkpoints.save_initial()
    first = model.get_weights()
    for number in (1, 2, 3):
        model.set_weights([value + 1 for value in model.get_weights()])
        step.assign(number)
        checkpoints.save(number)
    assert len(list((tmp_path / "checkpoints").glob("*.index"))) == 2
    other = built()
    assert load_weights(other, tmp_path) == 3
    np.testing.assert_allclose(other.get_weights()[0], first[0] + 3, rtol=1e-6)
    assert load_weights(other, tmp_path, "initial") == 0
    np.testing.assert_array_equal(other.get_weights()[0], first[0])
    assert Checkpoints(tmp_path, other, step=step).restore()
    assert step == 3


@pytest.fixture
def two_saved(tmp_path):
    """A run in a folder whose name is a pattern, with checkpoints of steps 1 and 2 of weights 1 and 2."""
    model, step = small(), tf.Variable(0, dtype=tf.int64)
    checkpoints = Checkpoints(tmp_path / "lr=[0.1]*", model, step=step)
    for number in (1, 2):
        model.set_weights([np.full_like(value, number) for value in model.get_weights()])
        step.assign(number)
        checkpoints.save(number)
    return tmp_path / "lr=[0.1]*"


def small():
    return tf.keras.Sequential([tf.keras.Input([3]), tf.keras.layers.Dense(50)])


def cut(path):
    path.write_bytes(path.read_bytes()[:-40])


def flip(path):
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


DAMAGE = [lambda path: path.unlink(), cut, lambda path: path.write_bytes(b""), flip]


def test_a_folder_whose_name_is_a_pattern(two_saved):
    assert has_checkpoint(two_saved)
    assert load_weights(small(), two_saved) == 2


@pytest.mark.parametrize("damage", DAMAGE)
@pytest.mark.parametrize(("name", "left"), [("checkpoint", 2), ("ckpt-2.index", 1), ("ckpt-2.data-00000-of-00001", 1)])
def test_the_newest_whole_one_is_taken(two_saved, damage, name, left):
    damage(two_saved / "checkpoints" / name)
    model, step = small(), tf.Variable(0, dtype=tf.int64)
    assert Checkpoints(two_saved, model, step=step).restore()
    assert step == left
    assert (model.get_weights()[0] == left).all()
    assert load_weights(small(), two_saved) == left


@pytest.mark.parametrize("damage", DAMAGE)
@pytest.mark.parametrize("suffix", ["index", "data-00000-of-00001"])
def test_none_that_is_whole_is_no_new_start(two_saved, damage, suffix):
    for step in (1, 2):
        damage(two_saved / "checkpoints" / f"ckpt-{step}.{suffix}")
    with pytest.raises(UserError, match="received 2 damaged ones"):
        Checkpoints(two_saved, small(), step=tf.Variable(0, dtype=tf.int64)).restore()


def test_a_first_one_that_was_interrupted_is_none(two_saved):
    folder = two_saved / "checkpoints"
    for file in folder.iterdir():
        file.unlink()
    (folder / "ckpt-0.data-00000-of-00001").write_bytes(b"")
    assert not has_checkpoint(two_saved)


def test_none_yet(tmp_path):
    with pytest.raises(UserError, match=r"a latest checkpoint in .*; received none. Train first"):
        load_weights(built(), tmp_path)


def test_another_worker_than_the_chief_keeps_no_files_and_waits_for_the_chiefs(tmp_path, monkeypatch):
    module = "landmark_zoo.training.checkpoints"
    monkeypatch.setattr(f"{module}.WorkerInfo.current", lambda: WorkerInfo(2, 1, 2))
    monkeypatch.setattr(f"{module}.SECONDS_TO_APPEAR", 0)
    monkeypatch.setattr(f"{module}.broadcast", lambda _: 5)  # the chief's newest step
    model = tf.keras.Sequential([tf.keras.Input([2]), tf.keras.layers.Dense(1)])
    checkpoints = Checkpoints(tmp_path, model, step=tf.Variable(5, dtype=tf.int64))
    checkpoints.save_initial()
    checkpoints.save(5)
    assert not list(tmp_path.rglob("*.index"))
    with pytest.raises(UserError, match=r"ckpt-5\.index to be seen by every worker"):
        checkpoints.restore()


def test_of_another_model(tmp_path):
    step = tf.Variable(0, dtype=tf.int64)
    Checkpoints(tmp_path, built(), step=step).save(0)
    for other in (built(embedding_dim=5), build_model("resnet18", "se", alpha=0.125, embedding_dim=4)):
        with pytest.raises(UserError, match="one of another model"):
            load_weights(other, tmp_path)
        with pytest.raises(UserError, match="one of another model"):
            Checkpoints(tmp_path, other, step=step).restore()


def test_latest_is_the_average_where_there_is_one(tmp_path):
    model = built()
    ema = ExponentialMovingAverage(model, 0.5)
    checkpoints = Checkpoints(tmp_path, model, step=tf.Variable(7, dtype=tf.int64), averages=ema)
    checkpoints.save_initial()
    for average in ema.values:
        average.assign_add(tf.ones_like(average))
    checkpoints.save(7)
    raw, read = model.get_weights(), built()
    for which, shift, step in (("latest", 1, 7), ("raw", 0, 7), ("initial", 0, 0)):
        assert load_weights(read, tmp_path, which) == step
        for left, right in zip(read.get_weights(), raw, strict=True):
            np.testing.assert_array_equal(left, right + shift)


@pytest.mark.parametrize("error", [
    tf.errors.ResourceExhaustedError(None, None, "ckpt-6.tempstate; No space left on device"),
    OSError(errno.ENOSPC, "No space left on device"), OSError(errno.EDQUOT, "Quota exceeded")])
def test_says_what_could_not_be_written(error):
    with pytest.raises(OSError, match="history") as caught, full_disk_as_os_error("the history"):
        raise error
    assert caught.value.errno in (errno.ENOSPC, errno.EDQUOT)
    assert caught.value.filename == "the history"


@pytest.mark.parametrize("error", [tf.errors.ResourceExhaustedError(None, None, "OOM when allocating"),
                                   PermissionError(errno.EACCES, "Permission denied", "there")])
def test_leaves_other_errors_alone(error):
    with pytest.raises(type(error)) as caught, full_disk_as_os_error("the history"):
        raise error
    assert caught.value is error
