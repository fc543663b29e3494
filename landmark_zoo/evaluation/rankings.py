"""Rankings of a benchmark's index images, from embeddings or from lists, and of distractors among them: images that no query
should find, such as the million of Radenovic et al. (CVPR 2018)."""

import os
from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from landmark_zoo.core.errors import UserError, notify
from landmark_zoo.core.files import read_csv, read_json, read_npy
from landmark_zoo.evaluation.benchmark import Benchmark
from landmark_zoo.evaluation.protocol_card import NOT_STATED, card_facts
from landmark_zoo.metrics.exact_ranks import dot_products, exact_ranks
from landmark_zoo.metrics.ranking import ranks_without_junk, top_k
from landmark_zoo.retrieval.embedding_set import EMBEDDINGS_FORM, EmbeddingSet, check_same_model

FIRST = 100


@dataclass(frozen=True)
class Distractors:
    """Embeddings that are appended to the index as plain negatives, memory-mapped.

    Attributes:
        ids: Ids of all shards' images, in the order of the shards.
        shards: Embeddings, float16 or float32 [n, D] each.
        description: Text for the protocol card.
    """

    ids: Sequence[str] = ()
    shards: Sequence[np.ndarray] = ()
    description: str = "none"

    @classmethod
    def read(cls, folders: Sequence[str | Path], index: EmbeddingSet) -> "Distractors":
        """Opens folders that hold an `EmbeddingSet` each; `embeddings.npy` may also be float16.

        Args:
            folders: Folders of the shards.
            index: Embeddings of the index images, of the same model.

        Raises:
            UserError: Embeddings of another model, dimension or processing than the index, a folder whose files do not fit
                together, an id that is in two of them.
        """
        ids: list[str] = []
        shards, checksums, known = [], [], set(index.ids)
        for folder in map(Path, folders):
            facts = read_json(folder / "embeddings.json", EMBEDDINGS_FORM)
            found = [row["id"] for row in read_csv(folder / "ids.csv", ["id"])]
            shards.append(_mapped(folder, facts, len(found), index))
            twice = known.intersection(found)
            if twice or len(set(found)) != len(found):
                raise UserError("every id once in index and distractors", f"{min(twice, default='one')} twice, in {folder}",
                                "Leave it out: an image cannot be a distractor and in the index.")
            known.update(found)
            ids.extend(found)
            checksums.append(str(facts["provenance"].get("photographs_sha256", "not stated"))[:12])
        images = ", ".join(checksums)
        return cls(ids, shards, f"{len(ids):,} photographs with checksum {images}" if folders else "none")


def _mapped(folder: Path, facts: dict, ids: int, index: EmbeddingSet) -> np.ndarray:
    try:
        vectors = read_npy(folder / "embeddings.npy", mmap=True)
        expected = (facts["count"], facts["dimension"])
        if vectors.shape != expected or len(vectors) != ids or vectors.dtype not in (np.float16, np.float32):
            raise ValueError(f"{vectors.dtype} {vectors.shape} and {ids} ids instead of float16 or float32 {expected}")
        check_same_model(index.dimension, index.model_fingerprint, facts["dimension"], facts["model_fingerprint"])
        steps, here = (list(map(str, each.get("steps") or [])) for each in (index.provenance, facts["provenance"]))
    except (OSError, ValueError, KeyError, TypeError, AttributeError, EOFError) as error:
        raise UserError(f"embeddings at {folder}", str(error), "Make them again with experiments.embed.") from error
    if steps != here:
        raise UserError(f"distractors that went through the steps of the index ({'; '.join(steps) or 'none'})",
                        f"{'; '.join(here) or 'none'} in {folder}", "Post-process index and distractors together.")
    return vectors


@dataclass(frozen=True)
class Ranking:
    """Ranking of one query, as far as any protocol needs it.

    Attributes:
        labelled: The images that the ground truth labels and their 0-based places, best first; an image that was listed
            twice stands here twice.
        first: The first `FIRST` images and their scores, NaN where there are none.
    """

    labelled: Sequence[tuple[str, int]] = ()
    first: Sequence[tuple[str, float]] = ()

    @classmethod
    def of_scores(cls, scores: np.ndarray, ids: Sequence[str], rows: dict[str, int], labelled: Collection[str]) -> "Ranking":
        """Ranks by falling score, equal scores in the order of the index.

        Args:
            scores: Score of every image, float [N].
            ids: Ids of the N images.
            rows: Id of every index image of the benchmark to its place in `ids`.
            labelled: Ids that the ground truth labels.
        """
        present = [image for image in labelled if image in rows]
        places = exact_ranks(scores, [rows[image] for image in present])
        return cls(sorted(zip(present, places.tolist(), strict=True), key=lambda item: item[1]),
                   [(ids[row], float(scores[row])) for row in top_k(scores, FIRST)])

    @classmethod
    def of_ranking(cls, ranking: Sequence[str], labelled: Collection[str]) -> "Ranking":
        """Takes a list of images, best first, whole or truncated."""
        return cls([(image, place) for place, image in enumerate(ranking) if image in labelled],
                   [(image, float("nan")) for image in ranking[:FIRST]])

    def ranks(self, positives: Collection[str], junk: Collection[str] = ()) -> np.ndarray:
        """Returns the increasing ranks of the positives found, junk taken out, as `metrics.ranks.positive_ranks` does."""
        first: dict[str, int] = {}
        for image, place in self.labelled:
            if image in positives:
                first.setdefault(image, place)
        return ranks_without_junk(list(first.values()), [place for image, place in self.labelled if image in junk])


