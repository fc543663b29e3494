"""A benchmark of drawn walls, with photographs of others beside it."""

import csv

import cv2
import numpy as np

LANDMARKS, IMAGES = 5, 6


def wall(seed):
    """A wall with many corners, [120, 160, 3]."""
    random = np.random.default_rng(seed)
    image = np.full((120, 160, 3), 200, np.uint8)
    for x, y, w, h in random.integers([0, 0, 5, 5], [160, 120, 40, 40], (60, 4)).tolist():
        cv2.rectangle(image, (x, y), (x + w, y + h), random.integers(0, 256, 3).tolist(), -1)
    return image


def write_table(path, header, rows):
    with open(path, "w", newline="") as file:
        csv.writer(file).writerows([header, *rows])


def write_walls(folder):
    """Five walls, each from six places, in `folder / "photos"`; the first two are the benchmark."""
    for landmark in range(LANDMARKS):
        (folder / "photos" / f"wall{landmark}").mkdir(parents=True)
        for n in range(IMAGES):
            moved = cv2.warpAffine(wall(landmark), np.float32([[1, 0, 4 * n], [0, 1, -3 * n]]), (160, 120),
                                   borderMode=cv2.BORDER_REFLECT)
            cv2.imwrite(str(folder / "photos" / f"wall{landmark}" / f"{landmark}{n}.png"), moved)
    (folder / "benchmark").mkdir()
    write_table(folder / "benchmark" / "test.csv", ["id"], [["00"], ["10"]])
    index = [f"{landmark}{n}" for landmark in (0, 1) for n in range(1, IMAGES)]
    write_table(folder / "benchmark" / "index.csv", ["id"], [[name] for name in index])
    write_table(folder / "benchmark" / "retrieval_solution.csv", ["id", "images", "Usage"],
                [["00", " ".join(index[:5]), "Public"], ["10", " ".join(index[5:]), "Private"]])
