"""What every whitening can do once it is fitted."""

import abc
import hashlib
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np

from landmark_zoo.core.errors import UserError
from landmark_zoo.core.files import atomic_directory, read_json, write_json, write_npy
from landmark_zoo.core.provenance import versions
from landmark_zoo.retrieval.check_same_model import check_same_model
from landmark_zoo.retrieval.embedding_set import EmbeddingSet
from landmark_zoo.retrieval.processed import processed


class Whitening(abc.ABC):
    """An affine map learnt from embeddings: x -> (x - mean) projection, L2-normalised.

    The mean is that of all embeddings it was fitted on, for queries and index images alike. What it makes are embeddings of
    another model (`fingerprint`): they cannot be compared with unwhitened ones, nor with those of another whitening.

    On disk it is a folder: `mean.npy`, `projection.npy` and `whitening.json` (kind, settings, fingerprints, provenance).

    Args:
        dimension: D', the dimensions that remain; None for as many as carry any variance.

    Attributes:
        mean: float32 [D]; None before `fit`, as are all that follow.
        projection: float32 [D, D'].
        model_fingerprint: Of the model whose embeddings it takes.
        provenance: What it was fitted on.
    """

    kind: ClassVar[str]

    def __init__(self, dimension: int | None = None):
        if dimension is not None and dimension < 1:
            raise UserError("a whitening to 1 dimension or more", f"{dimension}", "Choose a larger dimension.")
        self.dimension = dimension
        self.mean = self.projection = self.model_fingerprint = None
        self.provenance: dict[str, Any] = {}

    @property
    @abc.abstractmethod
    def settings(self) -> dict[str, Any]:
        """The arguments of the constructor."""

    @property
    def fingerprint(self) -> str:
        """SHA-256 over the model's fingerprint and the map."""
        self._check_fitted()
        digest = hashlib.sha256(self.model_fingerprint.encode())
        digest.update(self.mean.tobytes() + self.projection.tobytes())
        return digest.hexdigest()

    @property
    def description(self) -> str:
        """One line for protocol cards."""
        self._check_fitted()
        settings = "".join(f", {name} {value}" for name, value in self.settings.items() if name != "dimension")
        return f"{self.kind}, {self.projection.shape[0]} to {self.projection.shape[1]} dimensions{settings}"

    def transform(self, embeddings: EmbeddingSet) -> EmbeddingSet:
        """Returns the whitened embeddings [N, D'].

        Their provenance says so under `steps` and in the model's info, from which protocol cards take it.

        Raises:
            UserError: Embeddings of another model or dimension, a whitening that is not fitted, or an embedding equal to the
                mean, which has no direction.
        """
        self._check_fitted()
        check_same_model(len(self.mean), self.model_fingerprint, embeddings.dimension, embeddings.model_fingerprint)
        whitened = processed(embeddings, embeddings.vectors @ self.projection - self.mean @ self.projection,
                             f"whitening: {self.description}")
        info = embeddings.provenance.get("model", {})
        before = info.get("whitening", "none")
        after = {"whitening": self.description if before == "none" else f"{before}, then {self.description}",
                 "whitening_learnt_on": self.provenance["fitted_on"], "dimension": whitened.dimension}
        return EmbeddingSet(whitened.ids, whitened.vectors, self.fingerprint,
                            {**whitened.provenance, "model": {**info, **after}})

    def save(self, path: str | Path) -> None:
        """Writes the folder: whole or not at all; one that exists is refused."""
        fingerprint = self.fingerprint
        with atomic_directory(path) as folder:
            write_npy(folder / "mean.npy", self.mean)
            write_npy(folder / "projection.npy", self.projection)
            write_json(folder / "whitening.json", {
                "kind": self.kind, "settings": self.settings, "fingerprint": fingerprint,
                "model_fingerprint": self.model_fingerprint, "provenance": self.provenance})

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Reads a folder that `save` wrote.

        Raises:
            UserError: No whitening of this kind there, or files that do not fit together.
        """
        path = Path(path)
        facts = read_json(path / "whitening.json")
        try:
            if facts["kind"] != cls.kind:
                raise ValueError(f"one of kind {facts['kind']}, not {cls.kind}")
            whitening = cls(**facts["settings"])
            whitening.mean, whitening.projection = (np.load(path / f"{name}.npy", allow_pickle=False)
                                                    for name in ("mean", "projection"))
            whitening.model_fingerprint, whitening.provenance = facts["model_fingerprint"], facts["provenance"]
            if whitening.fingerprint != facts["fingerprint"]:
                raise ValueError("arrays that are not those of whitening.json")
        except (OSError, ValueError, KeyError, TypeError, EOFError) as error:
            raise UserError(f"a whitening at {path}", str(error), "Fit it again.") from error
        return whitening

    def _learnt(self, embeddings: EmbeddingSet, mean: np.ndarray, projection: np.ndarray, **facts: Any) -> Self:
        self.mean, self.projection = mean.astype(np.float32), np.ascontiguousarray(projection, np.float32)
        self.model_fingerprint = embeddings.model_fingerprint
        photographs = str(embeddings.provenance.get("photographs_sha256", "not stated"))[:12]
        self.provenance = {"fitted_on": f"{len(embeddings)} embeddings of photographs with checksum {photographs}",
                           "mean": "of these embeddings", **facts, "embeddings": embeddings.provenance,
                           "versions": versions()}
        return self

    def _check_fitted(self):
        if self.mean is None:
            raise UserError("a fitted whitening", "a new one", "Call fit or load first.")
