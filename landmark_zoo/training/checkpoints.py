"""Checkpoints of a run: writing, restoring, and reading a run's weights.

`Checkpoints` belongs to the trainer; `load_weights` is for everyone who wants a trained model, by default the one that the
run keeps. The times at which they are written are those of `distributed.preemption.CheckpointSchedule`.
"""

import atexit
import contextlib
import errno
import functools
import os
import re
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import tensorflow as tf
from absl import logging

from landmark_zoo.core.errors import UserError
from landmark_zoo.core.files import read_json
from landmark_zoo.core.strict_json import check_form
from landmark_zoo.training.config import fixed_factor
from landmark_zoo.training.distributed.collectives import WorkerInfo, broadcast
from landmark_zoo.training.ema import ExponentialMovingAverage
from landmark_zoo.training.interpolation import interpolate_model

SECONDS_TO_APPEAR = 30  # for a file that another machine wrote
_DAMAGE = (tf.errors.OpError, RuntimeError, ValueError, IndexError, OSError)
EMA_KEY = "averages"  # of the moving averages in a checkpoint
BEST_FOLDER, SELECTION_FILE, RECIPE_FILE = "best", "selection.json", "recipe.json"
_ENTRY = {"step": int, "epoch": int, "retrieval_map": float, "retrieval_mp5": float, "retrieval_recall1": float,
          "average_precision": [float], "factor": float | None}  # runs of earlier releases have no factor
SELECTION_FORM = {
    "keep": str, "photographs": int, "landmarks": int, "labels": [int], "measured_step": int, "measured_epoch": int | None,
    "epochs_without_gain": int, "best_map": float, "start": _ENTRY, "kept": _ENTRY,
    "gain": {"value": float, "low": float, "high": float},
    "interpolation": dict | None}  # of a run with --weight_interpolation=auto that has ended
_INTERPOLATION_FORM = {"trained": _ENTRY, "measured": [{"factor": float, "retrieval_map": float}]}


class Checkpoints:
    """The two newest checkpoints of a run below `workdir/checkpoints`; its initial and its best weights beside them.

    TensorFlow writes a checkpoint under temporary names and points to it last: a crash in between leaves the one before.
    Several workers must save together, since some values are means over them; the chief's files stay, the others' are
    removed.

    Args:
        workdir: Folder of the run.
        model: Model that is trained.
        **state: Further state of the run: optimizer=, step=, loss_scale=, and averages= for an EMA of the weights.
    """

    def __init__(self, workdir: Path, model: tf.keras.Model, **state):
        self._folder = Path(workdir) / "checkpoints"
        self._initial, self._best = Path(workdir) / "initial" / "weights", Path(workdir) / BEST_FOLDER
        self._model = tf.train.Checkpoint(model=model)
        self._whole = tf.train.Checkpoint(model=model, **state)
        self._is_chief = WorkerInfo.current().is_chief
        _ = self._whole.save_counter  # a variable, which all workers must create at the same time
        _drop_broken_state(self._folder)
        self._manager = tf.train.CheckpointManager(self._whole, _literal(self._folder), max_to_keep=2)

    def save_initial(self) -> None:
        """Writes the model's weights as the initial ones of the run."""
        self._write_model(self._initial)

    def save_best(self, step: int) -> None:
        """Writes the model's weights of a step as the best ones, beside the former best (see `drop_former_best`)."""
        self._write_model(_best_weights(self._best.parent, step))

    def drop_former_best(self, step: int) -> None:
        """Removes the best weights of other steps, once `SELECTION_FILE` names this one."""
        for path in self._best.glob("weights-*") if self._is_chief else ():
            if not path.name.startswith(f"weights-{step}."):
                path.unlink()

    def read(self, step: int) -> None:
        """Reads the best weights of a step into the model, the initial ones for step 0, on every worker those of the chief.

        Raises:
            UserError: They are lost or damaged.
        """
        path = _best_weights(self._best.parent, step)
        if not self._is_chief:
            _wait_for(Path(f"{path}.index"))
        _read({"model": self._model.model}, str(path))

    def _write_model(self, path: Path) -> None:
        with full_disk_as_os_error(str(path)):
            if self._is_chief:
                self._model.write(_literal(path))
            else:
                _write_to_scratch(self._model)

    def save(self, step: int) -> None:
        """Writes the checkpoint of a step; a full disk raises an OSError and leaves the earlier checkpoints."""
        with full_disk_as_os_error(f"the checkpoint of step {step} in {self._folder}"):
            if self._is_chief:
                self._manager.save(checkpoint_number=step)
            else:
                _write_to_scratch(self._whole)

    def restore(self) -> bool:
        """Restores the newest checkpoint, on every worker that of the chief; returns whether there was one.

        Raises:
            UserError: The checkpoint belongs to another model, or this worker does not see it.
        """
        newest = newest_checkpoint(self._folder) if self._is_chief else None
        step = int(broadcast(-1 if newest is None else int(newest.rpartition("-")[2])))
        if step < 0:
            return False
        newest = str(self._folder / f"ckpt-{step}")
        if not self._is_chief:
            _wait_for(Path(f"{newest}.index"))
        try:
            self._whole.restore(_literal(newest)).assert_consumed()
        except (AssertionError, ValueError) as error:
            raise _other_model_error(newest, error) from error
        except (tf.errors.DataLossError, tf.errors.OutOfRangeError) as error:
            raise _damaged_error(newest, error) from error
        return True


