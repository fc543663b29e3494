"""The first ground truth of Oxford and Paris, in the form of the revisited one."""

from collections.abc import Collection
from pathlib import Path
from typing import Any

from landmark_zoo.core.errors import UserError

_PREFIX = "oxc1_"
_QUERY = "_query.txt"


def first_ground_truth(texts: str | Path, image_ids: Collection[str]) -> dict[str, Any]:
    """Reads `<landmark>_<n>_{query,good,ok,junk}.txt` and returns imlist, qimlist and gnd.

    "easy" gets good and ok, "hard" nothing, "junk" junk: under the revisited rules Easy and Medium then are the first
    benchmarks' protocol (positives are good and ok, junk is removed, queries lie among the index images and count as
    their own positives; Philbin et al., CVPR 2007), and Hard has no query.

    Args:
        texts: The folder of the text files.
        image_ids: Ids of all index images.

    Returns:
        What `gnd_<name>.json` holds; places in imlist are sorted, imlist too.

    Raises:
        UserError: No query, a file that is missing or broken, or a named picture that is not in `image_ids`.
    """
    texts, imlist = Path(texts), sorted(image_ids)
    place = {image_id: number for number, image_id in enumerate(imlist)}
    stems = sorted(path.name.removesuffix(_QUERY) for path in texts.glob(f"*{_QUERY}"))
    if not stems:
        raise UserError(f"files *{_QUERY} in {texts}", "none", "Remove the folder and fetch it again.")
    queries, truth = [], []
    for stem in stems:
        query, box = _query(texts / f"{stem}{_QUERY}")
        lists = {kind: _places(texts / f"{stem}_{kind}.txt", place) for kind in ("good", "ok", "junk")}
        _known(query, place, texts)
        queries.append(query)
        truth.append({"bbx": box, "easy": sorted(lists["good"] | lists["ok"]), "hard": [],
                      "junk": sorted(lists["junk"] - lists["good"] - lists["ok"])})
    return {"imlist": imlist, "qimlist": queries, "gnd": truth}


def _query(path: Path) -> tuple[str, list[float]]:
    words = path.read_text(encoding="utf-8").split()
    try:
        name, *box = words
        return name.removeprefix(_PREFIX), [float(side) for side in box[:4]]
    except ValueError as error:
        raise UserError(f"a name and four numbers in {path}", " ".join(words)[:80] or "nothing",
                        "Remove the folder and fetch it again.") from error


def _places(path: Path, place: dict[str, int]) -> set[int]:
    if not path.is_file():
        raise UserError(f"a file {path.name} in {path.parent}", "none", "Remove the folder and fetch it again.")
    return {_known(name, place, path) for name in path.read_text(encoding="utf-8").split()}


def _known(name: str, place: dict[str, int], path: Path) -> int:
    if name not in place:
        raise UserError(f"a photograph {name}, which {path} names", "none", "Remove the folder and fetch it again.")
    return place[name]
