"""Writes training, validation and test records from photographs.

    python -m experiments.prepare --photos=DIR --output=DIR
    python -m experiments.prepare --source=gldv2 --clean --photos=DIR --output=DIR --num_shards=1024
    python -m experiments.prepare --source=gldv1 --photos=DIR --output=DIR --top_classes=27 --validation_fraction=0.15 \
        --test_fraction=0.15
    python -m experiments.prepare --source=table --photos=photos.csv --output=DIR

Started again after an interruption, it goes on where it was.
"""

from pathlib import Path

from absl import flags, logging

from landmark_zoo.core.errors import UserError
from landmark_zoo.core.files import read_csv, write_csv
from landmark_zoo.core.lock import lock_directory
from landmark_zoo.core.script import run
from landmark_zoo.data.catalogue import Catalogue
from landmark_zoo.data.folder import read_folder
from landmark_zoo.data.gldv1 import read_gldv1
from landmark_zoo.data.gldv2 import read_gldv2
from landmark_zoo.data.label_map import LabelMap
from landmark_zoo.data.shards import write_records
from landmark_zoo.data.split import split
from landmark_zoo.data.table import read_table

_PICTURES_PER_SHARD, _LEAST_SHARDS = 2000, 8

_SOURCE = flags.DEFINE_enum("source", "folder", ["folder", "gldv1", "gldv2", "table"],
                            "folder: one folder per landmark; gldv1, gldv2: Google Landmarks; table: a csv file.")
_PHOTOS = flags.DEFINE_list("photos", None, "Folder of photographs (of source folder, several), or the csv file.",
                            required=True)
_COLUMNS = flags.DEFINE_list("columns", ["id", "path", "landmark"], "Source table: its id, path and landmark columns.")
_CLEAN = flags.DEFINE_boolean("clean", False, "Source gldv2: take train_clean.csv instead of all of train.csv.")
_BENCHMARK = flags.DEFINE_string("exclude_benchmark", None, "Folder with index.csv and test.csv; every landmark that "
                                 "has a picture listed there is left out.")
_OUTPUT = flags.DEFINE_string("output", None, "Folder that gets train/, validation/ and test/.", required=True)
_NUM_SHARDS = flags.DEFINE_integer("num_shards", None, f"Record files per split; by default one per "
                                   f"{_PICTURES_PER_SHARD} pictures, at least {_LEAST_SHARDS}.", lower_bound=1)
_MAX_SIDE = flags.DEFINE_integer("max_side", 512, "Longest side of the stored pictures, in pixels.", lower_bound=32)
_FRACTION = flags.DEFINE_float("validation_fraction", 0.1, "Part of each landmark's pictures for validation.",
                               lower_bound=0.0, upper_bound=0.9)
_TEST_FRACTION = flags.DEFINE_float("test_fraction", 0.0, "Part of each landmark's pictures for test/.", lower_bound=0.0,
                                    upper_bound=0.9)
_TOP_CLASSES = flags.DEFINE_integer("top_classes", None, "Take only so many landmarks, those with the most pictures.",
                                    lower_bound=2)
_MIN_COUNT = flags.DEFINE_integer("min_count", 1, "Leave out landmarks with fewer pictures.", lower_bound=1)
_SEED = flags.DEFINE_integer("seed", 0, "Of the split and of the order.")
_STRICT = flags.DEFINE_boolean("strict", False, "Stop at the first bad or missing picture instead of skipping it.")


def main(_):
    """Reads, filters, splits, writes."""
    catalogue = _read()
    if _BENCHMARK.value:
        catalogue = _without_benchmark(catalogue, Path(_BENCHMARK.value))
    catalogue = catalogue.with_min_count(_MIN_COUNT.value)
    if _TOP_CLASSES.value:
        catalogue = catalogue.with_most_pictures(_TOP_CLASSES.value)
    counts = catalogue.landmark_counts
    logging.info("%d pictures of %d landmarks, %d of them with one picture", len(catalogue), len(counts),
                 sum(count == 1 for count in counts.values()))
    label_map = LabelMap(counts)
    output = Path(_OUTPUT.value)
    with lock_directory(output):
        if catalogue.missing:
            write_csv(output / "missing.csv", ["id"], ([image_id] for image_id in catalogue.missing))
        for name, part in _parts(catalogue).items():
            if part is None:
                logging.info("%s: no pictures", name)
                continue
            manifest = write_records(
                part, output / name, split=name, num_shards=_NUM_SHARDS.value or _shards(len(part)), seed=_SEED.value,
                max_side=_MAX_SIDE.value, strict=_STRICT.value, label_map=label_map)
            logging.info("%s: %d pictures of %d landmarks, %d skipped, in %d files", name, manifest.num_examples,
                         sum(count > 0 for count in manifest.class_counts), manifest.skipped, len(manifest.shards))


def _parts(catalogue: Catalogue) -> dict[str, Catalogue | None]:
    fraction, test_fraction = _FRACTION.value, _TEST_FRACTION.value
    if fraction + test_fraction >= 1:
        raise UserError("--validation_fraction and --test_fraction below 1 together", f"{fraction} and {test_fraction}",
                        "Lower one.")
    if not test_fraction:
        return dict(zip(("train", "validation"), split(catalogue, fraction, _SEED.value), strict=True))
    rest, test = split(catalogue, test_fraction, _SEED.value)
    train, validation = split(rest, fraction / (1 - test_fraction), _SEED.value)
    return {"train": train, "validation": validation, "test": test}


def _read() -> Catalogue:
    photos = _PHOTOS.value
    if _SOURCE.value == "folder":
        return read_folder(photos)
    if len(photos) != 1:
        raise UserError(f"one --photos for source {_SOURCE.value}", f"{len(photos)}", "Name one.")
    if _SOURCE.value == "gldv1":
        return read_gldv1(photos[0], strict=_STRICT.value)
    if _SOURCE.value == "gldv2":
        return read_gldv2(photos[0], clean=_CLEAN.value, strict=_STRICT.value)
    if len(_COLUMNS.value) != 3:
        raise UserError("three --columns (id, path, landmark)", ",".join(_COLUMNS.value), "Name three.")
    names = dict(zip(("id_column", "path_column", "landmark_column"), _COLUMNS.value, strict=True))
    return read_table(photos[0], **names, strict=_STRICT.value)


def _without_benchmark(catalogue: Catalogue, benchmark: Path) -> Catalogue:
    ids = {row["id"] for name in ("index.csv", "test.csv") for row in read_csv(benchmark / name, ["id"])}
    landmarks = catalogue.landmarks_of(ids)
    logging.info("%d landmarks have pictures in %s and are left out", len(landmarks), benchmark)
    return catalogue.without_landmarks(landmarks)


def _shards(pictures: int) -> int:
    return max(_LEAST_SHARDS, -(-pictures // _PICTURES_PER_SHARD))


if __name__ == "__main__":
    run(main)
