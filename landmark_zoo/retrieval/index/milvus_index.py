"""MilvusIndex: exact search in a Milvus server, or in a file with Milvus Lite."""

import contextlib
import hashlib
import itertools
import json
import logging as python_logging
import os
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from absl import logging

from landmark_zoo.core.errors import UserError
from landmark_zoo.core.files import atomic_directory, read_json, write_json
from landmark_zoo.retrieval.embedding_set import check_same_model
from landmark_zoo.retrieval.index.base import FIELDS, Index, check_fields, check_sealed, check_where, sealed

if TYPE_CHECKING:
    from pymilvus import MilvusClient

CONNECT_SECONDS = 15


def is_milvus_uri(text: str) -> bool:
    """Returns whether `text` names Milvus: `http://host:19530`, or a path that ends in `.db` for Milvus Lite."""
    return "://" in text or text.endswith(".db")


def connect_milvus(uri: str, create: bool = False) -> "MilvusClient":
    """Returns a client.

    Args:
        uri: `http://host:19530` of a server (with the token in $MILVUS_TOKEN where it wants one), or a path that ends in
            `.db`: Milvus Lite, which runs inside this process and lets no other process at its files.
        create: Make the files of Milvus Lite where there are none.

    Raises:
        UserError: Not such a URI, no server there, no such file, files in use, or no pymilvus.
    """
    if not is_milvus_uri(uri):
        raise UserError("a URI such as http://host:19530, or a path that ends in .db", uri, "Check the URI.")
    if "://" not in uri:
        if not create and not os.path.exists(uri):
            raise UserError(f"Milvus Lite's files at {uri}", "no such file", "Check the path, or build an index there.")
        Path(uri).parent.mkdir(parents=True, exist_ok=True)
    try:
        from pymilvus import MilvusClient
        if "://" not in uri:
            import milvus_lite  # noqa: F401
    except ImportError as error:
        raise UserError("the packages pymilvus and milvus-lite", str(error),
                        'Install them: pip install --constraint constraints.txt -e ".[milvus]".') from error
    for name in ("pymilvus", "milvus_lite", "grpc._server"):
        python_logging.getLogger(name).setLevel(python_logging.CRITICAL)  # what they log they also raise
    with milvus_errors(uri):
        return MilvusClient(uri, token=os.environ.get("MILVUS_TOKEN", ""), timeout=CONNECT_SECONDS)


@contextlib.contextmanager
def milvus_errors(uri: str) -> Iterator[None]:
    """Turns an error of Milvus within the block into a `UserError` that names `uri`."""
    from pymilvus import MilvusException
    try:
        yield
    except MilvusException as error:
        remedy = "Check the URI and that the server runs." if "://" in uri else \
            "Check the path and that no other process has it open."
        raise UserError(f"Milvus at {uri} to do its work", error.message or str(error), remedy) from error


def milvus_filter(where: Mapping[str, Sequence[str]]) -> str:
    """Returns e.g. `landmark in ["4", "17"] and source in ["index"]`; "" for no filter."""
    return " and ".join(milvus_any(name, texts) for name, texts in where.items())


def milvus_any(name: str, texts: Iterable[str]) -> str:
    """Returns e.g. `id in ["a", "b"]`, with quotes and backslashes escaped."""
    return f"{name} in {json.dumps(list(texts), ensure_ascii=False)}"


BATCH = 1000
MAX_HITS = 16384
MAX_BYTES = 1024
UNFINISHED = "unfinished"
"""Property of a collection: checksum of the ids whose adding has begun and not ended, "" where there are none."""
SCORE_NOISE = 2.0 ** -22
"""Difference between the scores of equal embeddings: Milvus sums in an order that depends on an embedding's position."""


