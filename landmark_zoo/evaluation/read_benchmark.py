"""From a folder to the benchmark in it."""

from pathlib import Path

from landmark_zoo.core.errors import UserError
from landmark_zoo.data.photograph import SUFFIXES
from landmark_zoo.data.sources.paris6k import CORRUPT
from landmark_zoo.evaluation.folder_benchmark import FolderBenchmark
from landmark_zoo.evaluation.gldv2 import Gldv2Benchmark
from landmark_zoo.evaluation.graded_benchmark import GradedBenchmark
from landmark_zoo.evaluation.oxford import NAMES, OxfordBenchmark
from landmark_zoo.evaluation.revisited import RevisitedBenchmark

PROTOCOLS = ("gldv2_retrieval", "revisited", "oxford", "folder")
_TEXTS = "*_query.txt"


def read_benchmark(folder: str | Path | None, ground_truth: str | Path | None = None, protocol: str | None = None,
                   photos: str | Path | None = None) -> Gldv2Benchmark | GradedBenchmark | FolderBenchmark:
    """Reads a benchmark and finds out of which kind it is.

    A folder with `gnd_*.json` or `gnd_*.pkl` is one in the format of Oxford and Paris: `gnd_oxford5k` and `gnd_paris6k` hold
    the first benchmarks, other names revisited ones. One with the text files of the first benchmarks, in itself or in a
    folder below, is one of those too; its index images are all pictures below `photos`, less the 20 of Paris that were
    never readable. Any other folder holds the csv files of GLDv2.

    Args:
        folder: The benchmark's folder; not needed with `ground_truth`.
        ground_truth: A `gnd_*` file, or a folder of text files, that lies elsewhere.
        protocol: One of `PROTOCOLS`, where the files do not tell; "folder" is never guessed.
        photos: Folder of the photographs; by default `folder`.

    Raises:
        UserError: Neither argument, no such file, several ground truths, or one that is broken.
    """
    if ground_truth and protocol not in ("gldv2_retrieval", "folder"):
        return _graded(Path(ground_truth), protocol, photos or folder)
    if not folder:
        raise UserError("a folder of the benchmark", "none", "Give --benchmark, or --ground_truth for a gnd_* file.")
    folder = Path(folder)
    if not folder.is_dir():
        raise UserError(f"a folder at {folder}", "none", "Check --benchmark.")
    if protocol == "folder":
        return FolderBenchmark.read(folder)
    found = {path.stem: path for suffix in ("pkl", "json") for path in sorted(folder.glob(f"gnd_*.{suffix}"))}
    texts = _texts(folder) if not found and protocol in (None, "oxford") else None
    if protocol == "gldv2_retrieval" or (protocol is None and not found and not texts):
        return Gldv2Benchmark.read(folder)
    if texts:
        return _graded(texts, "oxford", photos or folder)
    if len(found) != 1:
        raise UserError(f"one ground truth gnd_*.json or gnd_*.pkl in {folder}", ", ".join(sorted(found)) or "none",
                        "Name it with --ground_truth.")
    return _graded(found.popitem()[1], protocol, photos or folder)


def _graded(path: Path, protocol: str | None, photos: str | Path | None) -> GradedBenchmark:
    if path.is_dir():
        if not photos:
            raise UserError(f"photographs with the text files in {path}", "none", "Give --photos.")
        index_ids = {picture.stem for picture in Path(photos).rglob("*") if picture.suffix.lower() in SUFFIXES} - CORRUPT
        return OxfordBenchmark.read_texts(path, index_ids, Path(photos).resolve().name)
    first = path.stem.removeprefix("gnd_") in NAMES if protocol is None else protocol == "oxford"
    return (OxfordBenchmark if first else RevisitedBenchmark).read(path)


def _texts(folder: Path) -> Path | None:
    """Returns the folder, it or one in it, that holds the text files of the first benchmarks."""
    places = (folder, *sorted(filter(Path.is_dir, folder.iterdir())))
    return next((place for place in places if any(place.glob(_TEXTS))), None)
