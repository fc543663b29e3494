"""Writes TFRecords of images, downloading a public collection first where it is missing.

    python -m experiments.prepare --photos=DIR --output=DIR
    python -m experiments.prepare --source=table --photos=photos.csv --output=DIR
    python -m experiments.prepare --source=gldv2_clean --data_dir=DIR --shards=512 --exclude=rgldv2
    python -m experiments.prepare --source=gldv1 --data_dir=DIR --top_classes=27 --validation_fraction=0.15 \
        --validation_landmarks=0
    python -m experiments.prepare --source=roxford5k --data_dir=DIR
    python -m experiments.prepare --source=gldv2 --data_dir=DIR --dry_run

With --photos the images are there; otherwise what is missing in --data_dir is downloaded first. Of the landmarks 15 % are
kept out of training whole (--validation_landmarks), and experiments.train measures on them whether it helps; a classifier of
all landmarks needs --validation_landmarks=0. Started again after an interruption, it goes on where it was.
"""

from collections import Counter
from dataclasses import replace
from pathlib import Path

from absl import flags, logging

from landmark_zoo.core.errors import MAX_SEED, UserError, notify
from landmark_zoo.core.files import lock_directory, write_csv
from landmark_zoo.core.outputs import check_output
from landmark_zoo.core.scripts import define_output, run
from landmark_zoo.data.datasets.google_landmarks import gldv1_urls
from landmark_zoo.data.datasets.image_list import ImageList
from landmark_zoo.data.datasets.registry import DATASETS, fetch_collection, read_images
from landmark_zoo.data.datasets.selection import (
    keep_out_landmarks,
    list_duplicates,
    select_landmarks,
    train_validation_test_split,
)
from landmark_zoo.data.datasets.sfm120k import read_sfm, sfm_listing
from landmark_zoo.data.manifest import VALIDATION_LANDMARKS, LabelMap
from landmark_zoo.evaluation.protocols import DOWNLOADS, lay_out_benchmark

_IMAGES_PER_SHARD, _LEAST_SHARDS = 2000, 8

_SOURCE = flags.DEFINE_enum("source", "folder", list(DATASETS),
                            "folder: one folder per landmark; table: a csv file; the others: public collections.")
_PHOTOS = flags.DEFINE_list("photos", None, "Folder of images (of source folder, several), or the csv file.")
_DATA_DIR = flags.DEFINE_string("data_dir", None, "Instead of --photos: folder of the public collections, each in a folder "
                                "of its own. What is not there is downloaded.")
_DOWNLOAD = flags.DEFINE_boolean("download", True, "With --data_dir: download; otherwise take what is there.")
_DRY_RUN = flags.DEFINE_boolean("dry_run", False, "Print what would be downloaded and in what time; write nothing.")
_MIRROR = flags.DEFINE_string("mirror", None, "Scheme and host to take the files from instead of their publishers', e.g. "
                              "http://localhost:8000; the paths of the addresses stay.")
_CONNECTIONS = flags.DEFINE_integer("connections", 4, "Files downloaded at the same time.", lower_bound=1, upper_bound=256)
_TIMEOUT = flags.DEFINE_float("timeout", 30.0, "Seconds after which a silent or very slow connection is tried anew.",
                              lower_bound=0.1, upper_bound=3600.0)
_ARCHIVES = flags.DEFINE_integer("archives", None, "For a trial: only so many of the archives, the first ones.",
                                 lower_bound=1, upper_bound=1000)
_COLUMNS = flags.DEFINE_list("columns", ["id", "path", "landmark"], "Source table: its id, path and landmark columns.")
_CLEAN = flags.DEFINE_boolean("clean", False, "Source gldv2: take train_clean.csv instead of all of train.csv.")
_BENCHMARK = flags.DEFINE_string("exclude_benchmark", None, "Folder with index.csv and test.csv; every landmark that "
                                 "has an image listed there is left out.")
_EXCLUDE = flags.DEFINE_string("exclude", None, "rgldv2: leave out the landmarks that show places of Oxford5k and Paris6k "
                               "(needs rgldv2_clean.csv beside train_clean.csv); or a csv file with a column landmark_id.")
_OUTPUT = define_output("output", None, "Folder that gets train/, validation/, test/ and validation_landmarks/; by "
                        "default records/<source> in --data_dir.")
_NUM_SHARDS = flags.DEFINE_integer("num_shards", None, f"Record files per split; by default one per "
                                   f"{_IMAGES_PER_SHARD} images, at least {_LEAST_SHARDS}.", lower_bound=1,
                                   upper_bound=100_000)
flags.DEFINE_alias("shards", "num_shards")
_MAX_SIDE = flags.DEFINE_integer("max_side", 512, "Longest side of the stored images, in pixels.", lower_bound=32,
                                 upper_bound=65_500)
_FRACTION = flags.DEFINE_float("validation_fraction", 0.1, "Fraction of each landmark's images for validation.",
                               lower_bound=0.0, upper_bound=0.9)
_TEST_FRACTION = flags.DEFINE_float("test_fraction", 0.0, "Fraction of each landmark's images for test/.", lower_bound=0.0,
                                    upper_bound=0.9)
_LANDMARKS = flags.DEFINE_float("validation_landmarks", 0.15, "Fraction of the landmarks that are kept out of training "
                                "whole, for the mean average precision while it goes on; up to 5,000 images. 0 trains on "
                                "all landmarks, without protection; of too few none are kept out, and experiments.train "
                                "then leaves the start as it is. Source sfm120k has its own.",
                                lower_bound=0.0, upper_bound=0.5)
_TOP_CLASSES = flags.DEFINE_integer("top_classes", None, "Take only so many landmarks, those with the most pictures.",
                                    lower_bound=2, upper_bound=10_000_000)