class MilvusIndex(Index):
    """A collection of Milvus, searched exhaustively (`FLAT`, inner product) and with strong consistency.

    Ranks are those of the kind flat of `FaissIndex`: equal scores stand in the order of insertion. The collection is made
    where it is not there yet; it keeps the model fingerprint as a property, and its embeddings stay with the server, so that
    `save` writes no more than where they are.

    Args:
        dimension: D, the length of an embedding.
        model_fingerprint: `SavedModel.fingerprint` of the model that makes the embeddings.
        uri: `http://host:19530`, or a path that ends in `.db` for Milvus Lite; see `connect_milvus`.
        collection: Name of the collection; letters, digits and underscores.

    Raises:
        UserError: The collection holds embeddings of another model; what `connect_milvus` refuses.
    """

    def __init__(self, dimension: int, model_fingerprint: str, uri: str, collection: str = "landmark_zoo"):
        super().__init__(dimension, model_fingerprint)
        self.uri, self.collection, self._is_writing = uri, collection, False
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
            if UNFINISHED not in client.describe_collection(collection)["properties"]:
                logging.warning("The collection %s is of an earlier release, which did not mark whole ones: build it again "
                                "if its build was interrupted", collection)
            return cls(*_model_of(client, collection, uri), uri, collection)

    def fit(self, ids: Sequence[str], vectors: np.ndarray, fields: Mapping[str, Sequence[str]] | None = None) -> Self:
        self._checked(ids, vectors, fields)
        with milvus_errors(self.uri):
            self._client.drop_collection(self.collection)
            self._create()
        return self.add(ids, vectors, fields)

    def add(self, ids: Sequence[str], vectors: np.ndarray, fields: Mapping[str, Sequence[str]] | None = None,
            skip_known: bool = False, replace_known: bool = False) -> Self:
        """Adds embeddings as `Index.add` does.

        Args:
            ids: See `Index.add`, like the next three.
            vectors: Embeddings.
            fields: Texts to filter by.
            skip_known: Leave out ids that are there already.
            replace_known: Give ids that are there already these embeddings and fields; their place among equals stays.
        """
        fields = self._checked(ids, vectors, fields)
        known = self._rows(ids) if replace_known else dict.fromkeys(self.known(ids))
        if not (skip_known or replace_known):
            self._check_absent(set(known))
        now = time.time_ns()
        rows = [{"id": image_id, "vector": vectors[row], "inserted": now + row,
                 **{name: texts[row] for name, texts in fields.items()}} for row, image_id in enumerate(ids)]
        new = [row for row in rows if row["id"] not in known]
        changed = [{**row, "inserted": known[row["id"]]["inserted"]} for row in rows
                   if row["id"] in known and _differs(row, known[row["id"]])] if replace_known else []
        with self.writing(ids), milvus_errors(self.uri):
            for batch in _batches(new):
                self._client.insert(self.collection, batch)
            for batch in _batches(changed):
                self._client.upsert(self.collection, batch)
        return self

    @contextlib.contextmanager
    def writing(self, ids: Iterable[str]) -> Iterator[None]:
        """Marks the collection as unfinished while the block adds these images.

        No search takes a collection whose writing was killed; the same images must be added again.

        Raises:
            UserError: The writing of other images was interrupted.
        """
        if self._is_writing:
            yield
            return
        job = hashlib.sha256(json.dumps(list(ids)).encode()).hexdigest()
        if self._unfinished() not in ("", job):
            raise UserError(f"the images whose writing into the collection {self.collection} was interrupted", "others",
                            "Start that build again first, or name another collection.")
        self._mark(job)
        self._is_writing = True
        try:
            yield
        finally:
            self._is_writing = False
        self._mark("")

    def _unfinished(self) -> str:
        """Returns the checksum of the ids that are being added, or whose adding was interrupted; "" for none."""
        with milvus_errors(self.uri):
            return self._client.describe_collection(self.collection)["properties"].get(UNFINISHED, "")

    def _mark(self, job: str) -> None:
        with milvus_errors(self.uri):
            self._client.alter_collection_properties(self.collection, {UNFINISHED: job})

    def _check_whole(self) -> None:
        if self._unfinished():
            raise UserError(f"a whole index in the collection {self.collection}", "one that was not written to its end",
                            "Build it again from the same embeddings (it goes on), or wait until it is built.")

    def remove(self, ids: Sequence[str]) -> Self:
        self._check_removable(ids)
        with milvus_errors(self.uri):
            for batch in _batches(ids):
                self._client.delete(self.collection, filter=milvus_any("id", batch))
        return self

    def known(self, ids: Iterable[str]) -> set[str]:
        with milvus_errors(self.uri):
            return {row["id"] for batch in _batches(list(ids)) for row in self._client.query(
                self.collection, filter=milvus_any("id", batch), output_fields=["id"])}

    def _rows(self, ids: Iterable[str]) -> dict[str, dict[str, Any]]:
        """Returns what the collection holds of each of `ids` that is in it."""
        with milvus_errors(self.uri):
            return {row["id"]: row for batch in _batches(list(ids)) for row in self._client.query(
                self.collection, filter=milvus_any("id", batch), output_fields=["id", "vector", "inserted", *FIELDS])}

    def search(self, vectors: np.ndarray, k: int,
               where: Mapping[str, str | Sequence[str]] | None = None) -> tuple[list[list[str]], np.ndarray]:
        """Searches as `Index.search` does, a whole collection only; Milvus returns at most `MAX_HITS` per query."""
        self._check_queries(vectors, k)
        self._check_whole()
        if k > MAX_HITS:
            raise UserError(f"at most {MAX_HITS} results from Milvus", f"k = {k}", "Ask for fewer.")
        expression = milvus_filter(check_where(where))
        if not where and not len(self):
            raise UserError("an index with images", "an empty one", "Add embeddings first.")
        found = [hits for batch in _batches(vectors, 100) for hits in self._hits(batch, k, expression)]
        scores = np.array([[hit["distance"] for hit in hits] for hits in found], np.float32)
        return [[hit["id"] for hit in hits] for hits in found], scores.reshape(len(vectors), -1 if len(vectors) else k)

    def save(self, path: str | Path) -> None:
        self._check_whole()
        with milvus_errors(self.uri):
            self._client.flush(self.collection)
        uri = self.uri if "://" in self.uri else str(Path(self.uri).resolve())
        with atomic_directory(path) as folder:
            write_json(folder / "index.json", sealed({
                "kind": "milvus", "uri": uri, "collection": self.collection, "dimension": self.dimension,
                "model_fingerprint": self.model_fingerprint}))

    @classmethod
    def load(cls, path: str | Path) -> "MilvusIndex":
        facts = read_json(Path(path) / "index.json")
        try:
            place, model = (facts["uri"], facts["collection"]), (facts["dimension"], facts["model_fingerprint"])
            check_sealed(Path(path) / "index.json", facts, beside="checksum")
        except (KeyError, TypeError) as error:
            raise UserError(f"an index of Milvus at {path}", f"no {error}", "Save it again.") from error
        except ValueError as error:
            raise UserError(f"an index of Milvus at {path}", str(error), "Save it again.") from error
        index = cls.open(*place)
        index.check_model(*model)
        return index

    def __len__(self) -> int:
        with milvus_errors(self.uri):
            return self._client.query(self.collection, filter="", output_fields=["count(*)"])[0]["count(*)"]

    def _checked(self, ids: Sequence[str], vectors: np.ndarray,
                 fields: Mapping[str, Sequence[str]] | None) -> dict[str, list[str]]:
        self._check_new(ids, vectors)
        fields = check_fields(fields, len(ids))
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
                return [_ordered(hits)[:k] for hits in found]
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
                                       properties={"model_fingerprint": self.model_fingerprint, UNFINISHED: ""})


