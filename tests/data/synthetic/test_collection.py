import hashlib
import json
import multiprocessing
import re
from collections import Counter

import cv2
import numpy as np
import pytest
from PIL import Image, ImageOps

from landmark_zoo.core.errors import UserError
from landmark_zoo.core.files import read_csv
from landmark_zoo.data.datasets.google_landmarks import read_gldv2
from landmark_zoo.data.synthetic import collection as module
from landmark_zoo.data.synthetic.collection import PARTS, Shot, Size, draw_collection, draw_schedule, write_image
from landmark_zoo.data.synthetic.scene import View

TINY = {"train_landmarks": 2, "train_views": 2, "benchmark_landmarks": 1, "index_views": 1, "query_views": 1,
        "distractors": 0, "long_side": 64}


def fingerprints(folder):
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in sorted(folder.rglob("*")) if path.is_file()}


def rows(collection, name, *columns):
    found = list(read_csv(collection / f"{name}.csv", columns))
    assert found
    assert list(found[0]) == list(columns)
    return found


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tiny") / "drawn"
    return folder, draw_collection(folder, workers=1, **TINY)


@pytest.fixture(scope="module")
def schedule():
    return draw_schedule(0, Size())


@pytest.mark.slow
def test_bytes_depend_on_the_arguments_alone(tmp_path, drawn):
    draw_collection(tmp_path / "again", workers=2, **TINY)
    draw_collection(tmp_path / "other", workers=1, seed=1, **TINY)
    assert fingerprints(tmp_path / "again") == fingerprints(drawn[0])
    assert not set(fingerprints(tmp_path / "other").values()) & set(fingerprints(drawn[0]).values())
    assert not multiprocessing.active_children()


def test_counts_are_the_files(drawn):
    folder, counts = drawn
    for part in ("train", "index", "test"):
        assert counts[part] == len(list((folder / part).rglob("*.jpg")))
    assert counts["revisited_index"] + counts["revisited_queries"] == len(list((folder / "revisited").rglob("*.jpg")))
    assert counts["train_landmarks"] == 2
    assert counts["benchmark_landmarks"] == 1


def test_a_complete_collection_is_left_alone(drawn, monkeypatch):
    folder, counts = drawn
    before = fingerprints(folder)
    monkeypatch.setattr(module, "draw_images", None)
    assert draw_collection(folder, workers=1, **TINY) == counts
    assert fingerprints(folder) == before


def test_other_arguments_are_the_users_mistake(drawn):
    with pytest.raises(UserError, match="seed 0 instead of 7"):
        draw_collection(drawn[0], seed=7, workers=1, **TINY)


def test_another_folder_is_not_overwritten(tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "letter.txt").write_text("dear")
    with pytest.raises(UserError, match="Choose another output folder"):
        draw_collection(tmp_path / "mine", workers=1, **TINY)
    assert (tmp_path / "mine" / "letter.txt").read_text() == "dear"


@pytest.mark.parametrize(("name", "times"), [("draw_images", 3), ("write_image", 8)])
def test_an_interrupted_drawing_goes_on_where_it_was(tmp_path, monkeypatch, drawn, name, times):
    real, calls = getattr(module, name), []

    def interrupted(*arguments):
        calls.append(arguments)
        if len(calls) == times:
            raise KeyboardInterrupt
        return real(*arguments)

    monkeypatch.setattr(module, name, interrupted)
    with pytest.raises(KeyboardInterrupt):
        draw_collection(tmp_path / "drawn", workers=1, **TINY)
    monkeypatch.setattr(module, name, real)
    assert not (tmp_path / "drawn").exists()
    written = Counter()
    monkeypatch.setattr(module, "write_image", lambda path, *rest: (written.update([path.name]), write_image(path, *rest)))
    draw_collection(tmp_path / "drawn", workers=1, **TINY)
    assert fingerprints(tmp_path / "drawn") == fingerprints(drawn[0])
    assert 0 < written.total() < len(list(drawn[0].rglob("*.jpg")))
    assert [path.name for path in tmp_path.iterdir()] == ["drawn"]


