"""From folders to a run."""

from pathlib import Path

from experiments.reranking.config import RerankingConfig
from experiments.reranking.outside_benchmark import outside_benchmark
from experiments.reranking.reranking_run import RerankingRun
from landmark_zoo.data.folder import read_folder
from landmark_zoo.data.locator import ImageLocator
from landmark_zoo.evaluation.read_benchmark import read_benchmark


def prepare_run(config: RerankingConfig, benchmark: str, photos: str, output: str) -> tuple[RerankingRun, dict[str, str]]:
    """Reads benchmark and photographs, and draws those that settings are fitted on.

    Args:
        config: How many, and the rest.
        benchmark: Folder with GLDv2's csv files.
        photos: Folder of photographs, one folder per landmark: the benchmark's and others.
        output: Result folder.

    Returns:
        The run, and the landmark of each photograph.

    Raises:
        UserError: Too few photographs outside the benchmark, or folders that are not what they should be.
    """
    measured, catalogue = read_benchmark(benchmark, protocol="gldv2_retrieval"), read_folder([photos])
    outside = outside_benchmark(catalogue, measured, config.validation_queries, config.validation_index,
                                config.codebook_photographs, config.seed)
    run = RerankingRun(measured, outside, ImageLocator(photos), Path(output), config.max_side, config.strict, config.seed)
    return run, {entry.id: entry.landmark_id for entry in catalogue}
