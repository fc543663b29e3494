"""From a folder to the benchmark in it."""

from pathlib import Path

from landmark_zoo.core.errors import UserError
from landmark_zoo.evaluation.gldv2 import Gldv2Benchmark
from landmark_zoo.evaluation.revisited import RevisitedBenchmark

PROTOCOLS = ("gldv2_retrieval", "revisited")


def read_benchmark(folder: str | Path | None, ground_truth: str | Path | None = None,
                   protocol: str | None = None) -> Gldv2Benchmark | RevisitedBenchmark:
    """Reads a benchmark and finds out of which kind it is.

    A folder with `gnd_*.json` or `gnd_*.pkl` is one in the format of Revisited Oxford and Paris, any other one in
    GLDv2's.

    Args:
        folder: The benchmark's folder; not needed with `ground_truth`.
        ground_truth: A revisited ground truth that lies elsewhere.
        protocol: "gldv2_retrieval" or "revisited", where the folder holds both.

    Raises:
        UserError: Neither argument, no such file, several ground truths, or one that is broken.
    """
    if ground_truth and protocol != "gldv2_retrieval":
        return RevisitedBenchmark.read(ground_truth)
    if not folder:
        raise UserError("a folder of the benchmark", "none", "Give --benchmark, or --ground_truth for a revisited one.")
    folder = Path(folder)
    if not folder.is_dir():
        raise UserError(f"a folder at {folder}", "none", "Check --benchmark.")
    found = {path.stem: path for suffix in ("pkl", "json") for path in sorted(folder.glob(f"gnd_*.{suffix}"))}
    if protocol == "gldv2_retrieval" or (protocol is None and not found):
        return Gldv2Benchmark.read(folder)
    if len(found) != 1:
        raise UserError(f"one ground truth gnd_*.json or gnd_*.pkl in {folder}", ", ".join(sorted(found)) or "none",
                        "Name it with --ground_truth.")
    return RevisitedBenchmark.read(found.popitem()[1])
