"""Model selection: landmarks that training does not see are ranked against each other, and the best checkpoint is kept.

`find_unseen` chooses the images, `UnseenLandmarks.measure` ranks them, `ModelSelection` decides before the first step and
after each epoch (every few where epochs are short), alike on every worker, and keeps its choice in `best/`.
"""

import contextlib
import dataclasses
import functools
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from absl import logging

from landmark_zoo.core.errors import UserError
from landmark_zoo.core.files import write_json
from landmark_zoo.data.input_pipeline import selected_dataset
from landmark_zoo.data.manifest import VALIDATION_LANDMARKS, Manifest, read_manifest
from landmark_zoo.data.record_index import RecordIndex, read_record_index
from landmark_zoo.data.samplers import landmark_subset
from landmark_zoo.metrics.bootstrap import clustered_bootstrap_interval
from landmark_zoo.metrics.exact_ranks import FIGURES, retrieval_figures
from landmark_zoo.training.checkpoints import BEST_FOLDER, SELECTION_FILE, Checkpoints, full_disk_as_os_error, read_selection
from landmark_zoo.training.config import TrainingConfig, fixed_factor
from landmark_zoo.training.distributed.collectives import (
    WorkerInfo,
    all_reduce_sum,
    broadcast,
    run_on_local_replica,
    sum_over_workers,
)
from landmark_zoo.training.history import read_model
from landmark_zoo.training.interpolation import FACTORS, interpolate_model, place_in_words, preserved

LARGEST_SHARE = 0.05  # of the work of a run that all measurements together may take
MIN_IMAGES = 100  # that are measured whatever their share
MIN_MEASUREMENTS = 4  # while training, whatever their share
FACT = "validation_landmarks"  # of model.json


def affordable_images(config: TrainingConfig, steps_per_epoch: int) -> int:
    """Returns how many images may be measured before the first step and after each `epochs_between` epochs.

    An image that is trained on costs decoding and three passes, one that is measured decoding and one: at most half as much
    (as much where the backbone is fixed), at the side of the last epoch. All measurements together, those of interpolated
    weights too, cost `LARGEST_SHARE` of training, tracing apart, unless `MIN_IMAGES` cost more. Of the devices of a process
    one measures.

    Args:
        config: Gives epochs, batch size, sides, and what learns.
        steps_per_epoch: Batches of one epoch.
    """
    measurements = math.ceil(config.epochs / epochs_between(config, steps_per_epoch)) + _other_measurements(config)
    return max(MIN_IMAGES, int(_affordable(config, steps_per_epoch) / measurements))


def epochs_between(config: TrainingConfig, steps_per_epoch: int) -> int:
    """Returns after every how many epochs is measured: 1, or more where epochs are so short that `MIN_IMAGES` cost too much.

    At least `MIN_MEASUREMENTS` are made while training; the last epoch is measured whatever its number.

    Args:
        config: Gives epochs, batch size, sides, and what learns.
        steps_per_epoch: Batches of one epoch.
    """
    affordable = int(_affordable(config, steps_per_epoch) / MIN_IMAGES) - _other_measurements(config)
    return math.ceil(config.epochs / max(affordable, MIN_MEASUREMENTS))


def _affordable(config: TrainingConfig, steps_per_epoch: int) -> float:
    """Returns how many images all measurements of a run together may embed."""
    info = WorkerInfo.current()
    ratio = 1 if config.freeze == "all" or not config.backbone_multiplier else 2
    epochs = sum((config.size_at(epoch) / config.size_at(config.epochs - 1)) ** 2 for epoch in range(config.epochs))
    return LARGEST_SHARE * epochs * steps_per_epoch * config.batch_size * ratio * info.world_size / info.num_replicas


def _other_measurements(config: TrainingConfig) -> int:
    """Returns the number of measurements beside those after epochs: the start, and interpolated weights."""
    return 1 + (len(FACTORS) if config.weight_interpolation == "auto" else 0)


