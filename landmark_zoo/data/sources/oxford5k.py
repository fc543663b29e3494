"""Oxford5k: 5,063 photographs, 55 queries."""

from landmark_zoo.data.download.remote_file import RemoteFile
from landmark_zoo.data.sources.source import Source

_BASE = "https://www.robots.ox.ac.uk/~vgg/data/oxbuildings"
_FOLDER = "oxford5k"


def oxford5k(name: str = "oxford5k") -> Source:
    """Returns photographs and the first ground truth.

    The archive is the one that revisitop and cirtorch fetch (`-v1`, without blurred faces). No checksum is published, the
    sizes are rough, and the addresses could not be tried. Reference: Philbin et al., CVPR 2007.
    """
    return Source(name, _FOLDER, (
        *oxford5k_photographs(),
        RemoteFile(f"{_BASE}/gt_files_170407.tgz", f"{_FOLDER}/.archives/gt_files_170407.tgz", 300_000,
                   unpack_to=f"{_FOLDER}/lab", flatten=True)))


def oxford5k_photographs() -> tuple[RemoteFile, ...]:
    """Returns the archive of the photographs."""
    return (RemoteFile(f"{_BASE}/oxbuild_images-v1.tgz", f"{_FOLDER}/.archives/oxbuild_images-v1.tgz", 1_980_000_000,
                       unpack_to=f"{_FOLDER}/jpg", flatten=True),)