def test_a_drawing_with_other_arguments_starts_anew(tmp_path, monkeypatch, drawn):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(module, "write_gldv2", interrupted)
    with pytest.raises(KeyboardInterrupt):
        draw_collection(tmp_path / "drawn", workers=1, seed=3, **TINY)
    monkeypatch.undo()
    draw_collection(tmp_path / "drawn", workers=1, **TINY)
    assert fingerprints(tmp_path / "drawn") == fingerprints(drawn[0])


def test_too_small_is_refused(tmp_path):
    with pytest.raises(ValueError, match="expected long_side of at least 64, received 32"):
        draw_collection(tmp_path / "drawn", long_side=32)


def test_equal_seeds_give_equal_schedules(schedule):
    assert draw_schedule(0, Size()) == schedule
    other = draw_schedule(1, Size())
    assert not {shot.path for shot in other["train"]} & {shot.path for shot in schedule["train"]}


def test_ids_are_unique_hexadecimal_and_say_the_folder(schedule):
    paths = [shot.path for part in ("train", "index", "test") for shot in schedule[part]]
    assert len(set(paths)) == len(paths)
    assert all(re.fullmatch(r"(train|index|test)/([0-9a-f])/([0-9a-f])/([0-9a-f])/\2\3\4[0-9a-f]{13}\.jpg", path)
               for path in paths)


def test_parts_share_no_landmark(schedule):
    train, index, test, *revisited = ({shot.scene for shot in schedule[part] if shot.landmark} for part in PARTS)
    assert test <= index
    assert not train & index
    assert not (train | index) & (revisited[0] | revisited[1])


def test_class_sizes_have_a_long_tail(schedule):
    counts = Counter(shot.label for shot in schedule["train"])
    assert len(counts) == 80
    assert sum(count == 1 for count in counts.values()) >= 2
    assert max(counts.values()) > 45
    assert 80 * 24 <= sum(counts.values()) <= 80 * 24 * 1.02


def test_shares_of_wrong_labels_streets_and_copies(schedule):
    train = schedule["train"]
    shown = Counter((shot.scene, shot.view) for shot in train)
    assert 0.02 < sum(shot.landmark and shot.scene != shot.label for shot in train) / len(train) < 0.04
    assert 0.01 < sum(not shot.landmark for shot in train) / len(train) < 0.03
    assert 0.005 < sum(count - 1 for count in shown.values()) / len(train) < 0.015


def test_the_index_holds_distractors_of_both_sorts(schedule):
    queried = {shot.label for shot in schedule["test"]} - {None}
    others = [shot for shot in schedule["index"] if shot.label not in queried]
    assert len(others) == 150
    assert 0 < sum(shot.label is not None for shot in others) < 150


def test_revisited_queries_stand_apart(schedule):
    shots = schedule["revisited_index"] + schedule["revisited_queries"]
    assert len({shot.path for shot in shots}) == len(shots)
    assert len(schedule["revisited_queries"]) == 12
    assert 130 <= len(shots) <= 170


@pytest.mark.parametrize("sizes", [{"train_landmarks": 1, "train_views": 1, "benchmark_landmarks": 1, "index_views": 1,
                                    "query_views": 1, "distractors": 0}, {"train_landmarks": 2, "train_views": 2}])
def test_the_smallest_sizes_work(sizes):
    schedule = draw_schedule(0, Size(**sizes))
    assert len({shot.label for shot in schedule["train"]}) == sizes["train_landmarks"]
    assert schedule["revisited_queries"]


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """300 files of one image, by their paths."""
    folder, image = tmp_path_factory.mktemp("written"), np.full((48, 64, 3), 90, np.uint8)
    image[:16] = (220, 40, 40)
    image[:, :20] = (40, 40, 220)
    for number in range(300):
        view = View(image, (5.0, 5.0, 50.0, 40.0), 0.9, 0.1, "day", 95)
        write_image(folder / f"{number}.jpg", view, Shot(f"train/{number}.jpg", 0, number))
    return image, [folder / f"{number}.jpg" for number in range(300)]


