import csv
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from landmark_zoo.core.files import lock_directory
from landmark_zoo.data.manifest import read_manifest
from tests.run_script import run_script


@pytest.fixture
def prepare(caplog):
    """Runs the command in this process; what it logs counts as stderr."""
    caplog.set_level("INFO", logger="absl")

    def run(*arguments):
        caplog.clear()
        done = run_script("experiments.prepare", *arguments)
        return SimpleNamespace(returncode=done.code, stderr=caplog.text + done.stderr)
    return run


@pytest.fixture
def gldv2(tmp_path):
    """A small Google Landmarks tree: landmarks 1 (10 pictures), 2 (10), 10 (1), one empty file and one file missing."""
    rows = [(f"{number:03x}{number:013x}", landmark) for number, landmark in enumerate([1] * 10 + [2] * 10 + [10] * 3)]
    pixels = np.random.default_rng(0)
    for image_id, _ in rows[:-1]:
        path = tmp_path / "gld" / "train" / image_id[0] / image_id[1] / image_id[2] / f"{image_id}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels.integers(0, 256, (40, 60, 3), dtype=np.uint8)).save(path)
    path.write_bytes(b"")
    (tmp_path / "gld/train.csv").write_text("id,url,landmark_id\n" + "".join(
        f"{image_id},u,{shows}\n" for image_id, shows in rows))
    (tmp_path / "gld/train_clean.csv").write_text("landmark_id,images\n" + "".join(
        f"{landmark},{' '.join(image_id for image_id, shows in rows if shows == landmark)}\n"
        for landmark in (2, 1, 10)))
    benchmark = tmp_path / "benchmark"
    benchmark.mkdir()
    (benchmark / "index.csv").write_text(f"id\n{rows[0][0]}\nffff\n")
    (benchmark / "test.csv").write_text("id\n")
    return tmp_path


def test_from_google_landmarks_to_records_and_again(prepare, gldv2):
    command = ("--source=gldv2", "--clean", f"--photos={gldv2 / 'gld'}", f"--output={gldv2 / 'out'}", "--num_shards=2",
               "--max_side=32", "--validation_fraction=0.2")
    first = prepare(*command)
    assert first.returncode == 0, first.stderr
    assert "22 images of 3 landmarks, 0 of them with one image" in first.stderr

    train, validation = (read_manifest(gldv2 / "out" / name) for name in ("train", "validation"))
    assert list(train.label_map) == list(validation.label_map) == ["1", "2", "10"]
    assert train.class_counts == (8, 8, 1)
    assert validation.class_counts == (2, 2, 0)
    with open(gldv2 / "out/train/skipped.csv", newline="") as file:
        assert [row["reason"] for row in csv.DictReader(file)] == ["empty file"]
    assert (gldv2 / "out/missing.csv").read_text().split() == ["id", "0160000000000016"]

    before = {path: path.stat().st_mtime_ns for path in (gldv2 / "out").rglob("*.tfrecord")}
    again = prepare(*command)
    assert again.returncode == 0
    assert before == {path: path.stat().st_mtime_ns for path in (gldv2 / "out").rglob("*.tfrecord")}


def test_benchmark_landmarks_and_small_ones_are_left_out(prepare, gldv2):
    done = prepare("--source=gldv2", f"--photos={gldv2 / 'gld'}", f"--output={gldv2 / 'out'}", "--min_count=3",
                   f"--exclude_benchmark={gldv2 / 'benchmark'}", "--validation_fraction=0")
    assert done.returncode == 0, done.stderr
    assert list(read_manifest(gldv2 / "out/train").label_map) == ["2"]
    assert not (gldv2 / "out/validation").exists()


def test_what_comes_to_nothing_is_said_at_the_end(prepare, gldv2):
    photos = gldv2 / "photos"
    for name in ("arch/1.png", "arch/2.png", "tower/3.png"):
        (photos / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (40, 40), "white").save(photos / name)
    (photos / "arch/4.jpg_large").write_bytes((photos / "arch/1.png").read_bytes())
    (photos / "gate").mkdir()
    (photos / "gate/5.jpg").write_bytes(b"")
    done = prepare(f"--photos={photos}", f"--output={gldv2 / 'out'}", "--duplicates=ignore")
    assert done.returncode == 0, done.stderr
    *_, passed, bad, empty = done.stderr.strip().splitlines()
    assert "1 .jpg_large (images whose suffix is not one of" in passed
    assert f"1 images of train are left out as bad (skipped.csv), first {photos / 'gate/5.jpg'}: empty file" in bad
    assert "1 landmarks have no image in the records, first gate" in empty


@pytest.fixture
def twelve(tmp_path):
    """Twelve landmarks of ten small images each."""
    for landmark in range(12):
        for number in range(10):
            path = tmp_path / "twelve" / f"place{landmark}" / f"{landmark}_{number}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.new("RGB", (40, 40), (20 * landmark, 20 * number, 99)).save(path)
    return tmp_path / "twelve"


