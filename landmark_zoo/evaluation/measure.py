"""Any answers on any benchmark."""

from landmark_zoo.evaluation.answers import Answers
from landmark_zoo.evaluation.folder_benchmark import FolderBenchmark
from landmark_zoo.evaluation.gldv2 import Gldv2Benchmark
from landmark_zoo.evaluation.graded_benchmark import GradedBenchmark
from landmark_zoo.evaluation.measure_folder import measure_folder
from landmark_zoo.evaluation.measure_gldv2 import measure_gldv2
from landmark_zoo.evaluation.measure_graded import measure_graded
from landmark_zoo.evaluation.results import Results


def measure(benchmark: Gldv2Benchmark | GradedBenchmark | FolderBenchmark, answers: Answers, name: str,
            seed: int = 0) -> Results:
    """Measures under the benchmark's own protocol.

    Args:
        benchmark: What should be found.
        answers: What was found, by `embedded_answers`, `ranked_answers` or `scored_answers`.
        name: What the report will call it.
        seed: Of the bootstrap.
    """
    if isinstance(benchmark, GradedBenchmark):
        return measure_graded(benchmark, answers, name, seed)
    if isinstance(benchmark, FolderBenchmark):
        return measure_folder(benchmark, answers, name, seed)
    return measure_gldv2(benchmark, answers, name, seed)
