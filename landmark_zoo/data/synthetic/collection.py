"""A collection of drawn landmarks on disk, in the layouts of Google Landmarks v2 and Revisited Oxford."""

import hashlib
import multiprocessing
import os
import shutil
import signal
import threading
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict, dataclass, fields, replace
from itertools import chain, count, islice, product
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from absl import logging
from PIL import ExifTags, Image

from landmark_zoo.core.errors import UserError
from landmark_zoo.core.files import lock_directory, read_json, write_csv, write_json
from landmark_zoo.core.parallel import progress
from landmark_zoo.data.synthetic.scene import View, draw_scene, draw_view

PARTS = ("train", "index", "test", "revisited_index", "revisited_queries")
_VERSION, _VIEWS_OF_A_STREET = 2, 3
_WRONG, _CLUTTER, _TWICE, _GRAY, _TURNED, _DATED, _HIDDEN = 0.03, 0.02, 0.01, 0.03, 0.05, 0.9, 0.05
_KINDS = ("easy", "hard", "easy", "any", "hard", "junk")
_STORED = {2: Image.Transpose.FLIP_LEFT_RIGHT, 3: Image.Transpose.ROTATE_180, 4: Image.Transpose.FLIP_TOP_BOTTOM,
           5: Image.Transpose.TRANSPOSE, 6: Image.Transpose.ROTATE_90, 7: Image.Transpose.TRANSVERSE,
           8: Image.Transpose.ROTATE_270}
_HOURS = {"day": (9, 17), "dusk": (18, 21), "night": (21, 24)}
Facts = dict[str, Any]


@dataclass(frozen=True)
class Size:
    """The sizes of a collection.

    Attributes:
        train_landmarks: Landmarks to train on.
        train_views: Mean number of images of one of them.
        benchmark_landmarks: Landmarks of the benchmark.
        index_views, query_views: Index images and queries per landmark of the benchmark.
        distractors: Index images that show another building or just a street.
        long_side: Greater side of an image, pixels; the smaller one may be 9/16 of it.

    Raises:
        ValueError: A number is too small.
    """

    train_landmarks: int = 80
    train_views: int = 24
    benchmark_landmarks: int = 16
    index_views: int = 12
    query_views: int = 4
    distractors: int = 150
    long_side: int = 256

    def __post_init__(self):
        for field in fields(self):
            least, value = {"distractors": 0, "long_side": 64}.get(field.name, 1), getattr(self, field.name)
            if value < least:
                raise ValueError(f"expected {field.name} of at least {least}, received {value}")


@dataclass(frozen=True)
class Shot:
    """An image of a collection before it is drawn.

    Attributes:
        path: The file, relative to the collection.
        scene, view: Number of the scene it shows, and of the image of that scene.
        label: Number of the scene it is said to show; None for none.
        landmark: The scene has a landmark; otherwise it is a street.
        kind: Visibility of the landmark, one of `scene.VIEWS`.
        quality: JPEG quality; None for the view's own.
    """

    path: str
    scene: int
    view: int
    label: int | None = None
    landmark: bool = True
    kind: str = "any"
    quality: int | None = None

    @property
    def image_id(self) -> str:
        """The file's name without its ending."""
        return self.path.rsplit("/", 1)[-1].removesuffix(".jpg")