def test_landmarks_are_kept_out_whole(prepare, twelve, tmp_path):
    """They have labels of their own; records begun without stay without."""
    benchmark = tmp_path / "benchmark"
    benchmark.mkdir()
    (benchmark / "index.csv").write_text("id\n3_0\n")
    (benchmark / "test.csv").write_text("id\n")
    command = (f"--photos={twelve}", f"--exclude_benchmark={benchmark}", "--num_shards=1", "--max_side=32")
    done = prepare(*command, f"--output={tmp_path / 'with'}")
    assert done.returncode == 0, done.stderr
    assert "2 of 11 landmarks are kept out of training, with 20 of 110 images" in done.stderr
    train, validation, unseen = (read_manifest(tmp_path / "with" / name)
                                 for name in ("train", "validation", "validation_landmarks"))
    assert (train.num_classes, unseen.num_classes, unseen.class_counts) == (9, 2, (10, 10))
    assert train.label_map == validation.label_map
    assert {*train.label_map, *unseen.label_map} == {f"place{number}" for number in range(12)} - {"place3"}
    assert prepare(*command, f"--output={tmp_path / 'with'}", "--validation_landmarks=0.15").returncode == 0

    assert prepare(*command, f"--output={tmp_path / 'none'}", "--validation_landmarks=0").returncode == 0
    assert not (tmp_path / "none" / "validation_landmarks").exists()
    assert [read_manifest(tmp_path / name / "train").validation_landmarks for name in ("with", "none")] == [0.15, 0]
    other = prepare(*command, f"--output={tmp_path / 'none'}", "--validation_landmarks=0.2")
    assert other.returncode == 2
    assert "Choose another output folder" in other.stderr


def test_of_too_few_landmarks_none_is_kept_out_and_what_was_asked_for_is_noted(prepare, gldv2):
    """Started again it changes where the records stay the same."""
    command = ("--source=gldv2", f"--photos={gldv2 / 'gld'}", f"--output={gldv2 / 'out'}", "--max_side=32")
    done = prepare(*command)
    assert done.returncode == 0, done.stderr
    assert "No landmark is kept out of training: of the 3 with two images" in done.stderr
    before = read_manifest(gldv2 / "out/train")
    assert before.validation_landmarks == 0.15
    assert read_manifest(gldv2 / "out/validation").validation_landmarks is None
    assert prepare(*command, "--validation_landmarks=0").returncode == 0
    after = read_manifest(gldv2 / "out/train")
    assert (after.validation_landmarks, after.fingerprint) == (0, before.fingerprint)


@pytest.mark.parametrize(("arguments", "complaint"), [
    (["--photos={}/empty"], "received none"),
    (["--source=gldv2", "--photos={}/gld", "--strict"], "listed images"),
    (["--source=table", "--photos={}/gld/train.csv"], "column path, landmark"),
])
def test_mistakes_end_with_one_line(prepare, gldv2, arguments, complaint):
    (gldv2 / "empty").mkdir()
    failed = prepare(*(argument.format(gldv2) for argument in arguments), f"--output={gldv2 / 'out'}")
    assert failed.returncode == 2
    line = failed.stderr.strip().splitlines()[-1]
    assert line.startswith("Error: Expected ")
    assert complaint in line
    assert "Traceback" not in failed.stderr


def test_two_runs_in_one_folder(prepare, gldv2):
    with lock_directory(gldv2 / "out"):
        second = prepare("--source=gldv2", f"--photos={gldv2 / 'gld'}", f"--output={gldv2 / 'out'}")
    assert second.returncode == 2
    assert "a run that is using it" in second.stderr


@pytest.mark.photographs
@pytest.mark.slow
def test_real_images_without_the_benchmarks_landmarks(prepare, shared_data, tmp_path):
    done = prepare(f"--photos={shared_data / 'photos'}", f"--output={tmp_path / 'out'}",
                   f"--exclude_benchmark={shared_data / 'benchmarks' / 'provence'}")
    assert done.returncode == 0, done.stderr
    train, validation = (read_manifest(tmp_path / "out" / name) for name in ("train", "validation"))
    unseen = read_manifest(tmp_path / "out" / "validation_landmarks")
    assert train.num_examples + validation.num_examples + unseen.num_examples == 3081
    assert (train.num_classes, unseen.num_classes) == (25, 4)
    assert not set(train.label_map) & set(unseen.label_map)
    assert train.skipped == validation.skipped == 0


def test_three_parts_of_the_most_frequent_landmarks(prepare, gldv2):
    done = prepare("--source=gldv2", f"--photos={gldv2 / 'gld'}", f"--output={gldv2 / 'out'}", "--top_classes=2",
                   "--validation_fraction=0.2", "--test_fraction=0.3", "--max_side=32")
    assert done.returncode == 0, done.stderr
    parts = {name: read_manifest(gldv2 / "out" / name) for name in ("train", "validation", "test")}
    assert {name: part.class_counts for name, part in parts.items()} == {
        "train": (5, 5), "validation": (2, 2), "test": (3, 3)}
    done = prepare("--source=gldv2", f"--photos={gldv2 / 'gld'}", f"--output={gldv2 / 'out2'}",
                   "--validation_fraction=0.5", "--test_fraction=0.5")
    assert done.returncode == 2
    assert "below 1 together" in done.stderr
