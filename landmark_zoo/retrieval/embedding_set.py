"""EmbeddingSet: ids, unit vectors and model fingerprint, in memory and as a folder."""

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from landmark_zoo.core.errors import UserError
from landmark_zoo.core.files import (
    check_sha256,
    claim_path,
    read_csv,
    read_json,
    read_npy,
    sha256,
    write_csv,
    write_json,
    write_npy,
)
from landmark_zoo.core.strict_json import check_form

TOLERANCE = 1e-3
EMBEDDINGS_FORM = {"count": int, "dimension": int, "model_fingerprint": str, "provenance": dict}
"""Types of the fields of `embeddings.json`."""


def validate_embeddings(vectors: np.ndarray) -> dict[int, str]:
    """Returns what is wrong with which row of `vectors` [N, D]; an embedding is finite and of length 1 (to 1e-3).

    A NaN would be sorted to one end of every ranking without a word, and a length other than 1 makes the dot product
    something else than the cosine.

    Returns:
        Row number to fault, e.g. `{3: "an embedding with NaN or infinity"}`; empty where all rows are good.
    """
    lengths = np.sqrt(np.einsum("nd,nd->n", vectors, vectors, dtype=np.float64))
    return {int(row): f"an embedding of length {lengths[row]:.4f} instead of 1" if np.isfinite(lengths[row])
            else "an embedding with NaN or infinity"
            for row in np.flatnonzero(~(np.abs(lengths - 1) <= TOLERANCE))}


def check_same_model(dimension: int, fingerprint: str, other_dimension: int, other_fingerprint: str) -> None:
    """Raises a UserError unless both embeddings have one dimension and one model fingerprint.

    Args:
        dimension: D of the embeddings that are there.
        fingerprint: `SavedModel.fingerprint` of the model that made them.
        other_dimension: D of the embeddings that come to them.
        other_fingerprint: Fingerprint of the model that made those.
    """
    remedy = "Embed both with the same model."
    if dimension != other_dimension:
        raise UserError(f"embeddings of dimension {dimension}", f"dimension {other_dimension}", remedy)
    if fingerprint != other_fingerprint:
        raise UserError(f"embeddings of the model with fingerprint {fingerprint[:12]}",
                        f"fingerprint {other_fingerprint[:12]}", remedy)