def test_the_tag_turns_the_image_upright(written):
    image, paths = written
    found = Counter()
    for path in paths:
        with Image.open(path) as stored:
            orientation = stored.getexif().get(0x0112, 1)
            found[orientation] += 1
            assert stored.size == ((48, 64) if orientation > 4 else (64, 48))
            upright = np.asarray(ImageOps.exif_transpose(stored).convert("RGB")).astype(int)
            expected = image if stored.mode == "RGB" else np.asarray(Image.fromarray(image).convert("L").convert("RGB"))
        assert np.abs(upright - expected.astype(int)).mean() < 6
    assert 0.02 < 1 - found[1] / 300 < 0.1
    assert len(found) > 4


def test_some_images_are_gray_and_most_are_dated(written):
    modes, dates = Counter(), []
    for path in written[1]:
        with Image.open(path) as stored:
            modes[stored.mode] += 1
            dates.append(stored.getexif().get_ifd(0x8769).get(0x9003))
    assert set(modes) == {"L", "RGB"}
    assert modes["L"] < 0.1 * 300
    assert 0.8 < sum(date is not None for date in dates) / 300 < 1
    assert all(len(date) == 19 and 9 <= int(date[11:13]) < 17 for date in dates if date)


def test_training_lists(collection):
    train = rows(collection, "train", "id", "url", "landmark_id")
    clean = {row["landmark_id"]: row["images"].split()
             for row in rows(collection, "train_clean", "landmark_id", "images")}
    names = {row["landmark_id"]: row["category"]
             for row in rows(collection, "train_label_to_category", "landmark_id", "category")}
    noisy = {row["id"]: row["landmark_id"] for row in train}
    kept = [image for images in clean.values() for image in images]
    assert set(names) == set(noisy.values())
    assert all(name.startswith("http://commons.wikimedia.org/wiki/Category:") for name in names.values())
    assert len(kept) == len(set(kept)) < len(noisy)
    assert all(noisy[image] == landmark for landmark, images in clean.items() for image in images)
    assert max(map(int, names)) > 10 * len(names)


def test_the_reader_of_gldv2_finds_every_image(collection):
    full, clean = read_gldv2(collection, strict=True), read_gldv2(collection, clean=True, strict=True)
    assert not full.missing
    assert 0 < len(clean) < len(full)


def test_benchmark_lists(collection):
    index = [row["id"] for row in rows(collection, "index", "id")]
    test = [row["id"] for row in rows(collection, "test", "id")]
    landmark = {row["id"]: row["landmark_id"] for row in rows(collection, "index_image_to_landmark", "id", "landmark_id")}
    retrieval = rows(collection, "retrieval_solution", "id", "images", "Usage")
    recognition = rows(collection, "recognition_solution", "id", "landmarks", "Usage")
    assert [row["id"] for row in retrieval] == [row["id"] for row in recognition] == test
    assert set(landmark) < set(index)
    for query, answer in zip(retrieval, recognition, strict=True):
        if answer["landmarks"]:
            assert query["Usage"] in ("Public", "Private")
            assert set(query["images"].split()) == {image for image in index
                                                    if landmark.get(image) == answer["landmarks"]}
        else:
            assert (query["images"], query["Usage"]) == ("None", "Ignored")
    assert any(not answer["landmarks"] for answer in recognition)
    assert not set(landmark.values()) & {row["landmark_id"] for row in read_csv(collection / "train.csv", ["landmark_id"])}
    for split, ids in (("index", index), ("test", test)):
        assert all((collection / split / name[0] / name[1] / name[2] / f"{name}.jpg").is_file() for name in ids)


