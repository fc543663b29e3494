"""Index: the interface of all indexes, and the fields by which a search can be restricted."""

import abc
import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np
from absl import logging

from landmark_zoo.core.errors import UserError
from landmark_zoo.retrieval.embedding_set import EmbeddingSet, check_same_model


class Index(abc.ABC):
    """Embeddings of one model, found again by dot product, each with an id and with `FIELDS` to filter by.

    Args:
        dimension: D, the length of an embedding.
        model_fingerprint: `SavedModel.fingerprint` of the model that makes the embeddings.
    """

    def __init__(self, dimension: int, model_fingerprint: str):
        self.dimension, self.model_fingerprint = dimension, model_fingerprint

    @abc.abstractmethod
    def fit(self, ids: Sequence[str], vectors: np.ndarray, fields: Mapping[str, Sequence[str]] | None = None) -> Self:
        """Replaces the contents by these embeddings; see `add`."""

    @abc.abstractmethod
    def add(self, ids: Sequence[str], vectors: np.ndarray, fields: Mapping[str, Sequence[str]] | None = None,
            skip_known: bool = False) -> Self:
        """Adds embeddings.

        Args:
            ids: One for each embedding.
            vectors: float32 [N, D], of unit length.
            fields: For each of `FIELDS` one text per embedding, e.g. `{"landmark": ["17", "17", "4"]}`; "" where left out.
            skip_known: Leave out ids that are there already (to go on after an interruption) instead of refusing them.

        Raises:
            UserError: Another dimension, an id that is there already, a NaN or a length other than 1.
        """

    @abc.abstractmethod
    def remove(self, ids: Sequence[str]) -> Self:
        """Removes embeddings; an id that is not there is a UserError, and nothing is removed."""

    @abc.abstractmethod
    def known(self, ids: Iterable[str]) -> set[str]:
        """Returns those of `ids` that are in the index."""

    @abc.abstractmethod
    def search(self, vectors: np.ndarray, k: int,
               where: Mapping[str, str | Sequence[str]] | None = None) -> tuple[list[list[str]], np.ndarray]:
        """Returns the ids of the `k` best index images for each query, and their scores.

        Args:
            vectors: Query embeddings, float32 [N, D].
            k: Number of results; at most as many as there are.
            where: Only images whose fields have these values, e.g. `{"source": "index", "landmark": ["4", "17"]}`; a list
                means any of them, several fields mean all of them.

        Returns:
            N lists of ids, best first, and their dot products, float32 [N, min(k, images that match)].

        Raises:
            UserError: An empty index, an unknown field, a query of another dimension or with NaN.
        """

    @abc.abstractmethod
    def save(self, path: str | Path) -> None:
        """Writes a folder for `load`: whole or not at all; one that exists is refused."""

    @classmethod
    @abc.abstractmethod
    def load(cls, path: str | Path) -> Self:
        """Reads a folder that `save` wrote; one whose files do not fit together is a UserError."""

    @abc.abstractmethod
    def __len__(self) -> int:
        """The number of images in the index."""

    def check_model(self, dimension: int, model_fingerprint: str) -> None:
        """Raises a UserError unless embeddings of that model can be compared with these."""
        check_same_model(self.dimension, self.model_fingerprint, dimension, model_fingerprint)

    def _check_new(self, ids: Sequence[str], vectors: np.ndarray) -> None:
        added = EmbeddingSet(ids, vectors, self.model_fingerprint)
        self.check_model(added.dimension, added.model_fingerprint)

    def _check_absent(self, known: set[str]) -> None:
        if known:
            raise UserError("an id that is not in the index", f"{min(known)}, which is", "Remove the duplicate.")

    def _check_removable(self, ids: Sequence[str]) -> None:
        absent = set(ids) - self.known(ids)
        if absent:
            raise UserError("ids that are in the index", f"{min(absent)}, which is not", "Leave it out.")

    def _check_queries(self, vectors: np.ndarray, k: int) -> None:
        if k < 1:
            raise ValueError(f"Expected k of 1 or more; received {k}.")
        queries = EmbeddingSet([f"query {row}" for row in range(len(vectors))], vectors, self.model_fingerprint)
        self.check_model(queries.dimension, queries.model_fingerprint)


FIELDS = ("landmark", "source")


def check_fields(fields: Mapping[str, Sequence[str]] | None, count: int) -> dict[str, list[str]]:
    """Returns every one of `FIELDS` with `count` texts; "" where `fields` has none.

    Raises:
        UserError: A field that is not one of `FIELDS`.
        ValueError: Not one text per image.
    """
    fields = fields or {}
    _check_names(fields)
    columns = {name: list(fields.get(name, [""] * count)) for name in FIELDS}
    for name, texts in columns.items():
        if len(texts) != count or not all(isinstance(text, str) for text in texts):
            raise ValueError(f"Expected {count} strings for the field {name}; received {len(texts)} values.")
    return columns


def check_where(where: Mapping[str, str | Sequence[str]] | None) -> dict[str, list[str]]:
    """Returns a filter with a list of allowed texts for each field that it names; see `Index.search`.

    Raises:
        UserError: A field that is not one of `FIELDS`.
    """
    where = where or {}
    _check_names(where)
    return {name: [allowed] if isinstance(allowed, str) else list(allowed) for name, allowed in where.items()}


def _check_names(fields: Mapping[str, object]) -> None:
    for name in fields:
        if name not in FIELDS:
            raise UserError(f"the field {' or '.join(FIELDS)}", repr(name), "Name one of them.")


def sealed(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the facts of an index with a checksum of themselves, to be written by `write_json`."""
    return {**facts, "checksum": hashlib.sha256(_text(facts).encode()).hexdigest()}


def check_sealed(path: Path, facts: Mapping[str, Any], beside: str) -> None:
    """Raises a ValueError where a file of `sealed` facts is not, byte for byte, what was written.

    Args:
        path: The file.
        facts: What was read from it.
        beside: Name of a fact that files of earlier releases lack, as they do the checksum.
    """
    if "checksum" not in facts and beside not in facts:
        logging.warning("%s is of an earlier release and has no checksum: build the index again to have its files checked",
                        path)
    elif path.read_text(encoding="utf-8") != _text(sealed({key: facts[key] for key in facts if key != "checksum"})):
        raise ValueError(f"an {path.name} that was changed after it was written")


def _text(facts: Mapping[str, Any]) -> str:
    return json.dumps(facts, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
