"""Training and validation datasets of every epoch, as the sampler and the objective want them, and the teacher's embeddings
that the batches of a distillation carry."""

import functools
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path

import numpy as np
import tensorflow as tf
from absl import logging

from landmark_zoo.core.errors import UserError
from landmark_zoo.core.files import read_json, read_npy, write_json, write_npy
from landmark_zoo.core.parallel import progress, read_ahead
from landmark_zoo.data.augmentation import AUGMENTATIONS
from landmark_zoo.data.datasets.images import InvalidImageError
from landmark_zoo.data.examples import parse_example
from landmark_zoo.data.input_pipeline import (
    evaluation_dataset,
    planned_dataset,
    selected_dataset,
    steps_per_epoch,
    train_dataset,
)
from landmark_zoo.data.manifest import Manifest, read_manifest
from landmark_zoo.data.record_index import open_records, read_record_index
from landmark_zoo.data.samplers import aspect_sampler, balanced_sampler, pk_sampler, tuple_sampler
from landmark_zoo.losses.distillation import dot_product_projection
from landmark_zoo.saved_model import SavedModel, fingerprint_of, version_folder
from landmark_zoo.training.config import TrainingConfig
from landmark_zoo.training.distributed.collectives import WorkerInfo, all_reduce_sum, run_on_local_replica
from landmark_zoo.training.objectives import OBJECTIVES
from landmark_zoo.training.sampling import SamplingConfig, TupleMiner, read_record_pairs

ASPECT_SIDE = 448  # side of square images for which `aspect_sampler` gives its sizes
_TEACHER_BATCH = 16  # images per call of the teacher
_PART = 256  # images per file while the teacher's embeddings are made


