"""Runs of re-ranking: rank by embeddings, re-rank the first images by local features, evaluate, compare.

`experiments.rerank` and `experiments.paper_2208_04201` share it. Rankings are written in the form of a GLDv2
submission and measured as `experiments.evaluate` would measure them.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from landmark_zoo.core.errors import MAX_SEED, check_range, printable
from landmark_zoo.core.files import write_csv, write_json
from landmark_zoo.core.parallel import progress
from landmark_zoo.core.provenance import resolved_flags
from landmark_zoo.data.datasets.folder import read_folder
from landmark_zoo.data.datasets.image_refs import ImageLocator, model_input
from landmark_zoo.data.datasets.images import InvalidImageError
from landmark_zoo.evaluation.comparison import Comparison
from landmark_zoo.evaluation.gldv2 import Gldv2Benchmark, validation_split
from landmark_zoo.evaluation.protocols import benchmark_images, evaluate, read_benchmark
from landmark_zoo.evaluation.ranking_files import read_rankings, write_rankings
from landmark_zoo.evaluation.rankings import FIRST, Rankings, rank_embeddings
from landmark_zoo.evaluation.results import Results
from landmark_zoo.retrieval.embed import EmbedConfig, embed
from landmark_zoo.retrieval.embedding_set import EmbeddingSet
from landmark_zoo.retrieval.rerank.base import Reranker, image_reader
from landmark_zoo.retrieval.rerank.fusion import Fusion, ScoredList
from landmark_zoo.saved_model import SavedModel

HEADER = ("row", "what", "mAP@100", "95 % interval", "Private", "Public", "ms per query", "v")
DASH = "-"
TIMED = 10
LEAST_SIDE = 32


@dataclass(frozen=True)
class RerankingConfig:
    """Settings that the re-ranking scripts share.

    Attributes:
        validation_queries: Number of queries of landmarks outside the benchmark that v is fitted on.
        validation_index: Number of index images that they search.
        codebook_photographs: Number of images that codebooks are fitted on.
        max_side: Longer side in pixels to which images are shrunk for local features.
        strict: Stop at the first bad or missing image.
        seed: Seed of the draw, k-means, MAGSAC and the bootstrap.

    Raises:
        UserError: A count below 1, or a side below 32.
    """

    validation_queries: int = 60
    validation_index: int = 600
    codebook_photographs: int = 300
    max_side: int = 512
    strict: bool = False
    seed: int = 0

    def __post_init__(self):
        for name in ("validation_queries", "validation_index", "codebook_photographs"):
            check_range(name, getattr(self, name), 1, 1_000_000)
        check_range("max_side", self.max_side, LEAST_SIDE, 8192)
        check_range("seed", self.seed, 0, MAX_SEED)


@dataclass(frozen=True)
class MeasuredRow:
    """One system of the table.

    Attributes:
        name: Short name, for columns and folders: "E5", "sift".
        title: Description in words.
        results: Results; None where the model is missing.
        query_ms: Milliseconds for one query; of re-ranking, without the search before it.
        v: Fitted weight of the global score, of re-ranking only.
    """

    name: str
    title: str
    results: Results | None = None
    query_ms: float | None = None
    v: float | None = None


@dataclass(frozen=True)
class RerankingRun:
    """Benchmark, images and output of a run.

    Attributes:
        benchmark: Benchmark that is measured on.
        validation: Queries and index images of other landmarks, to fit v on.
        others: Ids of further images of other landmarks, to fit codebooks on.
        landmarks: Image id to landmark.
        locator: Finds the images.
        output: Folder of embeddings, fusions, rankings and tables; an interrupted run goes on there.
        config: Settings of the run.
    """

    benchmark: Gldv2Benchmark
    validation: Gldv2Benchmark
    others: tuple[str, ...]
    landmarks: Mapping[str, str]
    locator: ImageLocator
    output: Path
    config: RerankingConfig

    @classmethod
    def prepare(cls, config: RerankingConfig, benchmark: str, photos: str, output: str) -> "RerankingRun":
        """Reads benchmark and images, and draws those that settings are fitted on.

        Args:
            config: Settings.
            benchmark: Folder with GLDv2's csv files.
            photos: Folder of images, one folder per landmark: the benchmark's and others.
            output: Result folder.

        Raises:
            UserError: Too few images outside the benchmark, or folders that are not what they should be.
        """
        measured, catalogue = read_benchmark(benchmark, protocol="gldv2_retrieval"), read_folder([photos])
        validation, others = validation_split(catalogue, measured, config.validation_queries, config.validation_index,
                                              config.codebook_photographs, config.seed)
        return cls(measured, validation, others, {entry.id: entry.landmark_id for entry in catalogue}, ImageLocator(photos),
                   Path(output), config)

    def read(self, image_id: str) -> np.ndarray:
        """Returns an image, uint8 RGB [H, W, 3]; see `image_reader`."""
        return image_reader(self.locator, self.config.max_side)(image_id)

    def measure(self, model: SavedModel, name: str, title: str) -> tuple[MeasuredRow, Rankings]:
        """Ranks by a model's embeddings alone; returns its row and its rankings."""
        rankings = self._rank(model, name, self.benchmark)
        return MeasuredRow(name, title, self._evaluate(rankings, name), self._query_ms(model)), rankings

    def rerank(self, model: SavedModel, before: MeasuredRow, rankings: Rankings, rerankers: Mapping[str, Reranker],
               titles: Mapping[str, str]) -> list[MeasuredRow]:
        """Re-ranks the first images of a model by each re-ranker, its weight v fitted outside the benchmark.

        Args:
            model: Model whose rankings they are; it also ranks the validation images.
            before: The model's row, as `measure` returns it.
            rankings: The model's rankings, as `measure` returns them.
            rerankers: Name to re-ranker.
            titles: Name to description.

        Returns:
            A row for each re-ranker; its fusion and rankings lie in `output / name`.
        """
        validation = self._rank(model, "validation", self.validation)
        facts = {"depth": FIRST, "model_fingerprint": model.fingerprint,
                 **{part: EmbeddingSet.load(self.output / "embeddings" / before.name / part).provenance
                    for part in ("queries", "index")}}
        rows = []
        for name, reranker in rerankers.items():
            folder = self.output / name
            tried, _ = rerank_first(reranker, validation, self.read, f"{name}, validation")
            fusion = Fusion().fit([self._scored(query, *tried[query]) for query in tried])
            fusion.save(folder / "fusion.json")
            done, query_ms = rerank_first(reranker, rankings, self.read, name)
            reordered = {query: [images[row][0] for row in fusion.order(_scores(images), local)]
                         for query, (images, local) in done.items()}
            write_rankings(folder, list(reordered), list(reordered.values()), {
                "method": titles[name], **facts,
                "settings": {"v": fusion.v, "max_side": self.config.max_side, "seed": self.config.seed}})
            results = self._evaluate(read_rankings(self.benchmark, folder / "rankings.csv"), name)
            rows.append(MeasuredRow(name, titles[name], results, query_ms, fusion.v))
        return rows

    def write_table(self, first: Sequence[MeasuredRow], before: MeasuredRow, reranked: Sequence[MeasuredRow]) -> None:
        """Writes table.csv, per_query.csv and flags.json; prints the table, and what each re-ranking changed.

        Args:
            first: Rows without re-ranking.
            before: The one of them that was re-ranked.
            reranked: Rows of the re-rankings.
        """
        rows = [*first, *reranked]
        table, measured = [table_cells(row) for row in rows], [row for row in rows if row.results]
        write_csv(self.output / "table.csv", HEADER, table)
        write_csv(self.output / "per_query.csv", ["query_id", *(row.name for row in measured)],
                  ([query, *(f"{row.results.average_precision[query]:.6f}" for row in measured)]
                   for query in self.benchmark.query_ids))
        write_json(self.output / "flags.json", resolved_flags())
        print(aligned_text([HEADER, *table]))
        for row in reranked:
            print("\n".join(effect(row, before, self.landmarks, self.config.seed)))

    def _rank(self, model: SavedModel, name: str, benchmark: Gldv2Benchmark) -> Rankings:
        images = benchmark_images(benchmark, self.locator, crop=False)
        queries, index = (embed(model, part, self.output / "embeddings" / name / kind,
                                EmbedConfig(strict=self.config.strict))
                          for kind, part in zip(("queries", "index"), images, strict=True))
        return rank_embeddings(benchmark, queries, index)

    def _evaluate(self, rankings: Rankings, name: str) -> Results:
        return evaluate(self.benchmark, rankings, name, self.config.seed)

    def _scored(self, query: str, images: Sequence[tuple[str, float]], local: np.ndarray) -> ScoredList:
        positives = self.validation.positives[query]
        return ScoredList(_scores(images), local, np.array([image in positives for image, _ in images]), len(positives))

    def _query_ms(self, model: SavedModel) -> float:
        """Returns the median time to embed one query's file; the search itself takes less than a millisecond."""
        seconds = []
        for image in benchmark_images(self.benchmark, self.locator, crop=False)[0][:TIMED]:
            start = time.perf_counter()
            model.embed_bytes([model_input(image)])
            seconds.append(time.perf_counter() - start)
        return 1000 * float(np.median(seconds))


