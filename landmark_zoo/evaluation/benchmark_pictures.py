"""The picture files of a benchmark."""

from landmark_zoo.data.locator import ImageLocator
from landmark_zoo.evaluation.gldv2 import Gldv2Benchmark
from landmark_zoo.evaluation.graded_benchmark import GradedBenchmark
from landmark_zoo.retrieval.picture import Picture


def benchmark_pictures(benchmark: Gldv2Benchmark | GradedBenchmark, locator: ImageLocator,
                       crop: bool) -> tuple[list[Picture], list[Picture]]:
    """Returns the pictures of the queries and of the index.

    Args:
        benchmark: Says which.
        locator: Says where they lie.
        crop: Whether queries are cut to the boxes that the benchmarks of Oxford and Paris have.

    Raises:
        UserError: Several files for one id.
    """
    queries = [Picture.located(query, locator) for query in benchmark.query_ids]
    if crop and isinstance(benchmark, GradedBenchmark):
        queries = [query._replace(box=box) for query, box in zip(queries, benchmark.boxes, strict=True)]
    return queries, [Picture.located(image, locator) for image in benchmark.index_ids]