@dataclass(frozen=True)
class Rankings:
    """Rankings of all queries, from embeddings, a table of rankings, or a matrix of scores.

    Attributes:
        by_query: Query to its ranking; queries without one count as having found nothing.
        facts: Fields of the `ProtocolCard` that depend on where the rankings come from.
        depth: Number of places of the longest ranking; None where all hold the whole index.
    """

    by_query: Mapping[str, Ranking]
    facts: Mapping[str, Any]
    depth: int | None = None

    @classmethod
    def of_lists(cls, benchmark: Benchmark, lists: Mapping[str, Sequence[str]],
                 facts: Mapping[str, Any] | None = None) -> "Rankings":
        """Takes lists of images, best first, whole or truncated.

        Args:
            benchmark: Benchmark whose labelled images are looked for.
            lists: Query id to ids of images; others than index images are negatives.
            facts: Fields of the card that tell how the lists came about; unset: not stated.
        """
        told = {**card_facts(None, None, NOT_STATED), "reranking": NOT_STATED} if facts is None else facts
        by_query = {query: Ranking.of_ranking(images, frozenset(benchmark.labelled_ids(query)))
                    for query, images in lists.items()}
        whole = min(map(len, lists.values()), default=0) >= len(benchmark.index_ids)
        return cls(by_query, {"index_images": len(benchmark.index_ids), "index_images_missing": 0, **told},
                   None if whole else max(map(len, lists.values()), default=0))

    def of(self, query_id: str) -> Ranking:
        """Returns a query's ranking, an empty one where there is none."""
        return self.by_query.get(query_id, Ranking())


def select_embeddings(benchmark: Benchmark, queries: EmbeddingSet, index: EmbeddingSet) -> tuple[EmbeddingSet, EmbeddingSet]:
    """Returns the embeddings of the benchmark's queries and index images, in its order; others are left aside.

    Raises:
        UserError: Embeddings of two models, or none of the benchmark's queries or index images.
    """
    index.check_model(queries.dimension, queries.model_fingerprint)
    return (_chosen("queries", benchmark.query_ids, queries, benchmark.name),
            _chosen("index images", benchmark.index_ids, index, benchmark.name))


def _chosen(kind: str, ids: tuple[str, ...], embeddings: EmbeddingSet, name: str) -> EmbeddingSet:
    chosen = embeddings.select(ids)
    if not len(chosen):
        raise UserError(f"embeddings of the {kind} of {name}, such as {ids[0]}",
                        f"{len(embeddings)} of others, such as {embeddings.ids[0]}" if len(embeddings) else "none",
                        "Check the folders of embeddings.")
    absent = sorted(set(ids) - set(chosen.ids))
    if absent:
        notify(f"{len(absent)} of {len(ids)} {kind} have no embedding and count as not found, first {absent[0]}")
    return chosen


SCORES_AT_A_TIME = 2**27


def rank_embeddings(benchmark: Benchmark, queries: EmbeddingSet, index: EmbeddingSet,
                     distractors: Distractors | None = None) -> Rankings:
    """Ranks index images and distractors by their dot products with every query.

    Embeddings of other ids are left aside. Equal scores stand in the order of the benchmark's list, distractors last.

    Args:
        benchmark: Names queries, index images, and the images whose places are wanted.
        queries: Embeddings of the queries.
        index: Embeddings of the index images, of the same model.
        distractors: Further images that are searched.

    Raises:
        UserError: Embeddings of two models, none of the benchmark, or distractors with NaN.

    Example:
        >>> from landmark_zoo.evaluation.gldv2 import Gldv2Benchmark
        >>> benchmark = Gldv2Benchmark("toy", ("q",), ("a", "b"), {"q": frozenset("b")}, {"q": ""}, 0, "no file")
        >>> queries = EmbeddingSet(["q"], np.array([[1, 0]], np.float32), "model")
        >>> index = EmbeddingSet(["a", "b"], np.array([[0, 1], [0.6, 0.8]], np.float32), "model")
        >>> [image for image, score in rank_embeddings(benchmark, queries, index).of("q").first]
        ['b', 'a']
    """
    queries, index = select_embeddings(benchmark, queries, index)
    distractors = distractors or Distractors()
    ids, shards = [*index.ids, *distractors.ids], [index.vectors, *distractors.shards]
    rows = {image: row for row, image in enumerate(index.ids)}
    step = max(1, SCORES_AT_A_TIME // len(ids))
    by_query = {}
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for start in range(0, len(queries), step):
            some = queries.ids[start:start + step]
            try:
                with threadpool_limits(1, "blas"):
                    scores = dot_products(queries.vectors[start:start + step], shards)
            except ValueError as error:
                raise UserError("embeddings of finite numbers", str(error), "Embed them again.") from error
            labelled = map(benchmark.labelled_ids, some)
            found = pool.map(lambda row, wanted: Ranking.of_scores(row, ids, rows, wanted), scores, labelled)
            by_query.update(zip(some, found, strict=True))
    return Rankings(by_query, {
        **card_facts(queries.provenance, index.provenance, index.model_fingerprint), "distractors": distractors.description,
        "index_images": len(index), "index_images_missing": len(benchmark.index_ids) - len(index)})
