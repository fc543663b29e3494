"""Paris6k: 6,412 photographs of which 20 were never readable, 55 queries."""

from landmark_zoo.data.download.remote_file import RemoteFile
from landmark_zoo.data.sources.source import Source

CORRUPT = frozenset(f"paris_{name}" for name in (
    "louvre_000136", "louvre_000146", "moulinrouge_000422", "museedorsay_001059", "notredame_000188", "pantheon_000284",
    "pantheon_000960", "pantheon_000974", "pompidou_000195", "pompidou_000196", "pompidou_000201", "pompidou_000467",
    "pompidou_000640", "sacrecoeur_000299", "sacrecoeur_000330", "sacrecoeur_000353", "triomphe_000662",
    "triomphe_000833", "triomphe_000863", "triomphe_000867"))
"""Ids of the files that hold a server's error page (the publishers' corrupt.txt)."""

_BASE = "https://www.robots.ox.ac.uk/~vgg/data/parisbuildings"
_FOLDER = "paris6k"


def paris6k(name: str = "paris6k") -> Source:
    """Returns photographs and the first ground truth.

    The archives are those that revisitop and cirtorch fetch (`-v1`, without blurred faces). No checksum is published, the
    sizes are rough, and the addresses could not be tried. Reference: Philbin et al., CVPR 2008.
    """
    return Source(name, _FOLDER, (
        *paris6k_photographs(),
        RemoteFile(f"{_BASE}/paris_120310.tgz", f"{_FOLDER}/.archives/paris_120310.tgz", 300_000,
                   unpack_to=f"{_FOLDER}/lab", flatten=True)))


def paris6k_photographs() -> tuple[RemoteFile, ...]:
    """Returns the two archives of the photographs, which unpack from `paris/<landmark>/` into one folder."""
    return tuple(RemoteFile(f"{_BASE}/paris_{part}-v1.tgz", f"{_FOLDER}/.archives/paris_{part}-v1.tgz", 1_250_000_000,
                            unpack_to=f"{_FOLDER}/jpg", flatten=True) for part in (1, 2))