def has_checkpoint(workdir: str | Path) -> bool:
    """Returns whether a run has written its first checkpoint, that of its initial weights."""
    return newest_checkpoint(Path(workdir) / "checkpoints") is not None


def newest_checkpoint(folder: Path) -> str | None:
    """Returns the path of the newest whole checkpoint in a folder, without suffix; None if there is none.

    The folder is listed: TensorFlow's `latest_checkpoint` believes a state file that may be lost, and takes brackets in a
    path for a pattern. A damaged checkpoint is named in the log and passed over.

    Raises:
        UserError: There are checkpoints, and none is whole.
    """
    names = os.listdir(folder) if folder.is_dir() else []
    found = [re.fullmatch(r"ckpt-(\d+)\.(?:index|data-.*)", name) for name in names]
    steps = sorted({int(name[1]) for name in found if name}, reverse=True)
    for step in steps:
        path = str(folder / f"ckpt-{step}")
        try:
            _check(path)
            return path
        except _DAMAGE as error:
            logging.warning("Checkpoint %s is damaged and passed over: %s", path, " ".join(str(error).split()))
    if any(steps) or (folder / "ckpt-0.index").exists():  # a first one that was interrupted has no index yet
        raise UserError(f"a whole checkpoint in {folder}", f"{len(steps)} damaged ones",
                        "Bring one back from a copy, or choose another --workdir.")
    return None


def _drop_broken_state(folder: Path) -> None:
    """Removes a state file that TensorFlow cannot read; the next checkpoint writes it anew."""
    try:
        tf.train.get_checkpoint_state(_literal(folder))
    except ValueError:
        (folder / "checkpoint").unlink(missing_ok=True)


def _literal(path: str | Path) -> str:
    """Returns a path that TensorFlow, which takes * ? [ ] and backslashes for a pattern, finds the file under.

    It leads through a link in a temporary folder, which goes when the process ends.
    """
    folder, name = os.path.split(os.path.abspath(path))
    return str(path) if not re.search(r"[*?\[\]\\]", str(path)) else os.path.join(_link(folder), name)


@functools.cache
def _link(folder: str) -> str:
    scratch = tempfile.mkdtemp(prefix="landmark_zoo.")
    atexit.register(shutil.rmtree, scratch, ignore_errors=True)
    os.makedirs(folder, exist_ok=True)
    os.symlink(folder, os.path.join(scratch, "folder"))
    return os.path.join(scratch, "folder")


def _check(path: str) -> None:
    """Reads every tensor of a checkpoint, whose checksums TensorFlow compares as it reads; raises an error at damage."""
    reader = tf.train.load_checkpoint(_literal(path))
    for name in reader.get_variable_to_shape_map():
        reader.get_tensor(name)


def read_selection(workdir: str | Path) -> dict[str, Any] | None:
    """Reads what a run measured on landmarks that it does not see, and which checkpoint it keeps (`model_selection`).

    Returns:
        None where nothing has been measured.

    Raises:
        UserError: The file is broken.
    """
    path = Path(workdir) / BEST_FOLDER / SELECTION_FILE
    if not path.exists():
        return None
    selection = read_json(path, SELECTION_FORM)
    if selection.get("interpolation") is not None:
        check_form(selection["interpolation"], _INTERPOLATION_FORM, path)
    return selection


def kept_checkpoint(workdir: str | Path) -> str:
    """Returns "best" where a run keeps its best checkpoint, else "latest"."""
    selection = read_selection(workdir)
    return "best" if selection and selection["keep"] == "best" else "latest"


def kept_factor(workdir: str | Path, step: int) -> float:
    """Returns the place of a run's kept weights between those of its start, 0, and those that it trained, 1.

    Args:
        workdir: Folder of the run.
        step: Step of the kept weights, from `load_weights`.
    """
    selection, recipe = read_selection(workdir), Path(workdir) / RECIPE_FILE
    if selection is not None and selection["kept"]["step"] == step:
        factor = selection["kept"].get("factor")
        return 1.0 if factor is None else factor
    found = read_json(recipe, {"weight_interpolation": str | None}) if recipe.exists() else {}
    return fixed_factor(found.get("weight_interpolation") or "1")


def _best_weights(workdir: Path, step: int) -> Path:
    return workdir / BEST_FOLDER / f"weights-{step}" if step else workdir / "initial" / "weights"


