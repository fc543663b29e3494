"""Kinds of buildings: each turns a building's parameters into panels.

`PLANS` gives each kind its function and the least and greatest extent in metres.
"""

from collections.abc import Callable

from landmark_zoo.data.synthetic.mason import Mason
from landmark_zoo.data.synthetic.panel import Panel
from landmark_zoo.data.synthetic.plans.amphitheatre import amphitheatre
from landmark_zoo.data.synthetic.plans.aqueduct import aqueduct
from landmark_zoo.data.synthetic.plans.arch import arch
from landmark_zoo.data.synthetic.plans.bridge import bridge
from landmark_zoo.data.synthetic.plans.castle import castle
from landmark_zoo.data.synthetic.plans.cathedral import cathedral
from landmark_zoo.data.synthetic.plans.lattice import lattice
from landmark_zoo.data.synthetic.plans.lighthouse import lighthouse
from landmark_zoo.data.synthetic.plans.monument import monument
from landmark_zoo.data.synthetic.plans.mosque import mosque
from landmark_zoo.data.synthetic.plans.onionchurch import onionchurch
from landmark_zoo.data.synthetic.plans.pagoda import pagoda
from landmark_zoo.data.synthetic.plans.palace import palace
from landmark_zoo.data.synthetic.plans.pyramid import pyramid
from landmark_zoo.data.synthetic.plans.rotunda import rotunda
from landmark_zoo.data.synthetic.plans.skyscraper import skyscraper
from landmark_zoo.data.synthetic.plans.temple import temple
from landmark_zoo.data.synthetic.plans.townhall import townhall
from landmark_zoo.data.synthetic.plans.wheel import wheel

PLANS: dict[str, tuple[Callable[[Mason], list[Panel]], tuple[float, float]]] = {
    "cathedral": (cathedral, (60, 110)), "palace": (palace, (80, 140)), "temple": (temple, (40, 70)),
    "castle": (castle, (60, 110)), "arch": (arch, (26, 50)), "mosque": (mosque, (50, 90)),
    "skyscraper": (skyscraper, (120, 220)), "aqueduct": (aqueduct, (70, 130)), "monument": (monument, (22, 50)),
    "pagoda": (pagoda, (30, 60)), "townhall": (townhall, (50, 85)), "lattice": (lattice, (90, 180)),
    "onionchurch": (onionchurch, (40, 65)), "pyramid": (pyramid, (60, 130)),
    "amphitheatre": (amphitheatre, (80, 140)), "lighthouse": (lighthouse, (24, 45)), "wheel": (wheel, (60, 110)),
    "bridge": (bridge, (90, 160)), "rotunda": (rotunda, (40, 80)),
}