@dataclass(frozen=True)
class EmbeddingSet:
    """Embeddings of N images by one model.

    On disk it is a folder: `embeddings.npy` (float32 [N, D]; float16 is read too), `ids.csv` (column `id`, in the same
    order) and `embeddings.json` (counts, checksums, model fingerprint, provenance), which is written last: without it the
    set is unfinished.

    Args:
        ids: One id for each embedding, none twice.
        vectors: float32 [N, D], finite and of unit length (to 1e-3).
        model_fingerprint: `SavedModel.fingerprint`.
        provenance: Further facts of their making: model info, EXIF rule, images skipped, ...

    Raises:
        UserError: A duplicate id; a NaN or a length other than 1, naming the id.
        ValueError: Shapes that do not fit together.

    Example:
        >>> embeddings = EmbeddingSet(["a", "b"], np.eye(2, 3, dtype=np.float32), "fingerprint of the model")
        >>> len(embeddings), embeddings.dimension, embeddings.select(["b"]).vectors.tolist()
        (2, 3, [[0.0, 1.0, 0.0]])
    """

    ids: Sequence[str]
    vectors: np.ndarray
    model_fingerprint: str
    provenance: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self):
        vectors = self.vectors
        if vectors.ndim != 2 or vectors.dtype != np.float32 or len(vectors) != len(self.ids):
            raise ValueError(f"Expected float32 embeddings [{len(self.ids)}, D]; received {vectors.dtype} "
                             f"{list(vectors.shape)}.")
        _check_ids(self.ids)
        _check_vectors(self.ids, vectors)

    @property
    def dimension(self) -> int:
        """D, the length of an embedding."""
        return self.vectors.shape[1]

    def __len__(self) -> int:
        return len(self.ids)

    def select(self, ids: Sequence[str]) -> "EmbeddingSet":
        """Returns the embeddings of `ids` in that order; ids without one are left out."""
        if list(ids) == list(self.ids):
            return self
        row = {image_id: number for number, image_id in enumerate(self.ids)}
        kept = [image_id for image_id in ids if image_id in row]
        vectors = self.vectors[np.array([row[image_id] for image_id in kept], np.int64)]
        return EmbeddingSet(kept, vectors, self.model_fingerprint, self.provenance)

    def check_model(self, dimension: int, model_fingerprint: str) -> None:
        """Raises a UserError unless embeddings of that model can be compared with these."""
        check_same_model(self.dimension, self.model_fingerprint, dimension, model_fingerprint)

    def save(self, path: str | Path) -> None:
        """Writes the folder; one that holds a finished set already is refused."""
        path = Path(path)
        with contextlib.ExitStack() as stack:
            for name in ("embeddings.json", "embeddings.npy", "ids.csv"):
                stack.enter_context(claim_path(path / name))
            if (path / "embeddings.json").exists():
                raise UserError(f"no embeddings at {path}", "finished ones", "Choose another output folder or remove it.")
            write_npy(path / "embeddings.npy", self.vectors)
            write_csv(path / "ids.csv", ["id"], ([image_id] for image_id in self.ids))
            write_json(path / "embeddings.json", {
                "count": len(self), "dimension": self.dimension, "model_fingerprint": self.model_fingerprint,
                "sha256": {name: sha256(path / name) for name in ("embeddings.npy", "ids.csv")},
                "provenance": self.provenance})

    @classmethod
    def load(cls, path: str | Path) -> "EmbeddingSet":
        """Reads a folder that `save` wrote.

        Raises:
            UserError: No finished set there, or files that do not fit together.
        """
        path = Path(path)
        facts = read_json(path / "embeddings.json")
        check_form(facts, EMBEDDINGS_FORM, path / "embeddings.json", "Make them again with experiments.embed.")
        try:
            ids = [row["id"] for row in read_csv(path / "ids.csv", ["id"])]
            vectors = read_npy(path / "embeddings.npy")
            expected = (facts["count"], facts["dimension"])
            if vectors.shape != expected or len(ids) != len(vectors) or vectors.dtype not in (np.float32, np.float16):
                raise ValueError(f"{vectors.dtype} {vectors.shape} and {len(ids)} ids instead of float32 {expected}")
            check_sha256(path, facts.get("sha256", {}))  # sets of earlier releases state none
            return cls(ids, vectors.astype(np.float32, copy=False), facts["model_fingerprint"], facts["provenance"])
        except (OSError, ValueError, KeyError, TypeError, EOFError) as error:
            raise UserError(f"embeddings at {path}", str(error), "Make them again with experiments.embed.") from error


def _check_ids(ids: Sequence[str]) -> None:
    if len(set(ids)) == len(ids):
        return
    seen: set[str] = set()
    twice = next(image_id for image_id in ids if image_id in seen or seen.add(image_id))
    raise UserError("every id once", f"{twice} twice", "Remove the duplicate.")


def _check_vectors(ids: Sequence[str], vectors: np.ndarray) -> None:
    for row, fault in validate_embeddings(vectors).items():
        raise UserError(f"an embedding of length 1 for {ids[row]}", fault,
                        "Embed it again with a model that ends in an L2 normalisation.")


def with_vectors(embeddings: EmbeddingSet, vectors: np.ndarray, step: str) -> EmbeddingSet:
    """Returns the same ids with other vectors; the step is added to the list `steps` of the provenance.

    Args:
        embeddings: Embeddings before the step.
        vectors: Vectors after it, [N, D], in the same space; brought to length 1 here.
        step: Name of the step, with its settings, in words.

    Raises:
        UserError: A vector of length 0 or with NaN.
    """
    unit = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
    return EmbeddingSet(embeddings.ids, unit.astype(np.float32, copy=False), embeddings.model_fingerprint,
                        {**embeddings.provenance, "steps": [*embeddings.provenance.get("steps", []), step]})