def test_revisited_ground_truth(collection):
    truth = json.loads((collection / "revisited" / "gnd_synthetic.json").read_text())
    assert set(truth) == {"imlist", "qimlist", "gnd"}
    assert not set(truth["imlist"]) & set(truth["qimlist"])
    assert len(truth["gnd"]) == len(truth["qimlist"])
    for name, query in zip(truth["qimlist"], truth["gnd"], strict=True):
        assert set(query) == {"bbx", "easy", "hard", "junk"}
        with Image.open(collection / "revisited" / "jpg" / f"{name}.jpg") as picture:
            width, height = picture.size
            assert picture.getexif().get(0x0112, 1) == 1
        x1, y1, x2, y2 = query["bbx"]
        assert 0 <= x1 < x2 <= width
        assert 0 <= y1 < y2 <= height
        places = query["easy"] + query["hard"] + query["junk"]
        assert len(places) == len(set(places))
        assert {truth["imlist"][place].rsplit("_", 1)[0] for place in places} == {name.rsplit("_", 1)[0]}
    assert all((collection / "revisited" / "jpg" / f"{name}.jpg").is_file() for name in truth["imlist"])


@pytest.mark.slow
def test_color_says_nothing_and_learning_helps(tmp_path):
    folder = tmp_path / "drawn"
    draw_collection(folder, train_landmarks=40, train_views=12, long_side=96)
    train = [(image, row["landmark_id"]) for row in rows(folder, "train_clean", "landmark_id", "images")
             for image in row["images"].split()]
    index = [row["id"] for row in rows(folder, "index", "id")]
    queries = [row for row in rows(folder, "retrieval_solution", "id", "images", "Usage") if row["Usage"] != "Ignored"]
    relevant = np.array([np.isin(index, row["images"].split()) for row in queries])
    (colors, shapes), (query_colors, query_shapes), (_, train_shapes) = (
        features(folder / split, images) for split, images in (
            ("index", index), ("test", [row["id"] for row in queries]), ("train", [image for image, _ in train])))
    mean, projection = learned_projection(train_shapes, np.array([label for _, label in train]))
    learned = unit((query_shapes - mean) @ projection) @ unit((shapes - mean) @ projection).T
    chance = np.mean([mean_precision(np.random.default_rng(seed).random(relevant.shape), relevant) for seed in range(20)])
    unlearned = mean_precision(query_shapes @ shapes.T, relevant)
    assert mean_precision(query_colors @ colors.T, relevant) < 2 * chance
    assert mean_precision(learned, relevant) > 1.4 * unlearned


def features(folder, images):
    """Root color histograms [N, 512] and histograms of oriented gradients [N, 900], both of unit length."""
    hog = cv2.HOGDescriptor((96, 96), (32, 32), (16, 16), (16, 16), 9)
    colors, shapes = [], []
    for name in images:
        with Image.open(folder / name[0] / name[1] / name[2] / f"{name}.jpg") as stored:
            image = np.asarray(ImageOps.exif_transpose(stored).convert("RGB"))
        colors.append(np.sqrt(cv2.calcHist([image], [0, 1, 2], None, [8, 8, 8], [0, 256] * 3).ravel()))
        shapes.append(hog.compute(cv2.cvtColor(cv2.resize(image, (96, 96)), cv2.COLOR_RGB2GRAY)))
    return unit(np.array(colors)), unit(np.array(shapes))


def learned_projection(vectors, labels, dimensions=64):
    """Mean [D] and projection [D, d]: whitening by the covariance within landmarks, then principal components."""
    within = np.concatenate([vectors[labels == label] - vectors[labels == label].mean(0) for label in set(labels)])
    covariance = within.T @ within / len(within)
    values, axes = np.linalg.eigh(covariance + np.trace(covariance) / len(covariance) * np.eye(len(covariance)))
    whitening, mean = axes / np.sqrt(values), vectors.mean(0)
    whitened = (vectors - mean) @ whitening
    return mean, whitening @ np.linalg.eigh(whitened.T @ whitened)[1][:, -dimensions:]


def unit(vectors):
    return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)


def mean_precision(scores, relevant):
    """mAP@100 by its definition."""
    hits = np.take_along_axis(relevant, np.argsort(-scores, axis=1)[:, :100], 1)
    precision = np.cumsum(hits, 1) / np.arange(1, hits.shape[1] + 1)
    return ((precision * hits).sum(1) / np.minimum(relevant.sum(1), 100)).mean()
