"""Entry points of evaluation: `read_benchmark` finds a ground truth, `evaluate` measures rankings against it."""

import os
from collections.abc import Iterator
from pathlib import Path

from absl import logging

from landmark_zoo.core.errors import UserError
from landmark_zoo.core.files import check_relative, write_csv, write_json
from landmark_zoo.data.datasets.google_landmarks import gldv2_path
from landmark_zoo.data.datasets.image_formats import file_name
from landmark_zoo.data.datasets.image_refs import ImageLocator, ImageRef
from landmark_zoo.data.datasets.oxford_paris import CORRUPT, IMAGE_FOLDERS, read_text_ground_truth
from landmark_zoo.evaluation.benchmark import Benchmark
from landmark_zoo.evaluation.folder import FolderBenchmark
from landmark_zoo.evaluation.gldv2 import Gldv2Benchmark
from landmark_zoo.evaluation.oxford_paris import OxfordBenchmark, RevisitedBenchmark
from landmark_zoo.evaluation.rankings import Rankings
from landmark_zoo.evaluation.results import Results

BENCHMARKS: dict[str, type[Benchmark]] = {  # by protocol; the first that recognizes a ground truth reads it
    "oxford": OxfordBenchmark,
    "revisited": RevisitedBenchmark,
    "gldv2_retrieval": Gldv2Benchmark,
    "folder": FolderBenchmark,
}
PROTOCOLS = tuple(BENCHMARKS)


def read_benchmark(folder: str | Path | None, ground_truth: str | Path | None = None, protocol: str | None = None,
                   photos: str | Path | None = None) -> Benchmark:
    """Reads a benchmark of any kind.

    A folder with `gnd_*.json` or `gnd_*.pkl` is one in the format of Oxford and Paris: `gnd_oxford5k` and `gnd_paris6k` hold
    the first benchmarks, other names revisited ones. One with the text files of the first benchmarks, in itself or in a
    folder below, is one of those too. Any other folder holds the csv files of GLDv2.

    Args:
        folder: Folder of the benchmark; not needed with `ground_truth`.
        ground_truth: Ground truth that lies elsewhere: a `gnd_*` file, or a folder of text files.
        protocol: One of `PROTOCOLS`, where the files do not tell; "folder" is never guessed.
        photos: Folder of the images; by default `folder`.

    Raises:
        UserError: Neither argument, no such file, several ground truths, or one that is broken.

    Example:
        >>> import tempfile
        >>> folder = Path(tempfile.mkdtemp())
        >>> _ = (folder / "test.csv").write_text("id\\nq\\n")
        >>> _ = (folder / "index.csv").write_text("id\\na\\nb\\n")
        >>> _ = (folder / "retrieval_solution.csv").write_text("id,images\\nq,a\\n")
        >>> read_benchmark(folder).positives
        {'q': frozenset({'a'})}
    """
    elsewhere = Path(ground_truth) if ground_truth and protocol not in ("gldv2_retrieval", "folder") else None
    if not folder and not elsewhere:
        raise UserError("a folder of the benchmark", "none", "Give --benchmark, or --ground_truth for a gnd_* file.")
    if not elsewhere and not Path(folder).is_dir():
        raise UserError(f"a folder at {folder}", "none", "Check --benchmark.")
    folder, images = (Path(path) if path else None for path in (folder, photos or folder))
    kind = BENCHMARKS[protocol] if protocol else next(
        kind for kind in BENCHMARKS.values() if kind.recognizes(folder, elsewhere))
    return kind.open(folder, elsewhere, images)


def evaluate(benchmark: Benchmark, rankings: Rankings, name: str, seed: int = 0) -> Results:
    """Measures rankings under the benchmark's own protocol.

    Args:
        benchmark: Ground truth and protocol.
        rankings: Rankings of index images, by `rank_embeddings`, `read_rankings` or `rankings_from_scores`.
        name: Name of the system in reports.
        seed: Seed of the bootstrap intervals.

    Example:
        >>> benchmark = Gldv2Benchmark("toy", ("q",), ("a", "b"), {"q": frozenset("b")}, {"q": ""}, 0, "no file")
        >>> rankings = Rankings.of_lists(benchmark, {"q": ["a", "b"]})
        >>> evaluate(benchmark, rankings, "toy model").metrics["mAP@100"].value
        0.5
    """
    return benchmark.evaluate(rankings, name, seed)


def benchmark_images(benchmark: Benchmark, locator: ImageLocator, crop: bool) -> tuple[list[ImageRef], list[ImageRef]]:
    """Returns the images of the queries and of the index; see `Benchmark.query_images`."""
    return benchmark.query_images(locator, crop), benchmark.index_images(locator)


DOWNLOADS = ("gldv2_benchmark", "oxford5k", "paris6k", "roxford5k", "rparis6k", "revisitop1m")
SKIPPED = "skipped.csv"
_KNOWN = "one of the 20 files of Paris6k that hold an error page"


def lay_out_benchmark(name: str, data_dir: Path) -> int:
    """Completes a benchmark's folder and lists what it lacks in `skipped.csv` (id, path, reason).

    Oxford5k and Paris6k get `gnd_<name>.json` from their text files, the revisited ones a link to the images of
    those; GLDv2 has its lists, and the distractors are images without a ground truth.

    Args:
        name: One of `DOWNLOADS`.
        data_dir: The data folder.

    Returns:
        The number of images that are there.

    Raises:
        UserError: A file of the ground truth is missing or broken.
    """
    folder = data_dir / ("gldv2" if name == "gldv2_benchmark" else name)
    skipped = []
    if name in ("oxford5k", "paris6k"):
        ids = {path.stem for path in (folder / "jpg").glob("*.jpg")} - CORRUPT
        write_json(folder / f"gnd_{name}.json", read_text_ground_truth(folder / "lab", ids))
    if name in IMAGE_FOLDERS and not os.path.lexists(folder / "jpg"):
        (folder / "jpg").symlink_to(Path("..", IMAGE_FOLDERS[name], "jpg"))
    if name in ("paris6k", "rparis6k"):
        skipped = [(one, path, _KNOWN) for one in sorted(CORRUPT) if (path := folder / "jpg" / f"{one}.jpg").is_file()]
    there = 0
    for image_id, path in _listed(name, folder):
        if path.is_file():
            there += 1
        else:
            skipped.append((image_id, path, "missing"))
    write_csv(folder / SKIPPED, ["id", "path", "reason"],
              ((image_id, path.relative_to(data_dir), reason) for image_id, path, reason in skipped))
    logging.info("%s: %s photographs, %s missing or known to be corrupt (%s)", name, f"{there:,}", f"{len(skipped):,}",
                 folder / SKIPPED)
    return there


def _listed(name: str, folder: Path) -> Iterator[tuple[str, Path]]:
    if name == "revisitop1m":
        for line in (folder / "revisitop1m.txt").read_text(encoding="utf-8").splitlines():
            if line.strip():
                yield line.strip(), folder / "jpg" / check_relative(line.strip(), folder / "revisitop1m.txt")
        return
    benchmark = read_benchmark(folder)
    for part, ids in (("test", benchmark.query_ids), ("index", benchmark.index_ids)):
        for image_id in ids:
            yield image_id, (Path(gldv2_path(folder / part, image_id)) if name == "gldv2_benchmark"
                             else folder / "jpg" / file_name(image_id))
