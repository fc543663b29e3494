"""What experiments.evaluate reads, made of what was unpacked."""

import os
from collections.abc import Iterator
from pathlib import Path

from absl import logging

from landmark_zoo.core.files import write_csv, write_json
from landmark_zoo.data.gldv2 import gldv2_path
from landmark_zoo.data.sources.first_ground_truth import first_ground_truth
from landmark_zoo.data.sources.paris6k import CORRUPT
from landmark_zoo.data.sources.revisited import PHOTOGRAPHS
from landmark_zoo.evaluation.read_benchmark import read_benchmark

BENCHMARKS = ("gldv2_benchmark", "oxford5k", "paris6k", "roxford5k", "rparis6k", "revisitop1m")
SKIPPED = "skipped.csv"
_KNOWN = "one of the 20 files of Paris6k that hold an error page"


def lay_out_benchmark(name: str, data_dir: Path) -> int:
    """Completes a benchmark's folder and lists what it lacks in `skipped.csv` (id, path, reason).

    Oxford5k and Paris6k get `gnd_<name>.json` from their text files, the revisited ones a link to the photographs of
    those; GLDv2 has its lists, and the distractors are photographs without a ground truth.

    Args:
        name: One of `BENCHMARKS`.
        data_dir: The data folder.

    Returns:
        The number of photographs that are there.

    Raises:
        UserError: A file of the ground truth is missing or broken.
    """
    folder = data_dir / ("gldv2" if name == "gldv2_benchmark" else name)
    skipped = []
    if name in ("oxford5k", "paris6k"):
        ids = {path.stem for path in (folder / "jpg").glob("*.jpg")} - CORRUPT
        write_json(folder / f"gnd_{name}.json", first_ground_truth(folder / "lab", ids))
    if name in PHOTOGRAPHS and not os.path.lexists(folder / "jpg"):
        (folder / "jpg").symlink_to(Path("..", PHOTOGRAPHS[name], "jpg"))
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
                yield line.strip(), folder / "jpg" / line.strip()
        return
    benchmark = read_benchmark(folder)
    for part, ids in (("test", benchmark.query_ids), ("index", benchmark.index_ids)):
        for image_id in ids:
            yield image_id, (Path(gldv2_path(folder / part, image_id)) if name == "gldv2_benchmark"
                             else folder / "jpg" / f"{image_id}.jpg")
