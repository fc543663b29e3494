"""Checkpoints of a run: model, optimizer and step, kept whole through crashes."""

from pathlib import Path

import tensorflow as tf

from landmark_zoo.core.errors import UserError
from landmark_zoo.training.full_disk import naming_full_disk
from landmark_zoo.training.weight_averages import WeightAverages

FIRST_AVERAGE = "averages/values/0/.ATTRIBUTES/VARIABLE_VALUE"


class Checkpoints:
    """The two newest checkpoints of a run below `workdir/checkpoints`, and the initial weights in `workdir/initial`.

    TensorFlow writes a checkpoint under temporary names and points to it last: a crash in between leaves the one before.

    Args:
        workdir: The run's folder.
        model: What is trained.
        **state: What else belongs to a run: optimizer=, step=, averages= where weights are averaged, loss_scale=.
    """

    def __init__(self, workdir: Path, model: tf.keras.Model, **state):
        self._folder = Path(workdir) / "checkpoints"
        self._initial = Path(workdir) / "initial" / "weights"
        self._model = tf.train.Checkpoint(model=model)
        self._manager = tf.train.CheckpointManager(tf.train.Checkpoint(model=model, **state),
                                                   str(self._folder), max_to_keep=2)

    def save_initial(self) -> None:
        """Writes the model's weights as those from which training starts."""
        with naming_full_disk(str(self._initial)):
            self._model.write(str(self._initial))

    def save(self, step: int) -> None:
        """Writes a checkpoint; a full disk is an OSError and leaves the earlier ones."""
        with naming_full_disk(f"the checkpoint of step {step} in {self._folder}"):
            self._manager.save(checkpoint_number=step)

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
    """Fills `model` with the weights of a run, of its newest checkpoint with their averages where it has such.

    Args:
        model: As the run built it, under any precision policy.
        workdir: The run's folder.
        which: "latest", "raw" for the newest weights themselves and not their averages, or "initial".

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
    if which == "latest" and tf.train.load_checkpoint(path).has_tensor(FIRST_AVERAGE):
        state["averages"] = WeightAverages(model)
    try:
        tf.train.Checkpoint(**state).read(path).assert_existing_objects_matched().expect_partial()
    except (AssertionError, ValueError) as error:
        raise _of_another_model(path, error) from error
    if "averages" in state:
        state["averages"].put_into_model()
    return int(step)


def _of_another_model(path: str, error: Exception) -> UserError:
    reason = " ".join(str(error).split())[:200]
    return UserError(f"a checkpoint of this model at {path}", f"one of another model ({reason})",
                     "Use the flags of that run, or another --workdir.")
