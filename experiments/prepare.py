"""Fetches photographs and writes training, validation and test records of them, or lays out a benchmark.

    python -m experiments.prepare --photos=DIR --output=DIR
    python -m experiments.prepare --source=table --photos=photos.csv --output=DIR
    python -m experiments.prepare --source=gldv2_clean --data_dir=DIR --shards=512 --exclude=rgldv2
    python -m experiments.prepare --source=gldv1 --data_dir=DIR --top_classes=27 --validation_fraction=0.15
    python -m experiments.prepare --source=roxford5k --data_dir=DIR
    python -m experiments.prepare --source=gldv2 --data_dir=DIR --dry_run

With --photos the photographs are there; otherwise what is missing in --data_dir is downloaded first. Started again after an
interruption, it goes on where it was.
"""

from pathlib import Path

from absl import flags, logging

from experiments.preparation.choose_landmarks import choose_landmarks
from experiments.preparation.fetch_collection import fetch_collection
from experiments.preparation.into_parts import into_parts
from experiments.preparation.lay_out_benchmark import BENCHMARKS, lay_out_benchmark
from experiments.preparation.part_with_duplicates import part_with_duplicates
from experiments.preparation.read_photographs import read_photographs
from experiments.preparation.sfm_listing import sfm_listing
from landmark_zoo.core.errors import UserError
from landmark_zoo.core.files import write_csv
from landmark_zoo.core.lock import lock_directory
from landmark_zoo.core.script import run
from landmark_zoo.data.catalogue import Catalogue
from landmark_zoo.data.label_map import LabelMap
from landmark_zoo.data.sfm import read_sfm
from landmark_zoo.data.sources.gldv1 import gldv1_addresses
from landmark_zoo.data.sources.sources import SOURCES

_PICTURES_PER_SHARD, _LEAST_SHARDS = 2000, 8

_SOURCE = flags.DEFINE_enum("source", "folder", ["folder", "table", *SOURCES],
                            "folder: one folder per landmark; table: a csv file; the others: public collections.")
_PHOTOS = flags.DEFINE_list("photos", None, "Folder of photographs (of source folder, several), or the csv file.")
_DATA_DIR = flags.DEFINE_string("data_dir", None, "Instead of --photos: folder of the public collections, each in a folder "
                                "of its own. What is not there is downloaded.")
_DOWNLOAD = flags.DEFINE_boolean("download", True, "With --data_dir: download; otherwise take what is there.")
_DRY_RUN = flags.DEFINE_boolean("dry_run", False, "Print what would be downloaded and in what time; write nothing.")
_MIRROR = flags.DEFINE_string("mirror", None, "Scheme and host to take the files from instead of their publishers', e.g. "
                              "http://localhost:8000; the paths of the addresses stay.")
_CONNECTIONS = flags.DEFINE_integer("connections", 4, "Files downloaded at the same time.", lower_bound=1)
_TIMEOUT = flags.DEFINE_float("timeout", 30.0, "Seconds after which a silent or very slow connection is tried anew.",
                              lower_bound=0.1)
_ARCHIVES = flags.DEFINE_integer("archives", None, "For a trial: only so many of the archives, the first ones.",
                                 lower_bound=1)
_COLUMNS = flags.DEFINE_list("columns", ["id", "path", "landmark"], "Source table: its id, path and landmark columns.")
_CLEAN = flags.DEFINE_boolean("clean", False, "Source gldv2: take train_clean.csv instead of all of train.csv.")
_BENCHMARK = flags.DEFINE_string("exclude_benchmark", None, "Folder with index.csv and test.csv; every landmark that "
                                 "has a picture listed there is left out.")
_EXCLUDE = flags.DEFINE_string("exclude", None, "rgldv2: leave out the landmarks that show places of Oxford5k and Paris6k "
                               "(needs rgldv2_clean.csv beside train_clean.csv); or a csv file with a column landmark_id.")
_OUTPUT = flags.DEFINE_string("output", None, "Folder that gets train/, validation/ and test/; by default "
                              "records/<source> in --data_dir.")
_NUM_SHARDS = flags.DEFINE_integer("num_shards", None, f"Record files per split; by default one per "
                                   f"{_PICTURES_PER_SHARD} pictures, at least {_LEAST_SHARDS}.", lower_bound=1)
flags.DEFINE_alias("shards", "num_shards")
_MAX_SIDE = flags.DEFINE_integer("max_side", 512, "Longest side of the stored pictures, in pixels.", lower_bound=32)
_FRACTION = flags.DEFINE_float("validation_fraction", 0.1, "Part of each landmark's pictures for validation.",
                               lower_bound=0.0, upper_bound=0.9)
_TEST_FRACTION = flags.DEFINE_float("test_fraction", 0.0, "Part of each landmark's pictures for test/.", lower_bound=0.0,
                                    upper_bound=0.9)
