"""retrieval-SfM-120k: photographs of 713 clusters and their matching pairs."""

from landmark_zoo.data.download.remote_file import RemoteFile
from landmark_zoo.data.sources.source import Source

_BASE = "http://cmp.felk.cvut.cz/cnnimageretrieval/data/train"
_FOLDER = "sfm120k"


def sfm120k(name: str = "sfm120k") -> Source:
    """Returns the one archive of photographs (`ab/cd/ef/<cid>`, no suffix) and the list, a pickle.

    The addresses are those of cirtorch's `download.py`; no checksum is published and the sizes are rough. Reference:
    Radenovic, Tolias, Chum, TPAMI 2018.
    """
    return Source(name, _FOLDER, (
        RemoteFile(f"{_BASE}/dbs/retrieval-SfM-120k.pkl", f"{_FOLDER}/retrieval-SfM-120k.pkl", 60_000_000),
        RemoteFile(f"{_BASE}/ims/ims.tar.gz", f"{_FOLDER}/.archives/ims.tar.gz", 25_000_000_000,
                   unpack_to=f"{_FOLDER}/ims")))
