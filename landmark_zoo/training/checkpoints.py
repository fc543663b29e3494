"""Checkpoints of a run: model, optimizer and step, kept whole through crashes."""

import errno
from pathlib import Path

import tensorflow as tf

from landmark_zoo.core.errors import UserError


class Checkpoints:
    """The two newest checkpoints of a run below `workdir/checkpoints`, and the initial weights in `workdir/initial`.

    TensorFlow writes a checkpoint under temporary names and points to it last: a crash in between leaves the one before.

    Args:
        workdir: The run's folder.
        model: What is trained.
        **state: What else belongs to a run: its optimizer, its step.
    """

    def __init__(self, workdir: Path, model: tf.keras.Model, **state):
        self._initial = Path(workdir) / "initial" / "weights"
        self._model = tf.train.Checkpoint(model=model)
        self._manager = tf.train.CheckpointManager(tf.train.Checkpoint(model=model, **state),
                                                   str(Path(workdir) / "checkpoints"), max_to_keep=2)

    def save_initial(self) -> None:
        """Writes the model's weights as those from which training starts."""
        _saving(lambda: self._model.write(str(self._initial)))

    def save(self, step: int) -> None:
        """Writes a checkpoint; a full disk is an OSError and leaves the earlier ones."""
        _saving(lambda: self._manager.save(checkpoint_number=step))

    def restore(self) -> bool:
        """Restores the newest checkpoint; returns whether there was one.

        Raises:
            UserError: It belongs to another model.
        """
        newest = self._manager.latest_checkpoint
        if newest is None:
            return False
        try:
            self._manager.checkpoint.restore(newest).assert_consumed()
        except (AssertionError, ValueError) as error:
            raise _of_another_model(newest, error) from error
        return True


def has_checkpoint(workdir: str | Path) -> bool:
    """Returns whether a run got as far as its first checkpoint, the one of its initial weights."""
    return tf.train.latest_checkpoint(str(Path(workdir) / "checkpoints")) is not None


def load_weights(model: tf.keras.Model, workdir: str | Path, which: str = "latest") -> int:
    """Fills `model` with the weights of a run.

    Args:
        model: As the run built it.
        workdir: The run's folder.
        which: "latest" or "initial".

    Returns:
        The step of the checkpoint, 0 for the initial one.
    """
    workdir = Path(workdir)
    path = str(workdir / "initial" / "weights") if which == "initial" else tf.train.latest_checkpoint(
        str(workdir / "checkpoints"))
    if path is None or not Path(f"{path}.index").exists():
        raise UserError(f"a {which} checkpoint in {workdir}", "none", "Train first: python -m experiments.train.")
    step = tf.Variable(0, dtype=tf.int64)
    state = {"model": model} if which == "initial" else {"model": model, "step": step}
    try:
        tf.train.Checkpoint(**state).read(path).assert_existing_objects_matched().expect_partial()
    except (AssertionError, ValueError) as error:
        raise _of_another_model(path, error) from error
    return int(step)


def _of_another_model(path: str, error: Exception) -> UserError:
    reason = " ".join(str(error).split())[:200]
    return UserError(f"a checkpoint of this model at {path}", f"one of another model ({reason})",
                     "Use the flags of that run, or another --workdir.")


def _saving(write) -> None:
    try:
        write()
    except tf.errors.OpError as error:
        if "No space left" not in str(error):
            raise
        raise OSError(errno.ENOSPC, "No space left on device", "the checkpoint") from error
