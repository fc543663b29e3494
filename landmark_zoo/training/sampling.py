"""Settings of sampler and augmentation, and hard-negative mining of tuples with the current embeddings."""

import dataclasses
from collections.abc import Callable
from pathlib import Path

import numpy as np
from absl import logging

from landmark_zoo.core.errors import UserError, check_choice, check_finite, check_range
from landmark_zoo.core.files import read_npy, write_npy
from landmark_zoo.data.augmentation import AUGMENTATIONS
from landmark_zoo.data.datasets.sfm120k import read_sfm_pairs
from landmark_zoo.data.manifest import Manifest
from landmark_zoo.data.record_index import read_record_ids
from landmark_zoo.training.objectives import OBJECTIVES, ObjectiveConfig

SAMPLERS = ("shuffled", "balanced", "classes_by_images", "aspect_groups", "mined_tuples")


@dataclasses.dataclass(frozen=True)
class SamplingConfig:
    """Settings of the sampler and the augmentation.

    Attributes:
        sampler: Sampler of the batches: "shuffled", "balanced" (landmarks with few images more often), "classes_by_images"
            (several images of each of a few landmarks), "aspect_groups" (batches of similar aspect ratio) or "mined_tuples"
            (hard negatives).
        balance_exponent: Exponent of sampler "balanced", which draws a landmark of n images in proportion to n to this
            power: 0 all landmarks alike, 1 all images alike.
        images_per_class: Images of each landmark in a batch of sampler "classes_by_images".
        query_size: Number of tuples that sampler "mined_tuples" mines for an epoch.
        pool_size: Number of random images among which sampler "mined_tuples" seeks the negatives.
        negatives: Number of negatives in a tuple, besides query and positive.
        pairs: File of queries and their positives for sampler "mined_tuples", as retrieval-SfM-120k has it; unset for any
            two images of a landmark.
        augmentation: Ranges of the random training views; a name of landmark_zoo.data.augmentation.AUGMENTATIONS.
        steps_per_epoch: Largest number of batches in an epoch; 0 for no limit.

    Example:
        >>> SamplingConfig("mined_tuples", negatives=5).group_size
        7
    """

    sampler: str = "shuffled"
    balance_exponent: float = 0.5
    images_per_class: int = 4
    query_size: int = 2000
    pool_size: int = 22000
    negatives: int = 5
    pairs: str | None = None
    augmentation: str = "default"
    steps_per_epoch: int = 0

    def __post_init__(self):
        check_finite(self)
        check_choice("sampler", self.sampler, SAMPLERS)
        check_choice("augmentation", self.augmentation, AUGMENTATIONS)
        for name, minimum in (("images_per_class", 2), ("query_size", 1), ("pool_size", 2), ("negatives", 1),
                              ("steps_per_epoch", 0)):
            check_range(name, getattr(self, name), minimum)
        check_range("balance_exponent", self.balance_exponent, 0, 1)

    def check(self, objective: ObjectiveConfig, batch_size: int) -> None:
        """Raises a `UserError` where objective, sampler and batch size contradict each other.

        Args:
            objective: Settings of the loss.
            batch_size: Images of one micro-batch on one replica, which the loss sees together.
        """
        batches = OBJECTIVES[objective.objective].batches
        if self.pairs and self.sampler != "mined_tuples":
            raise UserError("--pairs with --sampler=mined_tuples only", f"--sampler={self.sampler}", "Leave --pairs out.")
        if (batches == "tuples") != (self.sampler == "mined_tuples"):
            raise UserError("--sampler=mined_tuples with an objective on tuples, and only there",
                            f"--sampler={self.sampler} with --objective={objective.objective}", "Change one of them.")
        if batches == "pairs" and self.sampler != "classes_by_images":
            raise UserError(f"--sampler=classes_by_images for --objective={objective.objective}, which needs batches with "
                            "several images of a landmark", f"--sampler={self.sampler}", "Change one of them.")
        size = self.group_size
        if batch_size % size or (self.sampler == "classes_by_images" and batch_size == size):
            raise UserError(f"a --batch_size of {size} n for --sampler={self.sampler}"
                            + (", n >= 2" if self.sampler == "classes_by_images" else ""),
                            f"{batch_size} on each replica and in each micro-batch of --accumulate",
                            f"Give each e.g. {max(round(batch_size / size), 2) * size}.")
        if 0 < objective.sampled_classes < batch_size:
            raise UserError(f"--sampled_classes >= --batch_size={batch_size}", str(objective.sampled_classes),
                            "Raise --sampled_classes.")

    @property
    def group_size(self) -> int:
        """Number of images that belong together in a batch: those of a landmark, those of a tuple, or one."""
        return {"classes_by_images": self.images_per_class, "mined_tuples": 2 + self.negatives}.get(self.sampler, 1)


