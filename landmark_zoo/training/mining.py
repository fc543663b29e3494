"""Training tuples with the hard negatives of the network as it is now."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
from absl import logging

from landmark_zoo.core.errors import UserError
from landmark_zoo.core.files import write_npy
from landmark_zoo.training.hard_negatives import hardest_negatives


class TupleMiner:
    """Mines the tuples of each epoch and keeps them in `workdir/tuples`, so that a killed epoch goes on with its own.

    As in Radenovic, Tolias, Chum: CNN Image Retrieval Learns from BoW, ECCV 2016: queries are drawn, each gets another
    picture of its landmark, theirs or without `pairs` a random one, and the hardest negatives in a random pool, one of a
    landmark at most.

    Args:
        labels: int [N], of each record.
        query_size: Tuples of an epoch; fewer where fewer pictures have another of their landmark.
        pool_size: Records among which negatives are sought; fewer where there are fewer.
        negatives: Of each tuple.
        seed: What queries, positives and pool are drawn with, together with the epoch.
        workdir: The run's folder.
        pairs: int [M, 2], record numbers of queries and their positives; None for any two of a landmark.

    Raises:
        UserError: No landmark has two pictures, or there are too few landmarks.
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
            raise UserError(f"records of more than {negatives} landmarks, some of them with two pictures or more",
                            f"{len(counts)} landmarks, the largest with {counts.max()} pictures",
                            "Lower --negatives or use more photographs.")

    def tuples(self, epoch: int, embed: Callable[[np.ndarray], np.ndarray] | None) -> np.ndarray:
        """Returns an epoch's tuples.

        Args:
            epoch: From 0.
            embed: Record numbers [M] to embeddings float32 [M, D] of length 1, by the network as it is. None for an epoch
                that has begun already, whose tuples are read: the network is no longer the same.

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
        queries, positives = self._pairs(random)
        pool = np.sort(random.choice(len(self.labels), self.pool_size, replace=False))
        if len(np.unique(self.labels[pool])) <= self.negatives:
            raise UserError(f"a pool with more than {self.negatives} landmarks", f"--pool_size={self.pool_size} with fewer",
                            "Raise --pool_size or lower --negatives.")
        logging.info("Mining epoch %d: the %d hardest of %d pictures for each of %d queries.", epoch + 1, self.negatives,
                     len(pool), len(queries))
        records, places = np.unique(np.concatenate([queries, pool]), return_inverse=True)
        embeddings = embed(records)[places]
        nearest = hardest_negatives(embeddings[:len(queries)], self.labels[queries], embeddings[len(queries):],
                                    self.labels[pool], self.negatives)
        return np.column_stack([queries, positives, pool[nearest]])

    def _pairs(self, random: np.random.Generator) -> np.ndarray:
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
        found = np.load(path, allow_pickle=False) if path.exists() else None
        if found is None or found.shape != expected:
            raise UserError(f"the tuples {expected} of the epoch that was interrupted in {path}",
                            "none" if found is None else str(found.shape),
                            "Use the flags and the folder of that run, or another --workdir.")
        return found
