"""Cost of building records by Apache Beam: images per second with one and two workers, and memory."""

import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from landmark_zoo.data.datasets.folder import read_folder
from landmark_zoo.data.datasets.image_list import ImageEntry, ImageList

GLDV2_CLEAN = 1_580_470
_CHILD = "from experiments.benchmarks import build; import sys; build.build_once(*sys.argv[1:])"
_DRAWN, _LANDMARKS, _SHARDS = 100, 1000, 32


def measure_build(photos: str | None, tiny: Sequence[int] = (10_000, 100_000), workers: Sequence[int] = (1, 2)) -> str:
    """Builds records in processes of their own and returns a table.

    Args:
        photos: Folder of images, built with each number of workers; without it, tiny images by one worker.
        tiny: Numbers of tiny images.
        workers: Numbers of processes.
    """
    lines = ["| pictures | workers | seconds | pictures per second | GLDv2-clean, hours | peak memory, MiB |",
             "|---|---|---|---|---|---|"]
    with tempfile.TemporaryDirectory() as folder:
        if photos:
            runs = [(photos, 0, count) for count in workers]
        else:
            drawn = draw_tiny(Path(folder, "tiny"))
            runs = [(drawn, images, 1) for images in tiny]
        lines += [_row(*run, Path(folder, f"records{number}")) for number, run in enumerate(runs)]
    return "\n".join(lines)


def _row(photos: str, images: int, workers: int, records: Path) -> str:
    done = subprocess.run([sys.executable, "-c", _CHILD, photos, str(images), str(workers), str(records)],
                          capture_output=True, text=True, check=True)
    facts = json.loads(done.stdout.splitlines()[-1])
    return (f"| {facts['pictures']:,} | {workers} | {facts['seconds']:.0f} | {facts['speed']:.1f} | "
            f"{GLDV2_CLEAN / facts['speed'] / 3600:.1f} | {facts['memory']:.0f} |")


def build_once(photos: str, images: str, workers: str, records: str) -> None:
    """Builds records of a folder and prints seconds, speed and peak memory as JSON.

    Args:
        photos: Folder of images.
        images: Number of images, taken from the folder's in turn; "0" for each one once.
        workers: Processes; with 1, this one.
        records: Folder of the new records.
    """
    from apache_beam.options.pipeline_options import PipelineOptions

    from landmark_zoo.data.tfds.base import shards_by_beam
    from landmark_zoo.data.writer import write_records

    mode = "in_memory" if workers == "1" else "multi_processing"
    options = PipelineOptions([f"--direct_num_workers={workers}", f"--direct_running_mode={mode}"])
    catalogue = _repeated(read_folder([photos]), int(images)) if int(images) else read_folder([photos])
    start = time.monotonic()
    manifest = write_records(
        catalogue, records, split="train", num_shards=_SHARDS, seed=0, max_side=512,
        write_shards=lambda directory, plan, todo: shards_by_beam(directory, plan, todo, options=options))
    seconds = time.monotonic() - start
    peak = max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    print(json.dumps({"pictures": manifest.num_examples, "seconds": seconds, "speed": _speed(manifest, int(workers)),
                      "memory": peak / 1024}))


def draw_tiny(folder: Path) -> str:
    """Writes 100 images of 32 x 32 px and returns their folder."""
    (folder / "a").mkdir(parents=True)
    random = np.random.default_rng(0)
    for number in range(_DRAWN):
        Image.fromarray(random.integers(0, 256, (32, 32, 3), dtype=np.uint8)).save(folder / "a" / f"{number}.jpg")
    return str(folder)


def _repeated(catalogue: ImageList, images: int) -> ImageList:
    return ImageList(tuple(ImageEntry(f"{number:016x}", catalogue.entries[number % len(catalogue)].path,
                                 str(number % _LANDMARKS)) for number in range(images)), catalogue.source)


def _speed(manifest, workers: int) -> float:
    """Returns images per second once all workers run: from the time each has written a file to the last file."""
    times = sorted((Path(file).stat().st_mtime, shard.examples)
                   for file, shard in zip(manifest.files, manifest.shards, strict=True))
    return sum(examples for _, examples in times[workers:]) / (times[-1][0] - times[workers - 1][0])
