"""Model selection: landmarks that training does not see are ranked against each other, and the best checkpoint is kept.

`ModelSelection` decides before the first step and after each epoch (every few where epochs are short), alike on every
worker, and keeps its choice in `best/`; `unseen_landmarks` chooses the images and measures them.
"""

import contextlib
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from absl import logging

from landmark_zoo.core.errors import UserError
from landmark_zoo.core.files import write_json
from landmark_zoo.metrics.bootstrap import clustered_bootstrap_interval
from landmark_zoo.metrics.exact_ranks import FIGURES
from landmark_zoo.training.checkpoints import BEST_FOLDER, SELECTION_FILE, Checkpoints, full_disk_as_os_error, read_selection
from landmark_zoo.training.config import TrainingConfig, fixed_factor
from landmark_zoo.training.distributed.collectives import (
    WorkerInfo,
    broadcast,
)
from landmark_zoo.training.history import read_model
from landmark_zoo.training.interpolation import FACTORS, interpolate_model, place_in_words, preserved
from landmark_zoo.training.unseen_landmarks import UnseenLandmarks, epochs_between

FACT = "validation_landmarks"  # of model.json


class ModelSelection:
    """Choice of the checkpoint that a run keeps, by mean average precision on landmarks that training does not see.

    A later checkpoint takes the place of an earlier one only where it is strictly better. The best of several is chosen on
    the images that it is measured on, so that its figure flatters a little. With a factor in `weight_interpolation` each
    checkpoint is measured so far from the start; `interpolate` chooses the factor at the end of a run.

    `best/selection.json` holds the figures of the start and of the kept checkpoint, image by image, the step that was
    measured last, the epochs since the best one, and the figures of interpolated weights; it is written whole, after the
    weights that it names, so that a kill at any moment leaves a choice and its weights. All workers must call each method
    at the same point; the chief decides.

    Args:
        unseen: Images that are measured.
        config: Says what is kept, the patience, and the factor.
        checkpoints: Checkpoints of the run.
        model: Model that is trained.
        workdir: Folder of the run.
    """

    def __init__(self, unseen: UnseenLandmarks, config: TrainingConfig, checkpoints: Checkpoints, model: tf.keras.Model,
                 workdir: str | Path):
        self._model, self._config, self._checkpoints = model, config, checkpoints
        self._dimension = model.output_shape["embedding"][-1]
        spec = tf.TensorSpec([None, unseen.image_size, unseen.image_size, 3], tf.float32)
        self._embed = tf.function(lambda images: model(images, training=False)["embedding"], input_signature=[spec])
        self._path, self._is_chief = Path(workdir) / BEST_FOLDER / SELECTION_FILE, WorkerInfo.current().is_chief
        self._state, self._unseen = read_selection(workdir) if self._is_chief else None, unseen

    @classmethod
    def begin(cls, unseen: UnseenLandmarks | None, config: TrainingConfig, checkpoints: Checkpoints, model: tf.keras.Model,
              workdir: str | Path, step: int) -> "ModelSelection | None":
        """Begins to choose, or goes on with the images that the run was measured on.

        Args:
            unseen: Images that may be measured, see `unseen_landmarks.find_unseen`.
            config: Says what is kept, and the patience.
            checkpoints: Checkpoints of the run.
            model: Model that is trained.
            workdir: Folder of the run, with its `model.json`.
            step: Step at which the run starts or goes on.

        Returns:
            None where there is nothing to measure, or the run began without.

        Raises:
            UserError: Other images than the run was measured on.
        """
        is_chief = WorkerInfo.current().is_chief
        claimed = read_model(workdir)[1].get(FACT) if is_chief else None
        if claimed and (unseen is None or claimed["records_sha256"] != unseen.manifest.fingerprint):
            raise UserError(f"the landmarks that {workdir} is measured on", "records with others, or with none kept out",
                            "Use the records of that run, or another --workdir.")
        if unseen is None:
            if config.epochs and config.weight_interpolation == "auto":
                logging.info("No landmarks choose a factor for --weight_interpolation=auto: the weights stay as trained.")
            return None
        goes_on = claimed is not None and (step == 0 or read_selection(workdir) is not None)
        count = int(broadcast(claimed["photographs"] if goes_on else 0))
        if count == 0:
            logging.info("%s began without measuring unseen landmarks, and goes on so.", workdir)
            return None
        if count != len(unseen.numbers):  # the number of devices has changed since
            unseen = unseen.with_images(count, config.seed)
        return cls(unseen, config, checkpoints, model, workdir)

    def due(self, step: int, steps_per_epoch: int) -> bool:
        """Returns whether a step must be measured: the start, or the end of an epoch that has its turn, not measured yet."""
        last, epoch = self._state["measured_step"] if self._state else -1, step // steps_per_epoch
        turn = epoch == self._config.epochs or epoch % epochs_between(self._config, steps_per_epoch) == 0
        return bool(broadcast(step % steps_per_epoch == 0 and step > last and turn))

    def is_over(self) -> bool:
        """Returns whether patience is at its end."""
        patience = self._config.patience
        waited = self._state["epochs_without_gain"] if self._state else 0
        return bool(broadcast(patience and waited >= patience))

    def measure(self, step: int, epoch: int, factor: float | None = None) -> dict[str, Any]:
        """Measures the weights in the model, or weights between the start and these; the model keeps its own.

        Args:
            step: Step of the weights.
            epoch: Number of epochs that have been trained; 0 for the start, which is in `initial/` already.
            factor: Place between the start, 0, and the weights in the model, 1; None for that of the run.

        Returns:
            Step, epoch, factor (0 for the start), the means named `FIGURES`, and the average precision of each image.
        """
        factor = fixed_factor(self._config.weight_interpolation) if factor is None else factor
        with preserved(self._model) if step and factor < 1 else contextlib.nullcontext():
            if step and factor < 1:
                interpolate_model(self._model, lambda: self._checkpoints.read(0), factor)
            values = self._unseen.measure(self._embed, self._dimension)
        return {"step": step, "epoch": epoch, "factor": factor if step else 0.0,
                **{name: float(values[name].mean()) for name in FIGURES},
                "average_precision": values["retrieval_map"].tolist()}

    def choose(self, entry: dict[str, Any]) -> None:
        """Keeps the weights in the model where what `measure` returned is the best, and writes `best/selection.json`."""
        state, keep = self._state, self._config.keep
        better = bool(broadcast(state is None or entry["retrieval_map"] > state["best_map"]))
        if better and entry["step"] and keep == "best":
            self._checkpoints.save_best(entry["step"])
        if not self._is_chief:
            return
        labels = self._unseen.labels.tolist()
        waited = 0
        if not better:
            waited = state["epochs_without_gain"] + entry["epoch"] - state.get("measured_epoch", entry["epoch"] - 1)
        as_trained = (state or {}).get("interpolation", {}).get("trained") or (state or {}).get("kept")
        self._write({
            "keep": keep, "photographs": len(labels), "landmarks": len(set(labels)), "labels": labels,
            "measured_step": entry["step"], "measured_epoch": entry["epoch"], "epochs_without_gain": waited,
            "best_map": entry["retrieval_map"] if better else state["best_map"],
            "start": entry if state is None else state["start"],
            "kept": entry if better or keep == "last" else as_trained})

    def interpolate(self, step: int, epoch: int) -> None:
        """Chooses at the end of a run with --weight_interpolation=auto how far from the start the kept weights lie.

        Where the start is kept, the weights in the model, those of the last step, are its other end. A run that is given
        more patience goes on from its best epoch as trained, and chooses again at its end.

        Args:
            step: Step of the weights in the model.
            epoch: Number of epochs that have been trained.
        """
        state = self._state
        if self._config.weight_interpolation != "auto" or broadcast(bool(state and "interpolation" in state)):
            return
        kept_step, kept_epoch = (int(broadcast(state["kept"][name] if state else 0)) for name in ("step", "epoch"))
        end = (kept_step, kept_epoch) if kept_step else (step, epoch)
        with preserved(self._model):
            if end[0] != step:
                self._checkpoints.read(end[0])
            measured = [self.measure(*end, factor) for factor in FACTORS]
            best = max(measured, key=lambda entry: entry["retrieval_map"])
            better = bool(broadcast(bool(state) and best["retrieval_map"] > state["kept"]["retrieval_map"]))
            if better and not kept_step:
                self._checkpoints.save_best(step)
        if self._is_chief:
            figures = [{name: entry[name] for name in ("step", "epoch", "factor", *FIGURES)} for entry in measured]
            logging.info("mAP of step %d as trained, %s", end[0], ", ".join(
                f"{entry['factor']:g} of the way from the start {100 * entry['retrieval_map']:.1f} %" for entry in measured))
            self._write({**state, "kept": best if better else state["kept"],
                         "interpolation": {"trained": state["kept"], "measured": figures}})

    def _write(self, state: dict[str, Any]) -> None:
        """Writes `best/selection.json` with the gain of what is kept, and removes other weights; on the chief."""
        kept = state["kept"]
        gains = np.subtract(kept["average_precision"], state["start"]["average_precision"])
        interval = clustered_bootstrap_interval(gains, state["labels"])
        self._state = {**state, "gain": dict(zip(("value", "low", "high"), interval, strict=True))}
        with full_disk_as_os_error(str(self._path)):
            write_json(self._path, self._state)
        self._checkpoints.drop_former_best(kept["step"])

    def progress(self) -> str:
        """Returns the means of the start and of the best epoch in words, on the chief."""
        state = self._state
        return (f"{state['photographs']} photographs of {state['landmarks']} unseen landmarks (mAP at the start "
                f"{100 * state['start']['retrieval_map']:.1f}, best {100 * state['best_map']:.1f})")

    def verdict(self) -> str:
        """Returns in a sentence whether training helped, on the chief."""
        state = self._state
        start, kept, gain = state["start"], state["kept"], state["gain"]
        where = f"on {state['photographs']} photographs of {state['landmarks']} landmarks that it did not see"
        if not kept["step"]:
            between = ", nor in between" if "interpolation" in state else ""
            return (f"Training did not help: mAP {where} was {100 * start['retrieval_map']:.1f} at the start and not above "
                    f"that after any epoch{between}; the export is the start.")
        value, low, high = (100 * gain[name] for name in ("value", "low", "high"))
        word = "gained" if value >= 0 else "lost"
        place = place_in_words(kept.get("factor", 1.0))
        return (f"Training {word} {abs(value):.1f} points of mAP {where} (95 % interval {low:+.1f} to {high:+.1f}); the "
                f"export is step {kept['step']}, after epoch {kept['epoch']} of {self._config.epochs}{place}.")