def _model_of(client: "MilvusClient", collection: str, uri: str) -> tuple[int, str]:
    """Returns the dimension and the model fingerprint of a collection."""
    facts = client.describe_collection(collection)
    fields = {field["name"]: field for field in facts["fields"]}
    if "model_fingerprint" not in facts["properties"] or not {"id", "vector", "inserted", *FIELDS} <= set(fields):
        raise UserError(f"a collection of landmark_zoo in {uri}", f"{collection}, which something else made",
                        "Name another collection.")
    return int(fields["vector"]["params"]["dim"]), facts["properties"]["model_fingerprint"]


def _differs(row: dict[str, Any], other: dict[str, Any]) -> bool:
    return any(row[name] != other[name] for name in FIELDS) or not np.array_equal(
        row["vector"], np.asarray(other["vector"], np.float32))


def _tie_goes_on(hits: list[dict], k: int, fetched: int) -> bool:
    return len(hits) == fetched and hits[k - 1]["distance"] - hits[-1]["distance"] <= SCORE_NOISE


def _ordered(hits: list[dict]) -> list[dict]:
    """Returns hits by score, those of one score (to `SCORE_NOISE`) in the order of insertion, with the first's."""
    groups: list[list[dict]] = []
    for hit in sorted(hits, key=lambda hit: -hit["distance"]):
        if not groups or groups[-1][0]["distance"] - hit["distance"] > SCORE_NOISE:
            groups.append([])
        groups[-1].append(hit)
    return [{"id": hit["id"], "distance": group[0]["distance"]}
            for group in groups for hit in sorted(group, key=lambda hit: hit["entity"]["inserted"])]


def _batches(items: Sequence, size: int | None = None) -> Iterator[Sequence]:
    size = size or BATCH
    return (items[start:start + size] for start in range(0, len(items), size))