QUERIES_PER_BLOCK = 256


def hardest_negatives(queries: np.ndarray, query_labels: np.ndarray, pool: np.ndarray, pool_labels: np.ndarray,
                      count: int, block_size: int = QUERIES_PER_BLOCK) -> np.ndarray:
    """Returns the hardest negatives of each query: the pool's nearest images of other landmarks, one per landmark at most.

    As in Radenovic, Tolias, Chum: CNN Image Retrieval Learns from BoW, ECCV 2016, section 3.2. The search is exact: 256
    queries are compared with the whole pool at a time, 22 MiB for the paper's pool of 22,000.

    Args:
        queries: float32 [Q, D], rows of length 1.
        query_labels: int [Q].
        pool: float32 [P, D], rows of length 1.
        pool_labels: int [P].
        count: Number of negatives of each query.
        block_size: Number of queries that are compared with the pool at a time.

    Returns:
        int64 [Q, count], rows of `pool`, the nearest first; ties go to the smallest label, and within a landmark to the
        first row.

    Raises:
        ValueError: A query has fewer than `count` other landmarks in the pool.

    Example:
        >>> pool = np.array([[1, 0], [0.8, 0.6], [0, 1]], np.float32)
        >>> hardest_negatives(pool[:1], np.array([7]), pool, np.array([7, 8, 9]), count=2)
        array([[1, 2]])
    """
    order = np.argsort(pool_labels, kind="stable")
    landmarks, starts = np.unique(pool_labels[order], return_index=True)
    if count < 1 or len(landmarks) - np.isin(query_labels, landmarks).any() < count:
        raise ValueError(f"hardest_negatives: expected 1 or more negatives and as many other landmarks in the pool; "
                         f"received {count} and {len(landmarks)} landmarks.")
    columns, found = pool[order].T, np.empty([len(queries), count], np.int64)
    for start in range(0, len(queries), block_size):
        block = slice(start, start + block_size)
        similarities = queries[block] @ columns
        best = np.maximum.reduceat(similarities, starts, axis=1)
        best[query_labels[block, None] == landmarks] = -np.inf
        nearest = np.argsort(-best, axis=1, kind="stable")[:, :count]
        found[block] = order[_argmax_of_runs(similarities, nearest, starts)]
    return found


def _argmax_of_runs(similarities: np.ndarray, nearest: np.ndarray, starts: np.ndarray) -> np.ndarray:
    """Returns the column of the largest similarity in each of the runs `nearest` [Q, N] of columns, begun at `starts`."""
    ends = np.append(starts[1:], similarities.shape[1])
    return np.array([[starts[run] + np.argmax(row[starts[run]:ends[run]]) for run in runs]
                     for row, runs in zip(similarities, nearest, strict=True)])