def _scores(images: Sequence[tuple[str, float]]) -> np.ndarray:
    return np.array([score for _, score in images], np.float32)


def rerank_first(reranker: Reranker, rankings: Rankings, read: Callable[[str], np.ndarray], description: str,
                 ) -> tuple[dict[str, tuple[Sequence[tuple[str, float]], np.ndarray]], float]:
    """Compares every query with the first images of its ranking; each image is described once.

    Args:
        reranker: Describes and compares images.
        rankings: Rankings with scores.
        read: Function from an id to its image; a candidate without one is not compared.
        description: Text of the progress line.

    Returns:
        Query to its first images and their local scores, float64, NaN where a candidate was not compared; and the median
        milliseconds of a query: its description and all comparisons, the candidates' descriptions kept.
    """
    described = {}
    candidates = dict.fromkeys(image_id for ranking in rankings.by_query.values() for image_id, _ in ranking.first)
    for image_id in progress(candidates, f"{description}: describing"):
        try:
            described[image_id] = reranker.describe(read(image_id))
        except InvalidImageError as error:
            described[image_id] = error

    def fetch(image_id: str):
        if isinstance(described[image_id], InvalidImageError):
            raise described[image_id]
        return described[image_id]

    scored, seconds = {}, []
    for query, ranking in progress(rankings.by_query.items(), f"{description}: re-ranking", unit="list"):
        ids = [image_id for image_id, _ in ranking.first]
        image, start = read(query), time.perf_counter()
        reranked = reranker.rerank(image, ids, fetch)
        seconds.append(time.perf_counter() - start)
        scored[query] = ranking.first, reranked.scores_of(ids)
    return scored, 1000 * float(np.median(seconds))


