"""Search beyond one machine."""

import itertools
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Self

import numpy as np

from landmark_zoo.core.errors import UserError
from landmark_zoo.core.files import atomic_directory, read_json, write_json
from landmark_zoo.retrieval.check_same_model import check_same_model
from landmark_zoo.retrieval.index.fields import FIELDS, checked_fields, checked_where
from landmark_zoo.retrieval.index.index import Index
from landmark_zoo.retrieval.index.milvus_client import connect_milvus, milvus_errors
from landmark_zoo.retrieval.index.milvus_filter import milvus_any, milvus_filter

if TYPE_CHECKING:
    from pymilvus import MilvusClient

BATCH = 1000
MAX_HITS = 16384
MAX_BYTES = 1024


class MilvusIndex(Index):
    """A collection of Milvus, searched exhaustively (`FLAT`, inner product) and with strong consistency.

    Ranks are those of the kind flat of `FaissIndex`: equal scores stand in the order of insertion. The collection is made
    where it is not there yet; it keeps the model fingerprint as a property, and its embeddings stay with the server, so that
    `save` writes no more than where they are.

    Args:
        dimension: D, the length of an embedding.
        model_fingerprint: `EmbeddingModel.fingerprint` of the model that makes the embeddings.
        uri: `http://host:19530`, or a path that ends in `.db` for Milvus Lite; see `connect_milvus`.
        collection: Its name; letters, digits and underscores.

    Raises:
        UserError: The collection holds embeddings of another model; what `connect_milvus` refuses.
    """

    def __init__(self, dimension: int, model_fingerprint: str, uri: str, collection: str = "landmark_zoo"):
        super().__init__(dimension, model_fingerprint)
        self.uri, self.collection = uri, collection
        self._client = connect_milvus(uri, create=True)
        with milvus_errors(uri):
            if self._client.has_collection(collection):
                check_same_model(*_model_of(self._client, collection, uri), dimension, model_fingerprint)
                self._client.load_collection(collection)
            else:
                self._create()

    @classmethod
    def open(cls, uri: str, collection: str = "landmark_zoo") -> "MilvusIndex":
        """Opens a collection that is there, whatever its model."""
        client = connect_milvus(uri)
        with milvus_errors(uri):
            if not client.has_collection(collection):
                raise UserError(f"the collection {collection} in {uri}", "none of that name",
                                "Name another, or build the index first.")
            return cls(*_model_of(client, collection, uri), uri, collection)

    def fit(self, ids: Sequence[str], vectors: np.ndarray, fields: Mapping[str, Sequence[str]] | None = None) -> Self:
        self._checked(ids, vectors, fields)
        with milvus_errors(self.uri):
            self._client.drop_collection(self.collection)
            self._create()
        return self.add(ids, vectors, fields)

    def add(self, ids: Sequence[str], vectors: np.ndarray, fields: Mapping[str, Sequence[str]] | None = None,
            skip_known: bool = False) -> Self:
        fields = self._checked(ids, vectors, fields)
        known = self.known(ids)
        if not skip_known:
            self._check_absent(known)
        now = time.time_ns()
        rows = [{"id": image_id, "vector": vectors[row], "inserted": now + row,
                 **{name: texts[row] for name, texts in fields.items()}}
                for row, image_id in enumerate(ids) if image_id not in known]
        with milvus_errors(self.uri):
            for batch in _batches(rows):
                self._client.insert(self.collection, batch)
        return self

    def remove(self, ids: Sequence[str]) -> Self:
        self._check_removable(ids)
        with milvus_errors(self.uri):
            for batch in _batches(ids):
                self._client.delete(self.collection, ids=list(batch))
        return self

    def known(self, ids: Iterable[str]) -> set[str]:
        with milvus_errors(self.uri):
            return {row["id"] for batch in _batches(list(ids)) for row in self._client.query(
                self.collection, filter=milvus_any("id", batch), output_fields=["id"])}

    def search(self, vectors: np.ndarray, k: int,
               where: Mapping[str, str | Sequence[str]] | None = None) -> tuple[list[list[str]], np.ndarray]:
        """Like `Index.search`; Milvus returns at most `MAX_HITS` per query."""
        self._check_queries(vectors, k)
        if k > MAX_HITS:
            raise UserError(f"at most {MAX_HITS} results from Milvus", f"k = {k}", "Ask for fewer.")
        expression = milvus_filter(checked_where(where))
        if not where and not len(self):
            raise UserError("an index with images", "an empty one", "Add embeddings first.")
        found = [hits for batch in _batches(vectors, 100) for hits in self._hits(batch, k, expression)]
        scores = np.array([[hit["distance"] for hit in hits] for hits in found], np.float32)
        return [[hit["id"] for hit in hits] for hits in found], scores.reshape(len(vectors), -1 if len(vectors) else k)

    def save(self, path: str | Path) -> None:
        with milvus_errors(self.uri):
            self._client.flush(self.collection)
        uri = self.uri if "://" in self.uri else str(Path(self.uri).resolve())
        with atomic_directory(path) as folder:
            write_json(folder / "index.json", {
                "kind": "milvus", "uri": uri, "collection": self.collection, "dimension": self.dimension,
                "model_fingerprint": self.model_fingerprint})

    @classmethod
    def load(cls, path: str | Path) -> "MilvusIndex":
        facts = read_json(Path(path) / "index.json")
        try:
            index = cls.open(facts["uri"], facts["collection"])
            index.check_model(facts["dimension"], facts["model_fingerprint"])
        except (KeyError, TypeError) as error:
            raise UserError(f"an index of Milvus at {path}", f"no {error}", "Save it again.") from error
        return index

    def __len__(self) -> int:
        with milvus_errors(self.uri):
            return self._client.query(self.collection, filter="", output_fields=["count(*)"])[0]["count(*)"]

    def _checked(self, ids: Sequence[str], vectors: np.ndarray,
                 fields: Mapping[str, Sequence[str]] | None) -> dict[str, list[str]]:
        self._check_new(ids, vectors)
        fields = checked_fields(fields, len(ids))
        for text in itertools.chain(ids, *fields.values()):
            if len(text.encode()) > MAX_BYTES:
                raise UserError(f"ids and fields of at most {MAX_BYTES} bytes", f"{text[:40]}..., which is longer",
                                "Shorten it.")
        return fields

    def _hits(self, vectors: np.ndarray, k: int, expression: str) -> list[list[dict]]:
        """Returns the best `k` hits of each query, equal scores in the order of insertion."""
        fetched = min(k + 1, MAX_HITS)
        while True:
            with milvus_errors(self.uri):
                found = self._client.search(self.collection, data=list(vectors), limit=fetched, filter=expression,
                                            output_fields=["inserted"], search_params={"metric_type": "IP"})
            if fetched == MAX_HITS or not any(_tie_goes_on(hits, k, fetched) for hits in found):
                return [sorted(hits, key=lambda hit: (-hit["distance"], hit["entity"]["inserted"]))[:k] for hits in found]
            fetched = min(2 * fetched, MAX_HITS)

    def _create(self):
        from pymilvus import DataType
        schema = self._client.create_schema(auto_id=False, enable_dynamic_field=False)
        schema.add_field("id", DataType.VARCHAR, is_primary=True, max_length=MAX_BYTES)
        schema.add_field("vector", DataType.FLOAT_VECTOR, dim=self.dimension)
        schema.add_field("inserted", DataType.INT64)
        for name in FIELDS:
            schema.add_field(name, DataType.VARCHAR, max_length=MAX_BYTES)
        indexes = self._client.prepare_index_params()
        indexes.add_index("vector", index_type="FLAT", metric_type="IP")
        self._client.create_collection(self.collection, schema=schema, index_params=indexes, consistency_level="Strong",
                                       properties={"model_fingerprint": self.model_fingerprint})


def _model_of(client: "MilvusClient", collection: str, uri: str) -> tuple[int, str]:
    """Returns the dimension and the model fingerprint of a collection."""
    facts = client.describe_collection(collection)
    fields = {field["name"]: field for field in facts["fields"]}
    if "model_fingerprint" not in facts["properties"] or not {"id", "vector", "inserted", *FIELDS} <= set(fields):
        raise UserError(f"a collection of landmark_zoo in {uri}", f"{collection}, which something else made",
                        "Name another collection.")
    return int(fields["vector"]["params"]["dim"]), facts["properties"]["model_fingerprint"]


def _tie_goes_on(hits: list[dict], k: int, fetched: int) -> bool:
    return len(hits) == fetched and hits[-1]["distance"] == hits[k - 1]["distance"]


def _batches(items: Sequence, size: int = BATCH) -> Iterator[Sequence]:
    return (items[start:start + size] for start in range(0, len(items), size))