def load_weights(model: tf.keras.Model, workdir: str | Path, which: str = "kept") -> int:
    """Loads the weights of a run into a model.

    Args:
        model: Model as the run built it, under any precision policy.
        workdir: Folder of the run.
        which: "kept" for those that `kept_checkpoint` names, the best or the latest, `kept_factor` of the way from the
            start; "best" for the weights that retrieve landmarks best that training does not see, likewise, the initial
            ones where training did not help; "latest" for the newest checkpoint as it was trained; all with the EMA of the
            weights where the run has one. "raw" for the newest weights without EMA; "initial" for those that training
            started from.

    Returns:
        Step of the checkpoint, 0 for the initial one.

    Raises:
        UserError: There is no such checkpoint, or it belongs to another model.
    """
    workdir, best_step, interpolated = Path(workdir), 0, which in ("kept", "best")
    which = kept_checkpoint(workdir) if which == "kept" else which
    if which == "best":
        selection = read_selection(workdir)
        if selection is None or selection["keep"] != "best":
            raise UserError(f"a best checkpoint in {workdir}", "a run that keeps none", "Take the latest one.")
        best_step = selection["kept"]["step"]
        path = str(_best_weights(workdir, best_step))
    else:
        path = str(_best_weights(workdir, 0)) if which == "initial" else newest_checkpoint(workdir / "checkpoints")
    if path is None or not Path(f"{path}.index").exists():
        raise UserError(f"a {which} checkpoint in {workdir}", "none", "Train first: python -m experiments.train.")
    if which == "best":
        _check_best(path)
    step = tf.Variable(best_step, dtype=tf.int64)
    state = {"model": model} if which in ("initial", "best") else {"model": model, "step": step}
    averages = f"{EMA_KEY}/values/0/.ATTRIBUTES/VARIABLE_VALUE"
    if which == "latest" and tf.train.load_checkpoint(_literal(path)).has_tensor(averages):
        state[EMA_KEY] = ExponentialMovingAverage(model)
    _read(state, path)
    if EMA_KEY in state:
        state[EMA_KEY].copy_to_model()
    step = int(step)
    factor = kept_factor(workdir, step) if interpolated and step else 1.0
    if factor < 1:
        start = str(_best_weights(workdir, 0))
        _check_best(start)
        interpolate_model(model, lambda: _read({"model": model}, start), factor)
    return step


def _read(state: dict[str, tf.Module], path: str) -> None:
    try:
        tf.train.Checkpoint(**state).read(_literal(path)).assert_existing_objects_matched().expect_partial()
    except (AssertionError, ValueError) as error:
        raise _other_model_error(path, error) from error
    except (tf.errors.DataLossError, tf.errors.OutOfRangeError) as error:
        raise _damaged_error(path, error) from error
    except tf.errors.NotFoundError as error:
        raise UserError(f"weights at {path}", "none", "Bring them back from a copy, or choose another --workdir.") from error


def _other_model_error(path: str, error: Exception) -> UserError:
    reason = " ".join(str(error).split())[:200]
    return UserError(f"a checkpoint of this model at {path}", f"one of another model ({reason})",
                     "Use the flags of that run, or another --workdir.")


def _check_best(path: str) -> None:
    try:
        _check(path)
    except _DAMAGE as error:
        raise UserError(f"whole weights at {path}", f"damaged ones ({' '.join(str(error).split())[:200]})",
                        "Bring them back from a copy, or take the latest ones.") from error


def _damaged_error(path: str, error: Exception) -> UserError:
    return UserError(f"a whole checkpoint at {path}", f"a damaged one ({str(error).splitlines()[0][:200]})",
                     f"Remove {path}.index and .data-*: the one before it is used.")


def _write_to_scratch(checkpoint: tf.train.Checkpoint) -> None:
    """Writes a checkpoint that is thrown away: saving is collective, and only the chief keeps the files."""
    with tempfile.TemporaryDirectory() as scratch:
        checkpoint.write(f"{scratch}/weights")


def _wait_for(path: Path) -> None:
    end = time.monotonic() + SECONDS_TO_APPEAR
    while not path.exists():
        if time.monotonic() > end:
            raise UserError(f"{path} to be seen by every worker", "none",
                            "Put --workdir on a file system that all nodes share.")
        time.sleep(0.5)


@contextlib.contextmanager
def full_disk_as_os_error(what: str) -> Iterator[None]:
    """Context manager that turns any error of a full disk into the OSError that `core.scripts` reports in one line.

    Args:
        what: Name of what is written, which becomes the error's file name.

    Raises:
        OSError: ENOSPC or EDQUOT.
    """
    try:
        yield
    except tf.errors.OpError as error:
        if "No space left" not in str(error) and "quota exceeded" not in str(error):
            raise
        raise OSError(errno.ENOSPC, "No space left on device", what) from error
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT) or error.filename:
            raise
        raise OSError(error.errno, error.strerror, what) from error