def table_cells(row: MeasuredRow) -> tuple[str, ...]:
    """Returns the cells of a row under `HEADER`, in per cent; dashes where the model is missing."""
    if row.results is None:
        return (row.name, row.title, *(DASH,) * (len(HEADER) - 2))
    metrics = row.results.metrics
    whole, *parts = (metrics.get(name) for name in ("mAP@100", "mAP@100/Private", "mAP@100/Public"))
    return (row.name, row.title, f"{100 * whole.value:.2f}", f"{100 * whole.low:.1f} to {100 * whole.high:.1f}",
            *(f"{100 * part.value:.2f}" if part else DASH for part in parts), f"{row.query_ms:.1f}",
            DASH if row.v is None else f"{row.v:.2f}")


def aligned_text(table: Sequence[Sequence[str]]) -> str:
    """Returns one line per row, columns as wide as their widest cell."""
    table = [[printable(cell) for cell in line] for line in table]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
                     for line in table)


def effect(row: MeasuredRow, before: MeasuredRow, landmarks: Mapping[str, str], seed: int = 0) -> list[str]:
    """Returns lines on what re-ranking changed, and on which landmarks it made the rankings worse.

    Args:
        row: Row after re-ranking.
        before: Row that was re-ranked.
        landmarks: Query to landmark.
        seed: Seed of the bootstrap over queries.
    """
    found = Comparison.of("mAP@100", before.results.average_precision, row.results.average_precision, seed)
    mean, low, high = (100 * value for value in (found.value, found.low, found.high))
    better, worse, equal = found.wins_losses_ties
    head = (f"{row.name} against {before.name}: {mean:+.2f} [{low:+.2f}, {high:+.2f}]; "
            f"{better} queries better, {worse} worse, {equal} equal")
    by_landmark: dict[str, list[float]] = {}
    for query, (earlier, later) in found.queries.items():
        by_landmark.setdefault(landmarks.get(query, "?"), []).append(later - earlier)
    falls = sorted((float(np.mean(values)), name, len(values)) for name, values in by_landmark.items())
    return [head, *(f"  worse on {printable(name)}: {100 * value:+.2f} over {count} queries" for value, name, count in falls
                    if value < -1e-9)]
