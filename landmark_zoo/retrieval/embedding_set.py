"""Embeddings with the ids they belong to and the model they come from."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from landmark_zoo.core.errors import UserError
from landmark_zoo.core.files import read_csv, read_json, write_csv, write_json, write_npy
from landmark_zoo.retrieval.check_same_model import check_same_model
from landmark_zoo.retrieval.embedding_faults import embedding_faults


@dataclass(frozen=True)
class EmbeddingSet:
    """N embeddings of one model.

    On disk it is a folder: `embeddings.npy` (float32 [N, D]; float16 is read too), `ids.csv` (column `id`, in the same
    order) and `embeddings.json` (counts, model fingerprint, provenance), which is written last: without it the set is
    unfinished.

    Args:
        ids: One id for each embedding, none twice.
        vectors: float32 [N, D], finite and of unit length (to 1e-3).
        model_fingerprint: `EmbeddingModel.fingerprint`.
        provenance: What else the makers knew: model info, EXIF turn, pictures skipped, ...

    Raises:
        UserError: A duplicate id; a NaN or a length other than 1, naming the id.
        ValueError: Shapes that do not fit together.
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
        if (path / "embeddings.json").exists():
            raise UserError(f"no embeddings at {path}", "finished ones", "Choose another output folder or remove it.")
        write_npy(path / "embeddings.npy", self.vectors)
        write_csv(path / "ids.csv", ["id"], ([image_id] for image_id in self.ids))
        write_json(path / "embeddings.json", {
            "count": len(self), "dimension": self.dimension, "model_fingerprint": self.model_fingerprint,
            "provenance": self.provenance})

    @classmethod
    def load(cls, path: str | Path) -> "EmbeddingSet":
        """Reads a folder that `save` wrote.

        Raises:
            UserError: No finished set there, or files that do not fit together.
        """
        path = Path(path)
        facts = read_json(path / "embeddings.json")
        ids = [row["id"] for row in read_csv(path / "ids.csv", ["id"])]
        try:
            vectors = np.load(path / "embeddings.npy", allow_pickle=False)
            expected = (facts["count"], facts["dimension"])
            if vectors.shape != expected or len(ids) != len(vectors) or vectors.dtype not in (np.float32, np.float16):
                raise ValueError(f"{vectors.dtype} {vectors.shape} and {len(ids)} ids instead of float32 {expected}")
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
    for row, fault in embedding_faults(vectors).items():
        raise UserError(f"an embedding of length 1 for {ids[row]}", fault,
                        "Embed it again with a model that ends in an L2 normalisation.")
