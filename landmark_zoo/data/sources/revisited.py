"""Revisited Oxford and Paris: the old photographs, a new ground truth."""

from landmark_zoo.data.download.remote_file import RemoteFile
from landmark_zoo.data.sources.oxford5k import oxford5k_photographs
from landmark_zoo.data.sources.paris6k import paris6k_photographs
from landmark_zoo.data.sources.source import Source

PHOTOGRAPHS = {"roxford5k": "oxford5k", "rparis6k": "paris6k"}
"""Whose photographs each uses."""

_BASE = "http://cmp.felk.cvut.cz/revisitop/data/datasets"


def revisited(name: str) -> Source:
    """Returns the ground truth and the photographs of `PHOTOGRAPHS[name]`, which are fetched once for both.

    The address is that of revisitop's `download.py`; it could not be tried. Reference: Radenovic et al., CVPR 2018.

    Args:
        name: "roxford5k" or "rparis6k".
    """
    photographs = {"roxford5k": oxford5k_photographs, "rparis6k": paris6k_photographs}[name]()
    truth = RemoteFile(f"{_BASE}/{name}/gnd_{name}.pkl", f"{name}/gnd_{name}.pkl", 280_000)
    return Source(name, name, (truth, *photographs))