class TupleMiner:
    """Hard-negative mining: tuples of query, positive and hardest negatives for each epoch, kept in `workdir/tuples`.

    As in Radenovic, Tolias, Chum: CNN Image Retrieval Learns from BoW, ECCV 2016: queries are drawn; each gets a positive,
    the one of `pairs` or a random other image of its landmark, and the hardest negatives in a random pool, one per landmark
    at most. An epoch that is resumed reads its own tuples again.

    Args:
        labels: int [N], label of each record.
        query_size: Tuples of an epoch; fewer where fewer images have another of their landmark.
        pool_size: Records among which negatives are sought; fewer where there are fewer.
        negatives: Number of negatives of each tuple.
        seed: Seed, together with the epoch, of the draw of queries, positives and pool.
        workdir: Folder of the run.
        pairs: int [M, 2], record numbers of queries and their positives; None for any two images of a landmark.

    Raises:
        UserError: No landmark has two images, or there are too few landmarks.
    """

    def __init__(self, labels: np.ndarray, *, query_size: int, pool_size: int, negatives: int, seed: int,
                 workdir: str | Path, pairs: np.ndarray | None = None):
        self.labels, self.seed, self.negatives, self.pairs = np.asarray(labels), seed, negatives, pairs
        _, classes, counts = np.unique(self.labels, return_inverse=True, return_counts=True)
        self._with_positive = np.flatnonzero(counts[classes] > 1)
        self.query_size = min(query_size, len(self._with_positive if pairs is None else pairs))
        self.pool_size = min(pool_size, len(self.labels))
        self._folder = Path(workdir) / "tuples"
        if not self.query_size or len(counts) <= negatives:
            raise UserError(f"records of more than {negatives} landmarks, some of them with two images or more",
                            f"{len(counts)} landmarks, the largest with {counts.max()} images",
                            "Lower --negatives or use more images.")

    def tuples(self, epoch: int, embed: Callable[[np.ndarray], np.ndarray] | None) -> np.ndarray:
        """Returns the tuples of an epoch.

        Args:
            epoch: Epoch, from 0.
            embed: Function of record numbers [M]; returns embeddings float32 [M, D] of length 1 by the current model. None
                for an epoch that has begun already, whose tuples are read: the model is no longer the same.

        Returns:
            int64 [query_size, 2 + negatives] of record numbers: query, positive, negatives from the hardest.

        Raises:
            UserError: The tuples of a resumed epoch are missing or of other sizes.
        """
        path = self._folder / f"epoch_{epoch:03d}.npy"
        if embed is None:
            return self._read(path)
        mined = self._mine(epoch, embed)
        write_npy(path, mined)
        return mined

    def _mine(self, epoch: int, embed: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
        random = np.random.default_rng([self.seed, epoch])
        queries, positives = self._draw_pairs(random)
        pool = np.sort(random.choice(len(self.labels), self.pool_size, replace=False))
        if len(np.unique(self.labels[pool])) <= self.negatives:
            raise UserError(f"a pool with more than {self.negatives} landmarks", f"--pool_size={self.pool_size} with fewer",
                            "Raise --pool_size or lower --negatives.")
        logging.info("Mining epoch %d: the %d hardest of %d images for each of %d queries.", epoch + 1, self.negatives,
                     len(pool), len(queries))
        records, rows = np.unique(np.concatenate([queries, pool]), return_inverse=True)
        embeddings = embed(records)[rows]
        nearest = hardest_negatives(embeddings[:len(queries)], self.labels[queries], embeddings[len(queries):],
                                    self.labels[pool], self.negatives)
        return np.column_stack([queries, positives, pool[nearest]])

    def _draw_pairs(self, random: np.random.Generator) -> np.ndarray:
        """Draws queries and positives, int [2, query_size]."""
        if self.pairs is not None:
            return random.choice(self.pairs, self.query_size, replace=False).T
        queries = random.choice(self._with_positive, self.query_size, replace=False)
        return np.array([queries, [self._positive(query, random) for query in queries]])

    def _positive(self, query: int, random: np.random.Generator) -> int:
        others = np.flatnonzero(self.labels == self.labels[query])
        return random.choice(others[others != query])

    def _read(self, path: Path) -> np.ndarray:
        expected = (self.query_size, 2 + self.negatives)
        found = read_npy(path) if path.exists() else None
        if found is None or found.shape != expected:
            raise UserError(f"the tuples {expected} of the epoch that was interrupted in {path}",
                            "none" if found is None else str(found.shape),
                            "Use the flags and the folder of that run, or another --workdir.")
        return found


def read_record_pairs(manifest: Manifest, listing: str | Path) -> np.ndarray:
    """Reads a list of queries and positives as record numbers; pairs with an image that has no record are left out.

    Args:
        manifest: Manifest of the training records.
        listing: File of pairs; see `read_sfm_pairs`.

    Returns:
        int64 [M, 2].

    Raises:
        UserError: The list cannot be read, or none of its pairs is in the records.
    """
    indices = {image_id: index for index, image_id in enumerate(read_record_ids(manifest))}
    pairs = read_sfm_pairs(listing)
    found = [(indices[query], indices[positive]) for query, positive in pairs if query in indices and positive in indices]
    if not found:
        raise UserError(f"pairs of images of {manifest.directory} in {listing}", f"none among {len(pairs):,}",
                        "Prepare the records from the images of that list.")
    logging.info("%d of %d pairs are in the records.", len(found), len(pairs))
    return np.array(found, np.int64)