_MIN_COUNT = flags.DEFINE_integer("min_count", 1, "Leave out landmarks with fewer pictures.", lower_bound=1,
                                  upper_bound=10_000_000)
_SEED = flags.DEFINE_integer("seed", 0, "Random seed of the split and of the order.", lower_bound=0, upper_bound=MAX_SEED)
_DUPLICATES = flags.DEFINE_enum("duplicates", "list", ["list", "skip", "ignore"], "Images whose file is a copy of "
                                "another: list them in duplicates.csv, list them and leave them out, or do not look.")
_STRICT = flags.DEFINE_boolean("strict", False, "Stop at the first bad or missing image instead of skipping it.")


def main(_):
    """Fetches, reads, filters, splits, writes."""
    source, photos, data_dir = _SOURCE.value, _PHOTOS.value, Path(_DATA_DIR.value or ".")
    collection = DATASETS[source].source is not None and not photos
    if not photos and not (_DATA_DIR.value and collection):
        raise UserError("--photos, or --data_dir with a public collection", f"source {source} with neither",
                        "Say where the photographs are, or shall be.")
    if photos and source in DOWNLOADS:
        raise UserError(f"--data_dir with source {source}", "--photos", "Name the folder that it shall be in.")
    if not _OUTPUT.value and not _DATA_DIR.value:
        raise UserError("--output or --data_dir", "neither", "Say where the records shall be.")
    if not _DRY_RUN.value and (_DOWNLOAD.value or not _OUTPUT.value):
        check_output(data_dir, "data_dir")
    if collection:
        photos = [_fetched(source, data_dir)]
        if _DRY_RUN.value:
            return
        if source in DOWNLOADS:
            there = lay_out_benchmark(source, data_dir)
            print(f"{there:,} photographs; measure a model with experiments.evaluate --benchmark={photos[0]}")
            return
    _write(Path(_OUTPUT.value or data_dir / "records" / source), _parts(source, photos))


def _fetched(source: str, data_dir: Path) -> Path:
    """Fetches a collection and returns its folder."""
    found = DATASETS[source].source(source).part(_ARCHIVES.value).at_mirror(_MIRROR.value)
    root = data_dir / found.folder
    if _DOWNLOAD.value or _DRY_RUN.value:
        addresses = list(gldv1_urls(root, _TOP_CLASSES.value, _MIN_COUNT.value)) if source == "gldv1" else []
        fetch_collection(found, data_dir, addresses=addresses, connections=_CONNECTIONS.value, timeout=_TIMEOUT.value,
                         dry_run=_DRY_RUN.value)
    return root


def _parts(source: str, photos: list[str | Path]) -> dict[str, ImageList | None]:
    """Returns training, validation and perhaps test photographs, and those of landmarks kept out of training."""
    choice = {"exclude_benchmark": _BENCHMARK.value, "exclude": _EXCLUDE.value, "min_count": _MIN_COUNT.value,
              "top_classes": _TOP_CLASSES.value}
    if source == "sfm120k":
        listing, images = sfm_listing(Path(photos[0])), Path(photos[0]) / "ims"
        train, validation = (read_sfm(listing, images, split=part, strict=_STRICT.value) for part in ("train", "val"))
        return {"train": select_landmarks(train, photos[0], **choice), "validation": validation}
    catalogue = read_images(source, photos, clean=_CLEAN.value, columns=_COLUMNS.value, strict=_STRICT.value)
    selected = select_landmarks(catalogue, photos[0], **choice)
    images, unseen = keep_out_landmarks(selected, _LANDMARKS.value, _SEED.value)
    parts = train_validation_test_split(images, _FRACTION.value, _TEST_FRACTION.value, _SEED.value)
    return parts | ({VALIDATION_LANDMARKS: unseen} if unseen else {})


def _write(output: Path, parts: dict[str, ImageList | None]) -> None:
    from landmark_zoo.data.writer import write_records  # brings TensorFlow, which no download needs

    label_map = LabelMap(landmark for name, part in parts.items() if part and name != VALIDATION_LANDMARKS
                         for landmark in part.landmark_counts)
    missing = sorted({image_id for part in parts.values() if part for image_id in part.missing})
    with lock_directory(output):
        if missing:
            write_csv(output / "missing.csv", ["id"], ([image_id] for image_id in missing))
        if _DUPLICATES.value != "ignore":
            parts = list_duplicates(parts, output, _DUPLICATES.value == "skip")
        found = Counter()
        for name, part in parts.items():
            if part is None:
                logging.info("%s: no pictures", name)
                continue
            manifest = write_records(
                part, output / name, split=name, num_shards=_NUM_SHARDS.value or _shards(len(part)), seed=_SEED.value,
                max_side=_MAX_SIDE.value, strict=_STRICT.value,
                label_map=LabelMap(part.landmark_counts) if name == VALIDATION_LANDMARKS else label_map)
            logging.info("%s: %d pictures of %d landmarks, %d skipped, in %d files", name, manifest.num_examples,
                         sum(count > 0 for count in manifest.class_counts), manifest.skipped, len(manifest.shards))
            if name == "train" and _SOURCE.value != "sfm120k":
                replace(manifest, validation_landmarks=_LANDMARKS.value).save()
            found.update(dict(zip(manifest.label_map, manifest.class_counts, strict=True)))
    if empty := [landmark for landmark, count in found.items() if not count]:
        notify(f"{len(empty):,} landmarks have no image in the records, first {empty[0]}")


def _shards(images: int) -> int:
    return max(_LEAST_SHARDS, -(-images // _IMAGES_PER_SHARD))


if __name__ == "__main__":
    run(main)
