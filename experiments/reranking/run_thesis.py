"""E1 to E7 of arXiv 2208.04201 on any benchmark in GLDv2's files."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from experiments.reranking.first_lists import DEPTH, FirstList, first_lists
from experiments.reranking.outside_benchmark import Outside
from experiments.reranking.rerank_lists import rerank_lists
from experiments.reranking.thesis_rerankers import thesis_rerankers
from experiments.reranking.thesis_row import ThesisRow
from landmark_zoo.data.locator import ImageLocator
from landmark_zoo.evaluation.benchmark_pictures import benchmark_pictures
from landmark_zoo.evaluation.gldv2 import Gldv2Benchmark
from landmark_zoo.metrics.average_precision_at_k import average_precision_at_k
from landmark_zoo.metrics.ranks import positive_ranks
from landmark_zoo.retrieval.embed import embed
from landmark_zoo.retrieval.model_input import model_input
from landmark_zoo.retrieval.rerank.fusion import Fusion, ScoredList
from landmark_zoo.retrieval.rerank.photograph_reader import photograph_reader
from landmark_zoo.retrieval.saved_model import EmbeddingModel
from landmark_zoo.retrieval.write_rankings import write_rankings

NAMES = ("E1", "E2", "E3", "E4")
TIMED = 10


@dataclass(frozen=True)
class Thesis:
    """Where everything lies.

    Attributes:
        benchmark: What is measured on.
        outside: Photographs that v and the codebook are fitted on.
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

    def run(self, models: Sequence[EmbeddingModel | None]) -> list[ThesisRow]:
        """Measures the models, then re-ranks the rankings of the last one.

        Args:
            models: Of E1, E2, E3, E4; None for a missing one.

        Returns:
            Seven rows.

        Raises:
            UserError: The last model has no local features.
        """
        last = next(model for model in reversed(models) if model is not None)
        last.check_local()
        rows, lists = [], {}
        for name, model in zip(NAMES, models, strict=True):
            if model is None:
                rows.append(ThesisRow(name, {}))
                continue
            lists = self._first_lists(model, name, self.benchmark)
            rows.append(ThesisRow(name, self._measured({query: each.ids for query, each in lists.items()}),
                                  self._search_ms(model)))
        return rows + self._reranked(last, lists)

    def _reranked(self, model: EmbeddingModel, lists: Mapping[str, FirstList]) -> list[ThesisRow]:
        read = photograph_reader(self.locator, self.max_side)
        rerankers = thesis_rerankers(model, read, self.outside.others, self.seed)
        validation = self._first_lists(model, "validation", self.outside.validation)
        rows = []
        for name, reranker in rerankers.items():
            tried = rerank_lists(reranker, validation, read, f"{name}, validation")
            fusion = Fusion().fit([self._scored(query, validation[query], local) for query, local in tried.scores.items()])
            fusion.save(self.output / name / "fusion.json")
            done = rerank_lists(reranker, lists, read, name)
            rankings = {query: [lists[query].ids[row] for row in fusion.order(lists[query].scores, local)]
                        for query, local in done.scores.items()}
            write_rankings(self.output / name, list(rankings), list(rankings.values()),
                           {"re-ranking": name, "v": fusion.v, "max_side": self.max_side, "seed": self.seed})
            rows.append(ThesisRow(name, self._measured(rankings), done.query_ms, fusion.v, done.describe_ms))
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