class TeacherEmbeddings:
    """Embeddings of all training images by a teacher, at the student's dimension, kept in `workdir/teacher`.

    The teacher, an exported model or ensemble, embeds the stored image of each record once, whole and at its own side and
    scales. `teacher.json` says of which teacher and which records the embeddings are, `part_<first record>.npy` hold those
    made so far, float16 [n, E], and `embeddings.npy`, float16 [N, D], takes their place in the end: from then on the teacher
    is not needed. Where D < E, they are projected so that their dot products change least, see `dot_product_projection`.

    The chief makes them, the other workers wait. TensorFlow's strategies are known to a thread only that opens their scope:
    the teacher lives in another, so that its variables are not spread over the devices of all workers.

    Args:
        model: Exported model; None, or a path that is gone, for a run that has the embeddings already.
        manifest: Manifest of the training records.
        dimension: D.
        workdir: Folder of the run.

    Attributes:
        dimension: D.

    Raises:
        UserError: No teacher, or another than that of the run, or other records.
    """

    def __init__(self, model: str | Path | None, manifest: Manifest, dimension: int, workdir: str | Path):
        self._directory, self._manifest, self.dimension = Path(workdir) / "teacher", manifest, dimension
        facts = self._directory / "teacher.json"
        self._kept = read_json(facts, {"name": str, "fingerprint": str, "dimension": int}) if facts.exists() else None
        if not (model or self._is_complete):
            raise UserError("--teacher, an exported model from which --distillation learns", "none",
                            "Give --teacher=DIR, or leave --distillation out.")
        there = bool(model) and (Path(model).exists() or not self._is_complete)
        self._folder = version_folder(Path(model)) if there else None
        self._fingerprint = fingerprint_of(self._folder) if there else None
        if self._kept and there and self._kept["fingerprint"] != self._fingerprint:
            raise UserError(f"the teacher of the run in {workdir}, {self._kept['name']} ({self._kept['fingerprint'][:12]})",
                            f"{self._folder} ({self._fingerprint[:12]})", "Use that teacher, or another --workdir.")
        if self._kept and self._kept.get("records_sha256") != manifest.fingerprint:
            raise UserError(f"the records whose images the teacher of {workdir} has seen", f"others in {manifest.directory}",
                            "Use those records, or another --workdir.")

    @property
    def facts(self) -> dict[str, str | int]:
        """Name, fingerprint and dimension of the teacher, for `model.json` and the model card."""
        if self._kept:
            return {name: self._kept[name] for name in ("name", "fingerprint", "dimension")}
        return {"name": self._model.name, "fingerprint": self._fingerprint, "dimension": self._model.dimension}

    def prepare(self) -> None:
        """Makes the embeddings where they are not there yet, or goes on where it was interrupted; all workers must call.

        Raises:
            UserError: The teacher refuses an image, or gives an embedding that is not finite.
        """
        if WorkerInfo.current().is_chief and not self._is_complete:
            write_json(self._directory / "teacher.json", {**self.facts, "records_sha256": self._manifest.fingerprint})
            self._write_parts()
            self._join_parts()
        all_reduce_sum(0)  # a barrier: the file is written

    def rows(self, numbers: np.ndarray) -> np.ndarray:
        """Returns the embeddings float32 [B, D], of length 1, of the records with these numbers int [B]."""
        return _unit_rows(self._embeddings[numbers])

    def first_rows(self, count: int) -> np.ndarray:
        """Returns the embeddings float32 [n, D] of the first `count` records, or of all where there are fewer."""
        return self.rows(np.arange(min(count, self._manifest.num_examples)))

    @property
    def _is_complete(self) -> bool:
        return (self._directory / "embeddings.npy").exists()

    @cached_property
    def _embeddings(self) -> np.ndarray:
        embeddings = read_npy(self._directory / "embeddings.npy", mmap=True)
        if embeddings.shape != (self._manifest.num_examples, self.dimension):
            raise UserError(f"embeddings {[self._manifest.num_examples, self.dimension]} in {self._directory}",
                            str(list(embeddings.shape)), "Use the flags of that run, or another --workdir.")
        return embeddings

    @cached_property
    def _model(self) -> SavedModel:
        return next(read_ahead(SavedModel, [self._folder], ahead=1, threads=1))

    def _part(self, first: int) -> Path:
        return self._directory / f"part_{first:09d}.npy"

    def _write_parts(self) -> None:
        count, name = self._manifest.num_examples, self._model.name
        first = next((first for first in range(0, count, _PART) if not self._part(first).exists()), count)
        batches = self._encoded_images().skip(first).batch(_TEACHER_BATCH).prefetch(2).as_numpy_iterator()
        embedded, rows = read_ahead(self._embed, batches, ahead=2, threads=1), []
        for part in progress(embedded, f"embedding with the teacher {name}", -(-(count - first) // _TEACHER_BATCH), "step"):
            rows.append(part)
            done = sum(map(len, rows))
            if done == min(_PART, count - first):
                write_npy(self._part(first), np.concatenate(rows))
                first, rows = first + done, []

    def _encoded_images(self) -> tf.data.Dataset:
        @tf.autograph.experimental.do_not_convert
        def image(serialized: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
            example = parse_example(serialized)
            return example.id, example.encoded

        return open_records(self._manifest.files).map(image, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True)

    def _embed(self, batch: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
        ids, encoded = batch
        try:
            embeddings = self._model.embed_bytes(encoded.tolist())
        except InvalidImageError as error:
            raise UserError(f"images in {self._manifest.directory} that the teacher {self._model.name} takes",
                            f"{error.reason} (among {ids[0].decode()} to {ids[-1].decode()})",
                            "Prepare the records without it, or choose another teacher.") from error
        if not np.isfinite(embeddings).all():
            raise UserError(f"finite embeddings of the teacher {self._model.name}", "NaN or infinity", "Export it again.")
        return _unit_rows(embeddings).astype(np.float16)

    def _parts(self) -> Iterator[np.ndarray]:
        for first in range(0, self._manifest.num_examples, _PART):
            yield read_npy(self._part(first)).astype(np.float32)

    def _join_parts(self) -> None:
        moment = sum(part.T.astype(np.float64) @ part for part in self._parts())
        projection, kept = dot_product_projection(moment, self.dimension)
        if self.dimension < len(moment):
            logging.info("The teacher's embeddings are projected from %d to %d dimensions, which keep %.1f %% of them.",
                         len(moment), self.dimension, 100 * kept)
        joined = [_unit_rows(part @ projection).astype(np.float16) for part in self._parts()]
        write_npy(self._directory / "embeddings.npy", np.concatenate(joined))
        for first in range(0, self._manifest.num_examples, _PART):
            self._part(first).unlink()


def _unit_rows(vectors: np.ndarray) -> np.ndarray:
    """Returns float32 rows of length 1; rows of zeros stay."""
    vectors = np.asarray(vectors, np.float32)
    return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)


class EpochData:
    """Training batches of every epoch: `epoch_data(epoch, skip)` is the dataset that the trainer iterates over.

    Every order and view is drawn from (seed, epoch), and mined tuples are kept in `workdir/tuples`, so that a resumed epoch
    continues as it would have. Several workers share each batch, and together see the same images as one worker alone; the
    chief mines for all, with BatchNorm statistics of its own.

    Args:
        manifest: Manifest of the training records.
        config: Gives batch size, image size and seed.
        sampling: Sampler and augmentation.
        model: Model that is trained, whose embeddings mine the tuples.
        workdir: Folder of the run.
        teacher: Embeddings that the batches of a distillation carry; None without.

    Attributes:
        steps_per_epoch: Number of batches of every epoch.

    Raises:
        UserError: The records do not fill a batch.
    """

    def __init__(self, manifest: Manifest, config: TrainingConfig, sampling: SamplingConfig, model: tf.keras.Model,
                 workdir: str | Path, teacher: TeacherEmbeddings | None = None):
        self._manifest, self._config, self._sampling, self._teacher = manifest, config, sampling, teacher
        self._worker_info = WorkerInfo.current()
        self._index = None if sampling.sampler == "shuffled" else read_record_index(manifest)
        self._embed = tf.function(lambda images: model(images, training=False)["embedding"], reduce_retracing=True)
        if sampling.sampler == "mined_tuples":
            self._miner = TupleMiner(self._index.label, query_size=sampling.query_size,
                                     pool_size=sampling.pool_size, negatives=sampling.negatives, seed=config.seed,
                                     workdir=workdir,
                                     pairs=read_record_pairs(manifest, sampling.pairs) if sampling.pairs else None)
        steps = self._count_steps()
        self.steps_per_epoch = min(steps, sampling.steps_per_epoch or steps)

    def __call__(self, epoch: int, skip: int) -> tf.data.Dataset:
        """Returns the batches of an epoch without the first `skip`: images [B, H, W, 3], labels int32 [B] and, with a
        teacher, its embeddings float32 [B, D].

        Under a strategy of several replicas these are this worker's per-replica batches, one after another.
        """
        config, side = self._config, self._config.size_at(epoch)
        shard = self._worker_info.input_shard
        options = {"seed": config.seed, "epoch": epoch, "skip_batches": skip,
                   "augmentation": AUGMENTATIONS[self._sampling.augmentation], "share": shard,
                   "record_numbers": self._teacher is not None}
        if self._index is None:
            batches = train_dataset(self._manifest, image_size=side, batch_size=config.batch_size, **options)
            return self._with_targets(batches.take((self.steps_per_epoch - skip) * shard.portions))
        record_batches, size = self._sample(epoch, side, resumed=skip > 0)
        record_batches = record_batches[:self.steps_per_epoch]
        size = size if isinstance(size, int) else size[:len(record_batches)]
        return self._with_targets(
            planned_dataset(self._manifest, self._index, record_batches, image_size=size, **options))

    def _with_targets(self, batches: tf.data.Dataset) -> tf.data.Dataset:
        """Puts the teacher's embeddings in the place of the record numbers."""
        if self._teacher is None:
            return batches

        @tf.autograph.experimental.do_not_convert
        def look_up(images: tf.Tensor, labels: tf.Tensor, numbers: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
            rows = tf.numpy_function(self._teacher.rows, [numbers], tf.float32, stateful=False)
            return images, labels, tf.ensure_shape(rows, [*numbers.shape, self._teacher.dimension])

        return batches.map(look_up).prefetch(tf.data.AUTOTUNE)

    def _sample(self, epoch: int, side: int, resumed: bool) -> tuple[np.ndarray, int | np.ndarray]:
        """Returns the record numbers of each batch, int [steps, B], and the image size of all or of each batch."""
        sampling, index, batch, seed = self._sampling, self._index, self._config.batch_size, self._config.seed
        if sampling.sampler == "aspect_groups":
            return aspect_sampler(index.height, index.width, batch, seed, epoch, scale=side / ASPECT_SIDE)
        if sampling.sampler == "balanced":
            return balanced_sampler(index.label, batch, seed, epoch, sampling.balance_exponent), side
        if sampling.sampler == "classes_by_images":
            return pk_sampler(index.label, batch // sampling.group_size, sampling.group_size, seed, epoch), side
        return tuple_sampler(self._tuples(epoch, side, resumed), batch // sampling.group_size, seed, epoch), side

    def _tuples(self, epoch: int, side: int, resumed: bool) -> np.ndarray:
        """Returns the tuples of an epoch, mined by the chief and read by the other workers."""
        mined = None
        if self._worker_info.is_chief:
            mined = self._miner.tuples(epoch, None if resumed else functools.partial(self._embed_records, side=side))
        all_reduce_sum(0)  # a barrier: the file is written
        return self._miner.tuples(epoch, None) if mined is None else mined

    def _count_steps(self) -> int:
        batch, sampling = self._config.batch_size, self._sampling
        if sampling.sampler == "shuffled":
            return steps_per_epoch(self._manifest, batch)
        if sampling.sampler != "mined_tuples":
            return len(self._sample(0, self._config.image_size, resumed=False)[0])
        tuples = batch // sampling.group_size
        if self._miner.query_size < tuples:
            raise UserError(f"at least {tuples} tuples, one batch",
                            f"{self._miner.query_size}, for --query_size or the records allow no more",
                            "Lower --batch_size, or raise --query_size.")
        return self._miner.query_size // tuples

    def _embed_records(self, records: np.ndarray, side: int) -> np.ndarray:
        batches = selected_dataset(self._manifest, self._index, records, image_size=side, batch_size=self._config.batch_size)
        steps = progress(batches, "embedding for mining", total=-(-len(records) // self._config.batch_size), unit="step")
        return np.concatenate([run_on_local_replica(self._embed, images).numpy() for images, _ in steps])


def validation_batches(records: str | Path, config: TrainingConfig, sampling: SamplingConfig,
                       objective: str) -> tf.data.Dataset | None:
    """Returns the validation batches of this worker, from `records/validation`, without random views.

    All images for cross-entropy. For objectives on pairs the same batches of several images of each landmark after every
    epoch; none for objectives on mined tuples, whose loss on other tuples says nothing.

    Args:
        records: Folder of `experiments.prepare`.
        config: Gives the batch size and the image size of the last epoch.
        sampling: Gives the view, the images per landmark in a batch, and the largest number of batches.
        objective: A name of `OBJECTIVES`.

    Returns:
        Dataset of images float32 [B, S, S, 3] and labels int32 [B]; None where there is nothing to measure.
    """
    folder, batches = Path(records) / "validation", OBJECTIVES[objective].batches
    manifest = read_manifest(folder) if folder.exists() else None
    if manifest is None or not manifest.num_examples or batches == "tuples":
        return None
    side, worker_info = config.size_at(max(config.epochs - 1, 0)), WorkerInfo.current()
    own_batches = slice(worker_info.rank, None, worker_info.world_size)
    if batches == "pairs":
        landmarks = min(config.batch_size // sampling.group_size, int(np.sum(np.array(manifest.class_counts) > 1)))
        if landmarks < 2:
            logging.info("No validation: fewer than two landmarks of %s have two images.", folder)
            return None
        index = read_record_index(manifest)
        sampled = pk_sampler(index.label, landmarks, sampling.group_size, seed=0, epoch=0)[own_batches]
        dataset = selected_dataset(manifest, index, sampled.reshape(-1), image_size=side,
                                   batch_size=landmarks * sampling.group_size)
    else:
        view = "centre_crop" if AUGMENTATIONS[sampling.augmentation].oversize else "stretch"
        dataset = evaluation_dataset(manifest, image_size=side, batch_size=config.batch_size, view=view,
                                     num_workers=worker_info.world_size, worker=worker_info.rank)
    limit = len(range(sampling.steps_per_epoch)[own_batches])
    return dataset.take(limit if sampling.steps_per_epoch else -1)
