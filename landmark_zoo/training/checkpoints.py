"""Checkpoints of a run: model, optimizer and step, kept whole through crashes."""

import tempfile
import time
from pathlib import Path

import tensorflow as tf

from landmark_zoo.core.errors import UserError
from landmark_zoo.training.full_disk import naming_full_disk
from landmark_zoo.training.place import Place
from landmark_zoo.training.sum_over_workers import of_chief
from landmark_zoo.training.weight_averages import WeightAverages

SECONDS_TO_APPEAR = 30  # of a file that another machine wrote
FIRST_AVERAGE = "averages/values/0/.ATTRIBUTES/VARIABLE_VALUE"


class Checkpoints:
    """The two newest checkpoints of a run below `workdir/checkpoints`, and the initial weights in `workdir/initial`.

    TensorFlow writes a checkpoint under temporary names and points to it last: a crash in between leaves the one before.
    Several workers must save together, for some values are means over them; the chief's files stay, the others' are removed.

    Args:
        workdir: The run's folder.
        model: What is trained.
        **state: What else belongs to a run: optimizer=, step=, averages= where weights are averaged, loss_scale=.
    """

    def __init__(self, workdir: Path, model: tf.keras.Model, **state):
        self._folder = Path(workdir) / "checkpoints"
        self._initial = Path(workdir) / "initial" / "weights"
        self._model = tf.train.Checkpoint(model=model)
        self._whole = tf.train.Checkpoint(model=model, **state)
        self._is_chief = Place.here().is_chief
        _ = self._whole.save_counter  # a variable, which all workers must make at the same place
        self._manager = tf.train.CheckpointManager(self._whole, str(self._folder), max_to_keep=2)

    def save_initial(self) -> None:
        """Writes the model's weights as those from which training starts."""
        with naming_full_disk(str(self._initial)):
            if self._is_chief:
                self._model.write(str(self._initial))
            else:
                _write_in_vain(self._model)

    def save(self, step: int) -> None:
        """Writes a checkpoint; a full disk is an OSError and leaves the earlier ones."""
        with naming_full_disk(f"the checkpoint of step {step} in {self._folder}"):
            if self._is_chief:
                self._manager.save(checkpoint_number=step)
            else:
                _write_in_vain(self._whole)

    def restore(self) -> bool:
        """Restores the newest checkpoint, on every worker the chief's; returns whether there was one.

        Raises:
            UserError: It belongs to another model, or this worker does not see it.
        """
        newest = tf.train.latest_checkpoint(str(self._folder)) if self._is_chief else None
        step = int(of_chief(-1 if newest is None else int(newest.rpartition("-")[2])))
        if step < 0:
            return False
        newest = str(self._folder / f"ckpt-{step}")
        if not self._is_chief:
            _wait_for(Path(f"{newest}.index"))
        try:
            self._whole.restore(newest).assert_consumed()
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


def _write_in_vain(checkpoint: tf.train.Checkpoint) -> None:
    """Takes this worker's part in a checkpoint that the chief keeps."""
    with tempfile.TemporaryDirectory() as scratch:
        checkpoint.write(f"{scratch}/weights")


def _wait_for(path: Path) -> None:
    end = time.monotonic() + SECONDS_TO_APPEAR
    while not path.exists():
        if time.monotonic() > end:
            raise UserError(f"{path} to be seen by every worker", "none",
                            "Put --workdir on a file system that all nodes share.")
        time.sleep(0.5)