def draw_collection(directory: str | Path, *, seed: int = 0, workers: int | None = None,
                    **sizes: int) -> dict[str, int]:
    """Draws a collection of landmarks: images and lists as Google Landmarks v2 and Revisited Oxford have them.

    The folder appears when it is complete; a complete one of the same arguments is left as it is. Until then, what is
    drawn waits in a hidden folder beside it, where an interrupted drawing goes on. The images depend on the seed and
    the sizes alone.

    Args:
        directory: Where the collection shall be.
        seed: Of everything that is left to chance.
        workers: Processes that draw; by default one per processor. 1 draws in this process.
        **sizes: How much is drawn, by the names of `Size`; its defaults make about 2,500 images.

    Returns:
        The number of images in each part, and of landmarks.

    Raises:
        UserError: The folder exists and is something else.
        ValueError: A size is too small.
    """
    directory, size = Path(directory), Size(**sizes)
    arguments = {"seed": seed, **asdict(size), "version": _VERSION}
    if (directory / "collection.json").exists():
        found = read_json(directory / "collection.json", {"arguments": dict, "counts": {str: int}})
        there = found["arguments"]
        other = [f"{key} {there.get(key)} instead of {value}" for key, value in arguments.items() if there.get(key) != value]
        if other:
            raise UserError(f"a collection of these arguments at {directory}", f"one with {', '.join(other)}",
                            "Choose another output folder or remove it.")
        logging.info("%s is drawn already", directory)
        return found["counts"]
    if directory.exists():
        raise UserError(f"no folder at {directory}", "one that exists", "Choose another output folder or remove it.")
    schedule = draw_schedule(seed, size)
    counts = {**{part: len(schedule[part]) for part in PARTS},
              "train_landmarks": len({shot.label for shot in schedule["train"]}),
              "benchmark_landmarks": len({shot.label for shot in schedule["test"]} - {None})}
    by_scene = defaultdict(list)
    for shot in chain.from_iterable(schedule.values()):
        by_scene[shot.scene].append(shot)
    partial = directory.parent / f".{directory.name}.partial"
    with lock_directory(partial):
        if (partial / "arguments.json").exists() and read_json(partial / "arguments.json") != arguments:
            for stale in ("collection", "facts"):
                shutil.rmtree(partial / stale, ignore_errors=True)
        write_json(partial / "arguments.json", arguments)
        tasks = [(str(partial), seed, size.long_side, shots) for shots in sorted(by_scene.values(), key=len, reverse=True)]
        drawn = progress(_draw_images(tasks, workers), "drawing", sum(len(shots) for shots in by_scene.values()))
        facts, folder = {each["path"]: each for each in drawn}, partial / "collection"
        write_gldv2(folder, seed, schedule, facts)
        write_revisited(folder / "revisited" / "gnd_synthetic.json", schedule, facts)
        write_json(folder / "collection.json", {"arguments": arguments, "counts": counts})
        os.replace(folder, directory)
        shutil.rmtree(partial)
    return counts


