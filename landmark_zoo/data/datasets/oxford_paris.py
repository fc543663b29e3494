"""Oxford5k, Paris6k, their revisited versions and R1M: archives, layout and ground truth.

The archives are those that revisitop and cirtorch fetch (`-v1`, without blurred faces). No checksums are published, sizes
are rough, and the addresses could not be tried. References: Philbin et al., CVPR 2007 (Oxford5k) and CVPR 2008 (Paris6k);
Radenovic et al., Revisiting Oxford and Paris, CVPR 2018.
"""

from collections.abc import Collection
from pathlib import Path
from typing import Any

from landmark_zoo.core.errors import UserError
from landmark_zoo.data.datasets.image_formats import without_suffix
from landmark_zoo.data.download.fetch import RemoteFile, Source

IMAGE_FOLDERS = {"roxford5k": "oxford5k", "rparis6k": "paris6k"}
"""Revisited benchmark to the collection whose images it uses."""

CORRUPT = frozenset(f"paris_{name}" for name in (
    "louvre_000136", "louvre_000146", "moulinrouge_000422", "museedorsay_001059", "notredame_000188", "pantheon_000284",
    "pantheon_000960", "pantheon_000974", "pompidou_000195", "pompidou_000196", "pompidou_000201", "pompidou_000467",
    "pompidou_000640", "sacrecoeur_000299", "sacrecoeur_000330", "sacrecoeur_000353", "triomphe_000662",
    "triomphe_000833", "triomphe_000863", "triomphe_000867"))
"""Ids of the Paris6k files that hold a server's error page (the publishers' corrupt.txt)."""

_OXFORD = "https://www.robots.ox.ac.uk/~vgg/data/oxbuildings"
_PARIS = "https://www.robots.ox.ac.uk/~vgg/data/parisbuildings"
_REVISITED = "http://cmp.felk.cvut.cz/revisitop/data/datasets"
_R1M = "http://ptak.felk.cvut.cz/revisitop/revisitop1m"
_R1M_ARCHIVES = 100


def oxford5k(name: str = "oxford5k") -> Source:
    """Returns the images and the original ground truth of Oxford5k."""
    return Source(name, "oxford5k", (*_oxford5k_images(), _archive(_OXFORD, "gt_files_170407.tgz", "oxford5k/lab", 300_000)))


def paris6k(name: str = "paris6k") -> Source:
    """Returns the images and the original ground truth of Paris6k."""
    return Source(name, "paris6k", (*_paris6k_images(), _archive(_PARIS, "paris_120310.tgz", "paris6k/lab", 300_000)))


def revisited(name: str) -> Source:
    """Returns the ground truth of a revisited benchmark and the images of `IMAGE_FOLDERS[name]`, fetched once for both.

    Args:
        name: "roxford5k" or "rparis6k".
    """
    images = {"roxford5k": _oxford5k_images, "rparis6k": _paris6k_images}[name]()
    truth = RemoteFile(f"{_REVISITED}/{name}/gnd_{name}.pkl", f"{name}/gnd_{name}.pkl", 280_000)
    return Source(name, name, (truth, *images))


def revisitop1m(name: str = "revisitop1m") -> Source:
    """Returns the archives of R1M, `revisitop1m.1.tar.gz` to `.100.tar.gz`, and the list of the paths in them."""
    listing = RemoteFile(f"{_R1M}/revisitop1m.txt", "revisitop1m/revisitop1m.txt", 45_000_000)
    return Source(name, "revisitop1m", (listing, *(
        RemoteFile(f"{_R1M}/jpg/revisitop1m.{number}.tar.gz", f"revisitop1m/.archives/revisitop1m.{number}.tar.gz",
                   4_400_000_000, unpack_to="revisitop1m/jpg") for number in range(1, _R1M_ARCHIVES + 1))))


def _oxford5k_images() -> tuple[RemoteFile, ...]:
    return (_archive(_OXFORD, "oxbuild_images-v1.tgz", "oxford5k/jpg", 1_980_000_000),)


def _paris6k_images() -> tuple[RemoteFile, ...]:
    """Returns the two archives, whose folders `paris/<landmark>/` unpack into one."""
    return tuple(_archive(_PARIS, f"paris_{part}-v1.tgz", "paris6k/jpg", 1_250_000_000) for part in (1, 2))


def _archive(base: str, name: str, unpack_to: str, about_bytes: int) -> RemoteFile:
    folder = unpack_to.split("/")[0]
    return RemoteFile(f"{base}/{name}", f"{folder}/.archives/{name}", about_bytes, unpack_to=unpack_to, flatten=True)


_QUERY_PREFIX, _QUERY_SUFFIX = "oxc1_", "_query.txt"


def read_text_ground_truth(texts: str | Path, image_ids: Collection[str]) -> dict[str, Any]:
    """Reads the original ground truth, `<landmark>_<n>_{query,good,ok,junk}.txt`, in the format of the revisited one.

    "easy" gets good and ok, "hard" nothing, "junk" junk. Under the revisited rules, Easy and Medium then are the original
    protocol (positives are good and ok, junk is removed, queries are index images and count as their own positives;
    Philbin et al., CVPR 2007), and Hard has no query.

    Args:
        texts: Folder of the text files.
        image_ids: Ids of all index images.

    Returns:
        The content of `gnd_<name>.json`: imlist (sorted), qimlist and gnd, whose lists are sorted indices into imlist.

    Raises:
        UserError: No query, a file that is missing or broken, or a named image that is not in `image_ids`.
    """
    texts, imlist = Path(texts), sorted(image_ids)
    index_of = {image_id: index for index, image_id in enumerate(imlist)}
    stems = sorted(path.name.removesuffix(_QUERY_SUFFIX) for path in texts.glob(f"*{_QUERY_SUFFIX}"))
    if not stems:
        raise UserError(f"files *{_QUERY_SUFFIX} in {texts}", "none", "Remove the folder and fetch it again.")
    queries, truth = [], []
    for stem in stems:
        query, box = _read_query(texts / f"{stem}{_QUERY_SUFFIX}")
        lists = {kind: _read_indices(texts / f"{stem}_{kind}.txt", index_of) for kind in ("good", "ok", "junk")}
        queries.append(imlist[_known_index(query, index_of, texts)])
        truth.append({"bbx": box, "easy": sorted(lists["good"] | lists["ok"]), "hard": [],
                      "junk": sorted(lists["junk"] - lists["good"] - lists["ok"])})
    return {"imlist": imlist, "qimlist": queries, "gnd": truth}


def _read_query(path: Path) -> tuple[str, list[float]]:
    words = path.read_text(encoding="utf-8").split()
    try:
        name, *box = words
        return name.removeprefix(_QUERY_PREFIX), [float(side) for side in box[:4]]
    except ValueError as error:
        raise UserError(f"a name and four numbers in {path}", " ".join(words)[:80] or "nothing",
                        "Remove the folder and fetch it again.") from error


def _read_indices(path: Path, index_of: dict[str, int]) -> set[int]:
    if not path.is_file():
        raise UserError(f"a file {path.name} in {path.parent}", "none", "Remove the folder and fetch it again.")
    return {_known_index(name, index_of, path) for name in path.read_text(encoding="utf-8").split()}


def _known_index(name: str, index_of: dict[str, int], path: Path) -> int:
    found = index_of.get(name, index_of.get(without_suffix(name)))
    if found is None:
        raise UserError(f"an image {name}, which {path} names", "none", "Remove the folder and fetch it again.")
    return found
