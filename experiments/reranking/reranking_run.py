"""Models measured on a benchmark, and their rankings re-ranked."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from experiments.reranking.first_lists import DEPTH, FirstList, first_lists
from experiments.reranking.measured_row import MeasuredRow
from experiments.reranking.outside_benchmark import Outside
from experiments.reranking.rerank_lists import rerank_lists
from landmark_zoo.data.locator import ImageLocator
from landmark_zoo.evaluation.benchmark_pictures import benchmark_pictures
from landmark_zoo.evaluation.gldv2 import Gldv2Benchmark
from landmark_zoo.metrics.average_precision_at_k import average_precision_at_k
from landmark_zoo.metrics.ranks import positive_ranks
from landmark_zoo.retrieval.embed import embed
from landmark_zoo.retrieval.embedding_set import EmbeddingSet
from landmark_zoo.retrieval.model_input import model_input
from landmark_zoo.retrieval.rerank.fusion import Fusion, ScoredList
from landmark_zoo.retrieval.rerank.photograph_reader import photograph_reader
from landmark_zoo.retrieval.rerank.reranker import Reranker
from landmark_zoo.retrieval.saved_model import EmbeddingModel
from landmark_zoo.retrieval.write_rankings import write_rankings

TIMED = 10


@dataclass(frozen=True)
class RerankingRun:
    """Where everything lies.

    Attributes:
        benchmark: What is measured on.
        outside: Photographs that v and the codebooks are fitted on.
        locator: Finds the photographs.
        output: Gets embeddings, fusions, rankings; an interrupted run goes on there.
        max_side: Pixels to which photographs are shrunk for local features.
        strict: Stop at the first bad or missing photograph, instead of passing over it.
        seed: Of MAGSAC and k-means.
    """

    benchmark: Gldv2Benchmark
    outside: Outside
    locator: ImageLocator
    output: Path
    max_side: int
    strict: bool
    seed: int

    def read(self, image_id: str) -> np.ndarray:
        """Returns a photograph, uint8 RGB [H, W, 3]; see `photograph_reader`."""
        return photograph_reader(self.locator, self.max_side)(image_id)

    def measure(self, model: EmbeddingModel, name: str, title: str) -> tuple[MeasuredRow, dict[str, FirstList]]:
        """Ranks by a model's embeddings alone; returns its row and its lists."""
        lists = self._first_lists(model, name, self.benchmark)
        measured = self._measured({query: each.ids for query, each in lists.items()})
        return MeasuredRow(name, title, measured, self._search_ms(model)), lists

    def rerank(self, model: EmbeddingModel, before: MeasuredRow, lists: Mapping[str, FirstList],
               rerankers: Mapping[str, Reranker], titles: Mapping[str, str]) -> list[MeasuredRow]:
        """Re-ranks the lists of a model by each re-ranker, its weight fitted outside the benchmark.

        Args:
            model: Whose lists they are; it also ranks the validation photographs.
            before: The model's row, as `measure` returns it.
            lists: Query to list, as `measure` returns them.
            rerankers: Name to re-ranker.
            titles: Name to words.

        Returns:
            A row for each re-ranker; its fusion and rankings lie in `output / name`.
        """
        validation = self._first_lists(model, "validation", self.outside.validation)
        facts = {"depth": DEPTH, "model_fingerprint": model.fingerprint,
                 **{part: EmbeddingSet.load(self.output / "embeddings" / before.name / part).provenance
                    for part in ("queries", "index")}}
        rows = []
        for name, reranker in rerankers.items():
            tried = rerank_lists(reranker, validation, self.read, f"{name}, validation")
            fusion = Fusion().fit([self._scored(query, validation[query], local) for query, local in tried.scores.items()])
            fusion.save(self.output / name / "fusion.json")
            done = rerank_lists(reranker, lists, self.read, name)
            rankings = {query: [lists[query].ids[row] for row in fusion.order(lists[query].scores, local)]
                        for query, local in done.scores.items()}
            write_rankings(self.output / name, list(rankings), list(rankings.values()),
                           {"method": titles[name], **facts,
                            "settings": {"v": fusion.v, "max_side": self.max_side, "seed": self.seed}})
            rows.append(MeasuredRow(name, titles[name], self._measured(rankings), done.query_ms, fusion.v, done.describe_ms))
        return rows

    def _first_lists(self, model: EmbeddingModel, name: str, benchmark: Gldv2Benchmark) -> dict[str, FirstList]:
        pictures = benchmark_pictures(benchmark, self.locator, crop=False)
        queries, index = (embed(model, part, self.output / "embeddings" / name / kind, strict=self.strict)
                          for kind, part in zip(("queries", "index"), pictures, strict=True))
        return first_lists(benchmark, queries, index)

    def _scored(self, query: str, found: FirstList, local: np.ndarray) -> ScoredList:
        positives = self.outside.validation.positives[query]
        return ScoredList(found.scores, local, np.array([image in positives for image in found.ids]), len(positives))

    def _measured(self, rankings: Mapping[str, Sequence[str]]) -> dict[str, float]:
        """Returns AP@100 of every query; one without a ranking counts 0."""
        positives = self.benchmark.positives
        return {query: average_precision_at_k(positive_ranks(rankings.get(query, []), positives[query]),
                                              len(positives[query]), DEPTH) for query in self.benchmark.query_ids}

    def _search_ms(self, model: EmbeddingModel) -> float:
        """Returns the median time to embed one query's file; the search itself takes less than a millisecond."""
        seconds = []
        for picture in benchmark_pictures(self.benchmark, self.locator, crop=False)[0][:TIMED]:
            start = time.perf_counter()
            model.embed_bytes([model_input(picture)])
            seconds.append(time.perf_counter() - start)
        return 1000 * float(np.median(seconds))