_TOP_CLASSES = flags.DEFINE_integer("top_classes", None, "Take only so many landmarks, those with the most pictures.",
                                    lower_bound=2)
_MIN_COUNT = flags.DEFINE_integer("min_count", 1, "Leave out landmarks with fewer pictures.", lower_bound=1)
_SEED = flags.DEFINE_integer("seed", 0, "Of the split and of the order.")
_DUPLICATES = flags.DEFINE_enum("duplicates", "list", ["list", "skip", "ignore"], "Photographs whose file is a copy of "
                                "another: list them in duplicates.csv, list them and leave them out, or do not look.")
_STRICT = flags.DEFINE_boolean("strict", False, "Stop at the first bad or missing picture instead of skipping it.")


def main(_):
    """Fetches, reads, filters, splits, writes."""
    source, photos, data_dir = _SOURCE.value, _PHOTOS.value, Path(_DATA_DIR.value or ".")
    collection = source in SOURCES and not photos
    if not photos and not (_DATA_DIR.value and collection):
        raise UserError("--photos, or --data_dir with a public collection", f"source {source} with neither",
                        "Say where the photographs are, or shall be.")
    if photos and source in BENCHMARKS:
        raise UserError(f"--data_dir with source {source}", "--photos", "Name the folder that it shall be in.")
    if not _OUTPUT.value and not _DATA_DIR.value:
        raise UserError("--output or --data_dir", "neither", "Say where the records shall be.")
    if collection:
        photos = [_fetched(source, data_dir)]
        if _DRY_RUN.value:
            return
        if source in BENCHMARKS:
            there = lay_out_benchmark(source, data_dir)
            print(f"{there:,} photographs; measure a model with experiments.evaluate --benchmark={photos[0]}")
            return
    _write(Path(_OUTPUT.value or data_dir / "records" / source), _parts(source, photos))


def _fetched(source: str, data_dir: Path) -> Path:
    """Fetches a collection and returns its folder."""
    found = SOURCES[source](source).part(_ARCHIVES.value).at_mirror(_MIRROR.value)
    root = data_dir / found.folder
    if _DOWNLOAD.value or _DRY_RUN.value:
        addresses = list(gldv1_addresses(root, _TOP_CLASSES.value, _MIN_COUNT.value)) if source == "gldv1" else []
        fetch_collection(found, data_dir, addresses=addresses, connections=_CONNECTIONS.value, timeout=_TIMEOUT.value,
                         dry_run=_DRY_RUN.value)
    return root


def _parts(source: str, photos: list[str | Path]) -> dict[str, Catalogue | None]:
    """Returns training, validation and perhaps test photographs."""
    choice = {"exclude_benchmark": _BENCHMARK.value, "exclude": _EXCLUDE.value, "min_count": _MIN_COUNT.value,
              "top_classes": _TOP_CLASSES.value}
    if source == "sfm120k":
        listing, images = sfm_listing(Path(photos[0])), Path(photos[0]) / "ims"
        train, validation = (read_sfm(listing, images, split=part, strict=_STRICT.value) for part in ("train", "val"))
        return {"train": choose_landmarks(train, photos[0], **choice), "validation": validation}
    catalogue = read_photographs(source, photos, clean=_CLEAN.value, columns=_COLUMNS.value, strict=_STRICT.value)
    return into_parts(choose_landmarks(catalogue, photos[0], **choice), _FRACTION.value, _TEST_FRACTION.value, _SEED.value)


def _write(output: Path, parts: dict[str, Catalogue | None]) -> None:
    from landmark_zoo.data.shards import write_records  # brings TensorFlow, which no download needs

    label_map = LabelMap(landmark for part in parts.values() if part for landmark in part.landmark_counts)
    missing = sorted({image_id for part in parts.values() if part for image_id in part.missing})
    with lock_directory(output):
        if missing:
            write_csv(output / "missing.csv", ["id"], ([image_id] for image_id in missing))
        if _DUPLICATES.value != "ignore":
            parts = part_with_duplicates(parts, output, _DUPLICATES.value == "skip")
        for name, part in parts.items():
            if part is None:
                logging.info("%s: no pictures", name)
                continue
            manifest = write_records(
                part, output / name, split=name, num_shards=_NUM_SHARDS.value or _shards(len(part)), seed=_SEED.value,
                max_side=_MAX_SIDE.value, strict=_STRICT.value, label_map=label_map)
            logging.info("%s: %d pictures of %d landmarks, %d skipped, in %d files", name, manifest.num_examples,
                         sum(count > 0 for count in manifest.class_counts), manifest.skipped, len(manifest.shards))


def _shards(pictures: int) -> int:
    return max(_LEAST_SHARDS, -(-pictures // _PICTURES_PER_SHARD))


if __name__ == "__main__":
    run(main)