@dataclasses.dataclass(frozen=True)
class UnseenLandmarks:
    """Images of landmarks that training does not see.

    Attributes:
        manifest: Manifest of their records.
        index: Index of these records.
        numbers: int64 [M], record numbers of the images that are measured.
        image_size: Side to which images are squashed, pixels.
        batch_size: Images per call of the model.
    """

    manifest: Manifest
    index: RecordIndex
    numbers: np.ndarray
    image_size: int
    batch_size: int

    @property
    def labels(self) -> np.ndarray:
        """Label of each image, int [M]."""
        return self.index.label[self.numbers]

    @property
    def facts(self) -> dict[str, Any]:
        """What is measured, for `model.json` and the model card."""
        return {"landmarks": len(np.unique(self.labels)), "photographs": len(self.numbers),
                "of_photographs": self.manifest.num_examples, "image_size": self.image_size,
                "largest_share_of_training": LARGEST_SHARE, "records_sha256": self.manifest.fingerprint}

    def with_images(self, count: int, seed: int) -> "UnseenLandmarks":
        """Returns the same landmarks with so many images, see `landmark_subset`."""
        return dataclasses.replace(self, numbers=landmark_subset(self.index.label, count, seed))

    def measure(self, embed: Callable[[tf.Tensor], tf.Tensor], dimension: int) -> dict[str, np.ndarray]:
        """Returns `retrieval_figures`, without NaN; each worker embeds its part of the images, and all must call.

        Args:
            embed: Function from images float32 [B, S, S, 3] to embeddings [B, D].
            dimension: D.
        """
        embeddings = np.zeros([len(self.numbers), dimension], np.float32)
        if len(own := self._own_places):
            found = [run_on_local_replica(embed, images).numpy() for images, _ in self._own_batches]
            embeddings[own] = np.concatenate(found)
        return retrieval_figures(sum_over_workers(embeddings), self.labels)

    @property
    def _own_places(self) -> np.ndarray:
        info = WorkerInfo.current()
        return np.arange(info.rank, len(self.numbers), info.world_size)

    @functools.cached_property
    def _own_batches(self) -> tf.data.Dataset:
        """This worker's images, read anew each time; made once, since TensorFlow traces every new dataset."""
        return selected_dataset(self.manifest, self.index, self.numbers[self._own_places], image_size=self.image_size,
                                batch_size=self.batch_size)


def find_unseen(records: str | Path, train: Manifest, config: TrainingConfig,
                steps_per_epoch: int) -> UnseenLandmarks | None:
    """Finds the landmarks of `records` that training does not see, and chooses the images that are measured.

    They are those of `validation_landmarks/`, or those of a `validation/` that shares no landmark with `train/`, as that of
    retrieval-SfM-120k does.

    Args:
        records: Folder of `experiments.prepare`.
        train: Manifest of the training records.
        config: Settings of training.
        steps_per_epoch: Batches of one epoch.

    Returns:
        None where there are none, or too few with two images, or nothing is trained.

    Raises:
        UserError: Landmarks that are trained on, or --patience where nothing is measured.
    """
    if not config.epochs:
        return None
    info, manifest = WorkerInfo.current(), _unseen_manifest(Path(records), train)
    batch_size = max(8, config.batch_size // (info.num_replicas * config.accumulate))
    unseen = manifest and UnseenLandmarks(manifest, read_record_index(manifest), np.zeros(0, np.int64),
                                          config.size_at(config.epochs - 1), batch_size)
    unseen = unseen and unseen.with_images(affordable_images(config, steps_per_epoch), config.seed)
    count = len(unseen.numbers) if unseen else 0
    if all_reduce_sum(count)[0] != count * info.world_size:
        raise UserError(f"the same photographs in {records} on every worker", f"{count} of unseen landmarks here, others "
                        "elsewhere", "Put the records on a file system that all nodes share.")
    if unseen and len(np.unique(unseen.labels)) > 1:
        return unseen
    if config.patience:
        raise UserError(f"landmarks kept out of training in {records}, for --patience", "none",
                        "Prepare the records with --validation_landmarks=0.15, or leave --patience out.")
    logging.info("Nothing is measured on landmarks that training does not see, since %s keeps none out: the last checkpoint "
                 "is exported.", records)
    return None


def _unseen_manifest(records: Path, train: Manifest) -> Manifest | None:
    seen = {landmark for landmark, count in zip(train.label_map, train.class_counts, strict=True) if count}
    if (records / VALIDATION_LANDMARKS).exists():
        manifest = read_manifest(records / VALIDATION_LANDMARKS)
        if both := sorted(seen.intersection(manifest.label_map)):
            raise UserError(f"landmarks in {manifest.directory} that train/ has not", f"{len(both):,} that it has, first "
                            f"{both[0]}", "Prepare the records again.")
        return manifest
    manifest = read_manifest(records / "validation") if (records / "validation").exists() else None
    if manifest is None or not manifest.num_examples:
        return None
    measured = {landmark for landmark, count in zip(manifest.label_map, manifest.class_counts, strict=True) if count}
    return None if seen & measured else manifest


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
            unseen: Images that may be measured, see `find_unseen`.
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
