"""Codebook: visual words, fitted by k-means on local features."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import faiss
import numpy as np
from sklearn.cluster import MiniBatchKMeans

from landmark_zoo.core.errors import UserError
from landmark_zoo.core.files import atomic_directory, check_sha256, read_json, read_npy, sha256, write_json, write_npy
from landmark_zoo.core.parallel import progress
from landmark_zoo.core.provenance import versions
from landmark_zoo.data.datasets.images import InvalidImageError
from landmark_zoo.retrieval.rerank.local_features import Features

BATCH_PER_WORD, LEAST_BATCH = 4, 4096


class Codebook:
    """K centres of local features, by mini-batch k-means (Sculley, WWW 2010; scikit-learn's).

    On disk it is a folder: `centres.npy` (float32 [K, D]) and `codebook.json`.

    Args:
        size: K.
        kind: `Features.kind` of the local features.
        seed: Random seed of k-means.

    Attributes:
        centres: float32 [K, D], after `fit`.
        provenance: Features it was fitted on.
    """

    def __init__(self, size: int, kind: str, seed: int = 0):
        if size < 1:
            raise ValueError(f"Expected a codebook of 1 word or more; received {size}.")
        self.size, self.kind, self.seed = size, kind, seed
        self.provenance: dict[str, Any] = {}

    def fit(self, vectors: np.ndarray, source: str = "not stated") -> "Codebook":
        """Finds the centres.

        Args:
            vectors: Local features, float32 [N, D], of photographs outside the benchmark.
            source: Name of the images, for the provenance.

        Raises:
            UserError: Fewer features than words.
        """
        if len(vectors) < self.size:
            raise UserError(f"at least {self.size} local features for {self.size} words", str(len(vectors)),
                            "Take more photographs, or a smaller codebook.")
        means = MiniBatchKMeans(self.size, batch_size=max(LEAST_BATCH, BATCH_PER_WORD * self.size), n_init=1,
                                random_state=self.seed).fit(vectors)
        self.provenance = {"fitted_on": source, "features": len(vectors), "versions": versions()}
        return self._take(means.cluster_centers_.astype(np.float32))

    def assign(self, vectors: np.ndarray, words: int = 1) -> np.ndarray:
        """Returns the numbers of the nearest centres, nearest first.

        Args:
            vectors: float32 [N, D].
            words: Number of words for each vector.

        Returns:
            int64 [N, min(words, K)].

        Raises:
            UserError: Features of another length.
        """
        if vectors.shape[1] != self.centres.shape[1]:
            raise UserError(f"local features of {self.centres.shape[1]} channels for this codebook", str(vectors.shape[1]),
                            "Fit a codebook to these features.")
        return self._index.search(np.ascontiguousarray(vectors, np.float32), min(words, self.size))[1]

    def check_kind(self, kind: str) -> None:
        """Raises a UserError unless the codebook was fitted on local features of that kind."""
        if kind != self.kind:
            raise UserError(f"local features of kind {self.kind[:12]}, as the codebook was fitted on", kind[:12],
                            "Fit a codebook to these features.")

    def save(self, path: str | Path) -> None:
        """Writes the folder, all of it or nothing."""
        with atomic_directory(path) as folder:
            write_npy(folder / "centres.npy", self.centres)
            write_json(folder / "codebook.json", {"size": self.size, "dimension": self.centres.shape[1], "kind": self.kind,
                                                  "seed": self.seed, "provenance": self.provenance,
                                                  "sha256": {"centres.npy": sha256(folder / "centres.npy")}})

    @classmethod
    def load(cls, path: str | Path) -> "Codebook":
        """Reads a folder that `save` wrote; a UserError where there is none, or one whose files do not fit together."""
        path = Path(path)
        facts = read_json(path / "codebook.json")
        try:
            codebook = cls(facts["size"], facts["kind"], facts["seed"])
            codebook.provenance = _mapping(facts["provenance"])
            centres = read_npy(path / "centres.npy")
            if centres.shape != (facts["size"], facts["dimension"]) or centres.dtype != np.float32:
                raise ValueError(f"{centres.dtype} {list(centres.shape)}")
            check_sha256(path, facts.get("sha256", {}))  # codebooks of earlier releases state none
        except (OSError, ValueError, KeyError, TypeError, EOFError) as error:
            raise UserError(f"a codebook at {path}", f"{type(error).__name__}: {error}", "Fit it again.") from error
        return codebook._take(centres)

    def _take(self, centres: np.ndarray) -> "Codebook":
        self.centres = centres
        self._index = faiss.IndexFlatL2(centres.shape[1])
        self._index.add(centres)
        return self


def _mapping(facts: Any) -> dict[str, Any]:
    if not isinstance(facts, Mapping):
        raise TypeError("provenance is no mapping")
    return dict(facts)


def visual_words(features: Features, read: Callable[[str], np.ndarray], ids: Sequence[str], words: int, name: str,
                 seed: int = 0) -> Codebook:
    """Fits a codebook to the local features of photographs outside the benchmark; bad photographs are passed over.

    Args:
        features: Extractor of local features.
        read: An id to its photograph.
        ids: The photographs.
        words: Number of visual words.
        name: For the progress.
        seed: Random seed of k-means.

    Raises:
        UserError: No usable photograph, or fewer local features than words.
    """
    found = []
    for image in progress(ids, f"{name}: codebook"):
        try:
            found.append(features(read(image)).vectors)
        except InvalidImageError:
            continue
    if not found:
        raise UserError("usable photographs for a codebook", f"none of {len(ids)}", "Raise --codebook_photographs.")
    return Codebook(words, features.kind, seed).fit(np.concatenate(found), f"{len(found)} photographs outside")