def draw_schedule(seed: int, size: Size) -> dict[str, list[Shot]]:
    """The images of a collection by `PARTS`, landmarks of very unequal frequency; equal arguments give equal ones."""
    rng, scenes, others = np.random.default_rng([seed, 0]), count(size.train_landmarks), size.distractors * 2 // 5

    def path(part: str, what: str) -> str:
        name = hashlib.sha256(f"{seed} {part} {what}".encode()).hexdigest()[:16]
        return f"{part}/{name[0]}/{name[1]}/{name[2]}/{name}.jpg"

    def shot(part: str, scene: int, view: int, label: int | None = None, landmark: bool = True) -> Shot:
        return Shot(path(part, f"{scene} {view} {label}"), scene, view, label, landmark)

    def views(landmarks: int, numbers: Iterable[int]) -> list[tuple[int, int]]:
        return list(product(islice(scenes, landmarks), numbers))

    def streets(images: int) -> list[tuple[int, int]]:
        return views(-(-images // _VIEWS_OF_A_STREET), range(_VIEWS_OF_A_STREET))[:images]

    weights = rng.lognormal(0, 0.6, size.train_landmarks)
    weights[rng.permutation(size.train_landmarks)[:size.train_landmarks // 25]] = 0
    sizes = 1 + rng.multinomial(size.train_landmarks * (size.train_views - 1), weights / weights.sum())
    train = [shot("train", scene, view, scene) for scene, images in enumerate(sizes) for view in range(images)]
    plenty = [place for place, each in enumerate(train) if sizes[each.label] > 2]
    wrong = _some(rng, plenty, _WRONG * len(train)) if size.train_landmarks > 1 else []
    cluttered = _some(rng, sorted(set(plenty) - set(wrong)), _CLUTTER * len(train))
    for place in wrong:
        other = (train[place].label + int(rng.integers(1, size.train_landmarks))) % size.train_landmarks
        train[place] = shot("train", other, 10_000 + place, train[place].label)
    for place, street in zip(cluttered, streets(len(cluttered)), strict=True):
        train[place] = shot("train", *street, train[place].label, False)
    train += [replace(train[place], path=path("train", f"copy of {train[place].path}"),
                      quality=int(rng.integers(40, 60)) if rng.random() < 0.5 else None)
              for place in _some(rng, list(range(len(train))), _TWICE * len(train))]
    benchmark = views(size.benchmark_landmarks, range(size.index_views + size.query_views))
    index = [shot("index", scene, view, scene) for scene, view in benchmark if view < size.index_views]
    index += [shot("index", scene, view, scene) for scene, view in views(-(-others // 2), range(2))[:others]]
    index += [shot("index", *street, landmark=False) for street in streets(size.distractors - others)]
    test = [shot("test", scene, view, scene) for scene, view in benchmark if view >= size.index_views]
    test += [shot("test", *street, landmark=False) for street in streets(max(1, len(test) // 8))]
    revisited = [Shot(f"revisited/jpg/landmark_{scene:04d}_{view:06d}.jpg", scene, view, scene,
                      kind=_KINDS[view % len(_KINDS)] if view > 2 else "easy")
                 for scene, view in views(max(2, size.benchmark_landmarks // 4), range(3 + 2 * size.index_views))]
    database = [each for each in revisited if each.view > 2]
    database += [Shot(f"revisited/jpg/street_{scene:04d}_{view:06d}.jpg", scene, view, landmark=False)
                 for scene, view in streets(size.distractors // 3)]
    return {"train": sorted(train, key=lambda each: each.image_id), "index": sorted(index, key=lambda each: each.image_id),
            "test": test, "revisited_index": [database[place] for place in rng.permutation(len(database))],
            "revisited_queries": [each for each in revisited if each.view < 3]}


def _some(rng: np.random.Generator, places: list[int], count: float) -> list[int]:
    """About `count` of the places, at least one where there are any."""
    count = min(max(1, round(count)), len(places))
    return sorted(rng.choice(places, count, replace=False).tolist()) if count else []


def _draw_images(tasks: Sequence[tuple], workers: int | None) -> Iterator[Facts]:
    """The facts of the images of all tasks, the arguments of `draw_images`, in the order in which they are drawn."""
    if workers == 1:
        for task in tasks:
            yield from draw_images(*task)
        return
    pool = ProcessPoolExecutor(workers or len(os.sched_getaffinity(0)), multiprocessing.get_context("spawn"), _start_worker)
    try:
        for future in as_completed([pool.submit(draw_images, *task) for task in tasks]):
            yield from future.result()
    finally:
        pool.shutdown(cancel_futures=True)


def _start_worker() -> None:
    """Sets up a worker: one thread, deaf to Ctrl-C (its parent hears it), and gone when its parent is."""
    cv2.setNumThreads(1)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()
    threading.Thread(target=lambda: (parent.join(), os._exit(1)), daemon=True).start()


def draw_images(partial: str, seed: int, long_side: int, shots: Sequence[Shot]) -> list[Facts]:
    """Draws the images of one scene into `partial`/collection, unless their facts are in `partial`/facts."""
    done = Path(partial, "facts", f"{shots[0].scene}.json")
    if done.exists():
        return read_json(done, [dict])
    scene = draw_scene(seed, shots[0].scene, long_side, shots[0].landmark)
    facts = []
    for shot in shots:
        view = draw_view(scene, shot.view, shot.kind)
        write_image(Path(partial, "collection", shot.path), view, shot)
        facts.append({"path": shot.path, "box": view.box, "visible": view.visible, "grade": view.grade})
    write_json(done, facts)
    return facts


def write_image(path: Path, view: View, shot: Shot) -> None:
    """Writes a JPEG file; outside the revisited layout, some are gray, and some are stored turned, as their EXIF says."""
    rng, plain = np.random.default_rng([shot.scene, shot.view]), shot.path.startswith("revisited")
    gray, turned, dated = rng.random(3) < (_GRAY, _TURNED, _DATED)
    orientation, exif = 1 if plain or not turned else int(rng.integers(2, 9)), Image.Exif()
    image = Image.fromarray(view.image).convert("L" if gray and not plain else "RGB")
    image = image.transpose(_STORED[orientation]) if orientation != 1 else image
    if orientation != 1 or shot.view % 2:
        exif[ExifTags.Base.Orientation] = orientation
    if dated:
        spans = ((2004, 2024), (1, 13), (1, 29), _HOURS[view.moment], (0, 60), (0, 60))
        date = "{}:{:02}:{:02} {:02}:{:02}:{:02}".format(*(rng.integers(*span) for span in spans))
        exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.DateTimeOriginal] = date
    path.parent.mkdir(parents=True, exist_ok=True)
    image.save(path, quality=shot.quality or view.quality, exif=exif)


def write_gldv2(folder: Path, seed: int, schedule: dict[str, list[Shot]], facts: dict[str, Facts]) -> None:
    """Writes the lists of Google Landmarks v2, their columns as in github.com/cvdfoundation/google-landmark."""
    train, index, test = (schedule[part] for part in PARTS[:3])
    scenes = 1 + max(shot.scene for shot in train + index + test)
    ids = np.cumsum(np.random.default_rng([seed, 4]).integers(3, 1500, scenes)).tolist()
    clean = _by_label(shot for shot in train if shot.scene == shot.label and facts[shot.path]["visible"] >= _HIDDEN)
    relevant = {None: ["None"], **_by_label(index)}
    answers = [(shot, shot.label is not None, ("Public", "Private")[place % 2]) for place, shot in enumerate(test)]
    for name, header, rows in (
            ("train", "id,url,landmark_id",
             [(shot.image_id, f"https://example.org/{shot.image_id}.jpg", ids[shot.label]) for shot in train]),
            ("train_clean", "landmark_id,images", [(ids[label], " ".join(images)) for label, images in clean.items()]),
            ("train_label_to_category", "landmark_id,category",
             [(ids[label], f"http://commons.wikimedia.org/wiki/Category:Drawn_landmark_{ids[label]}")
              for label in _by_label(train)]),
            ("index", "id", [(shot.image_id,) for shot in index]),
            ("test", "id", [(shot.image_id,) for shot in test]),
            ("index_image_to_landmark", "id,landmark_id",
             [(shot.image_id, ids[shot.label]) for shot in index if shot.label is not None]),
            ("retrieval_solution", "id,images,Usage",
             [(shot.image_id, " ".join(relevant[shot.label]), usage if known else "Ignored")
              for shot, known, usage in answers]),
            ("recognition_solution", "id,landmarks,Usage",
             [(shot.image_id, ids[shot.label] if known else "", usage) for shot, known, usage in answers])):
        write_csv(folder / f"{name}.csv", header.split(","), rows)


def write_revisited(path: Path, schedule: dict[str, list[Shot]], facts: dict[str, Facts]) -> None:
    """Writes the ground truth of the revisited layout: `imlist`, `qimlist`, and `gnd` with bbx, easy, hard and junk."""
    database, queries = schedule["revisited_index"], schedule["revisited_queries"]
    gnd = [{"bbx": [round(value, 1) for value in facts[query.path]["box"]],
            **{grade: [place for place, shot in enumerate(database)
                       if shot.label == query.scene and facts[shot.path]["grade"] == grade]
               for grade in ("easy", "hard", "junk")}} for query in queries]
    write_json(path, {"imlist": [shot.image_id for shot in database], "qimlist": [shot.image_id for shot in queries],
                      "gnd": gnd})


def _by_label(shots: Iterable[Shot]) -> dict[int, list[str]]:
    """The ids of each landmark's images, landmarks in order."""
    found = defaultdict(list)
    for shot in shots:
        if shot.label is not None:
            found[shot.label].append(shot.image_id)
    return dict(sorted(found.items()))
