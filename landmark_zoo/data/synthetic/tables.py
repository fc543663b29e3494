"""The lists that lie beside the pictures."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path

from landmark_zoo.core.files import write_csv, write_json
from landmark_zoo.data.synthetic.darkroom import Truth
from landmark_zoo.data.synthetic.names import invented_names
from landmark_zoo.data.synthetic.schedule import Schedule
from landmark_zoo.data.synthetic.shot import Shot

_HIDDEN = 0.05


def write_gldv2_tables(folder: Path, seed: int, schedule: Schedule, truths: Mapping[str, Truth]) -> None:
    """Writes GLDv2's lists, their columns as in github.com/cvdfoundation/google-landmark.

    Args:
        folder: The collection.
        seed: Of the collection, for the names.
        schedule: What it holds.
        truths: What its pictures show, by path.
    """
    ids = schedule.landmark_ids
    names = invented_names(seed, schedule.plans)
    write_csv(folder / "train.csv", ["id", "url", "landmark_id"],
              ([shot.image_id, _url(shot, names[shot.label]), ids[shot.label]] for shot in schedule.train))
    clean = _by_label(shot for shot in schedule.train
                      if shot.site == shot.label and truths[shot.path].visible >= _HIDDEN)
    write_csv(folder / "train_clean.csv", ["landmark_id", "images"],
              ([ids[site], " ".join(images)] for site, images in clean.items()))
    write_csv(folder / "train_label_to_category.csv", ["landmark_id", "category"],
              ([ids[site], f"http://commons.wikimedia.org/wiki/Category:{names[site]}"]
               for site in _by_label(schedule.train)))
    write_csv(folder / "index.csv", ["id"], ([shot.image_id] for shot in schedule.index))
    write_csv(folder / "test.csv", ["id"], ([shot.image_id] for shot in schedule.test))
    write_csv(folder / "index_image_to_landmark.csv", ["id", "landmark_id"],
              ([shot.image_id, ids[shot.label]] for shot in schedule.index if shot.label is not None))
    index = _by_label(schedule.index)
    usages = [("Public", "Private")[number % 2] for number in range(len(schedule.test))]
    write_csv(folder / "retrieval_solution.csv", ["id", "images", "Usage"],
              ([shot.image_id, *(("None", "Ignored") if shot.label is None else (" ".join(index[shot.label]), usage))]
               for shot, usage in zip(schedule.test, usages, strict=True)))
    write_csv(folder / "recognition_solution.csv", ["id", "landmarks", "Usage"],
              ([shot.image_id, "" if shot.label is None else ids[shot.label], usage]
               for shot, usage in zip(schedule.test, usages, strict=True)))


def write_revisited(path: Path, schedule: Schedule, truths: Mapping[str, Truth]) -> None:
    """Writes the ground truth of the revisited set: `imlist`, `qimlist`, and `gnd` with bbx, easy, hard and junk."""
    gnd = []
    for query in schedule.revisited_queries:
        box = truths[query.path].box
        lists = {grade: [place for place, shot in enumerate(schedule.revisited_index)
                         if shot.label == query.site and truths[shot.path].grade == grade]
                 for grade in ("easy", "hard", "junk")}
        gnd.append({"bbx": [round(value, 1) for value in box], **lists})
    write_json(path, {"imlist": [shot.image_id for shot in schedule.revisited_index],
                      "qimlist": [shot.image_id for shot in schedule.revisited_queries], "gnd": gnd})


def _by_label(shots: Iterable[Shot]) -> dict[int, list[str]]:
    """Returns the ids of each landmark's pictures, landmarks in order."""
    found = defaultdict(list)
    for shot in shots:
        if shot.label is not None:
            found[shot.label].append(shot.image_id)
    return dict(sorted(found.items()))


def _url(shot: Shot, name: str) -> str:
    return f"https://example.org/commons/{shot.image_id[0]}/{shot.image_id[:2]}/{name}_{shot.image_id[-4:]}.jpg"
