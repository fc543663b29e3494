"""Table of attention methods and their place in the taxonomy of Song, Han and Avrithis (WACV 2022, table 1).

A new method is one file, one row of `ATTENTION` and one test.

Example:
    >>> ATTENTION.list("gc*")
    ['gc_add', 'gc_mul']
    >>> ATTENTION["cbam"].quadrant
    'local spatial + local channel'
    >>> ATTENTION["se"].create(reduction=4).reduction
    4
    >>> ATTENTION["glam_local"].maps
    {'local_channel': 'gate', 'local_spatial': 'signed'}
"""

import dataclasses
from collections.abc import Iterable, Mapping

from landmark_zoo.core.registry import Registry
from landmark_zoo.layers.attention.a2 import DoubleAttention
from landmark_zoo.layers.attention.aa import AttentionAugmentedConvolution
from landmark_zoo.layers.attention.agem import AGeMAttention
from landmark_zoo.layers.attention.bam import BAM
from landmark_zoo.layers.attention.base import GATE, SCORE, SHARE, SIGNED, Attention
from landmark_zoo.layers.attention.cbam import CBAM, CBAMChannel, CBAMSpatial
from landmark_zoo.layers.attention.crn import ContextualReweighting
from landmark_zoo.layers.attention.crow import CroW
from landmark_zoo.layers.attention.delf import DELF, DELG
from landmark_zoo.layers.attention.eca import EfficientChannelAttention
from landmark_zoo.layers.attention.gc import GlobalContext
from landmark_zoo.layers.attention.ge import GatherExcite
from landmark_zoo.layers.attention.glam import GLAM, GLAMGlobal, GLAMGlobalChannel, GLAMGlobalSpatial
from landmark_zoo.layers.attention.glam_local import GLAMLocal, GLAMLocalChannel, GLAMLocalSpatial
from landmark_zoo.layers.attention.gsop import GlobalSecondOrderPooling
from landmark_zoo.layers.attention.how import HOW
from landmark_zoo.layers.attention.n3 import NeuralNearestNeighbors
from landmark_zoo.layers.attention.non_local import NonLocal
from landmark_zoo.layers.attention.ona import OnlineAggregation
from landmark_zoo.layers.attention.san import SANBlock, SelfAttentionModule
from landmark_zoo.layers.attention.se import SqueezeExcitation
from landmark_zoo.layers.attention.solar import SecondOrderAttention


@dataclasses.dataclass(frozen=True)
class Method:
    """An attention method and its place in the taxonomy of Song, Han and Avrithis (WACV 2022, table 1).

    Attributes:
        name: Name of the method in model names; the stem of its file where `layer` has no variants.
        layer: Class of the block.
        paper: Authors, title, venue.
        local_channel: Weighs channels by themselves, e.g. SE.
        local_spatial: Weighs locations by themselves, e.g. the spatial half of CBAM.
        global_channel: Lets channels interact pairwise.
        global_spatial: Lets locations interact pairwise.
        learned: Whether the table calls it learned. It does so of HOW, whose block has no weights of its own but whose
            features are trained under it, and not of AGeM, whose block has.
        used_in_retrieval: Whether its paper applies it to instance retrieval.
        arguments: Arguments of the constructor for this row.
        replacement: The layer of the method that stands in for a convolution, with its `filters`; None if it has none.
    """

    name: str
    layer: type[Attention]
    paper: str
    local_channel: bool = False
    local_spatial: bool = False
    global_channel: bool = False
    global_spatial: bool = False
    learned: bool = True
    used_in_retrieval: bool = False
    arguments: Mapping[str, object] = dataclasses.field(default_factory=dict)
    replacement: type[Attention] | None = None

    def create(self, **overrides) -> Attention:
        """Makes the layer with this row's arguments."""
        return self.layer(**{**self.arguments, **overrides})

    def create_replacement(self, filters: int, **overrides) -> Attention:
        """Makes the layer that stands in for a convolution of so many filters, with this row's arguments.

        Raises:
            ValueError: A method that replaces no convolution.
        """
        if self.replacement is None:
            raise ValueError(f"create_replacement: expected a method that can replace a convolution; received {self.name}.")
        return self.replacement(filters=filters, **{**self.arguments, **overrides})

    @property
    def maps(self) -> dict[str, str]:
        """Kind of each attention map by name; see `map_kinds`."""
        return map_kinds(self.create())

    @property
    def quadrant(self) -> str:
        """Place in the taxonomy in words, e.g. "local spatial + local channel"."""
        marked = [place for place in ("local_spatial", "local_channel", "global_spatial", "global_channel")
                  if getattr(self, place)]
        return " + ".join(place.replace("_", " ") for place in marked)


_AA = "Bello et al., Attention Augmented Convolutional Networks, ICCV 2019"
_A2 = "Chen et al., A2-Nets: Double Attention Networks, NeurIPS 2018"
_AGEM = "Gu et al., Attention-aware Generalized Mean Pooling for Image Retrieval, arXiv 2018"
_BAM = "Park et al., BAM: Bottleneck Attention Module, BMVC 2018"
_CBAM = "Woo et al., CBAM: Convolutional Block Attention Module, ECCV 2018"
_CRN = "Kim et al., Learned Contextual Feature Reweighting for Image Geo-Localization, CVPR 2017"
_CROW = "Kalantidis et al., Cross-Dimensional Weighting for Aggregated Deep Convolutional Features, ECCV Workshops 2016"
_DELF = "Noh et al., Large-Scale Image Retrieval with Attentive Deep Local Features, ICCV 2017"
_DELG = "Cao et al., Unifying Deep Local and Global Features for Image Search, ECCV 2020"
_ECA = "Wang et al., ECA-Net: Efficient Channel Attention for Deep Convolutional Neural Networks, CVPR 2020"
_GC = "Cao et al., GCNet: Non-local Networks Meet Squeeze-Excitation Networks and Beyond, ICCV Workshops 2019"
_GE = "Hu et al., Gather-Excite: Exploiting Feature Context in Convolutional Neural Networks, NeurIPS 2018"
_GLAM = ("Song et al., All the Attention You Need: Global-Local, Spatial-Channel Attention for Image Retrieval, "
         "WACV 2022")
_GSOP = "Gao et al., Global Second-order Pooling Convolutional Networks, CVPR 2019"
_HOW = "Tolias et al., Learning and Aggregating Deep Local Descriptors for Instance-Level Recognition, ECCV 2020"
_N3 = "Ploetz and Roth, Neural Nearest Neighbors Networks, NeurIPS 2018"
_NON_LOCAL = "Wang et al., Non-local Neural Networks, CVPR 2018"
_ONA = "Jimenez et al., Class-Weighted Convolutional Features for Visual Instance Search, BMVC 2017"
_SAN = "Zhao et al., Exploring Self-Attention for Image Recognition, CVPR 2020"
_SE = "Hu et al., Squeeze-and-Excitation Networks, CVPR 2018"
_SOLAR = "Ng et al., SOLAR: Second-Order Loss and Attention for Image Retrieval, ECCV 2020"

LOCAL_CHANNEL, LOCAL_SPATIAL = {"local_channel": True}, {"local_spatial": True}
LOCAL = {**LOCAL_CHANNEL, **LOCAL_SPATIAL}
GLOBAL_CHANNEL, GLOBAL_SPATIAL = {"global_channel": True}, {"global_spatial": True}
GLOBAL = {**GLOBAL_CHANNEL, **GLOBAL_SPATIAL}
RETRIEVAL = {"used_in_retrieval": True}

ATTENTION: Registry[Method] = Registry("attention block")

for _method in (
    Method("se", SqueezeExcitation, _SE, **LOCAL_CHANNEL),
    Method("eca", EfficientChannelAttention, _ECA, **LOCAL_CHANNEL),
    Method("gc_add", GlobalContext, _GC, **LOCAL_CHANNEL),
    Method("gc_mul", GlobalContext, _GC, **LOCAL_CHANNEL, arguments={"fusion": "mul"}),
    Method("channel", CBAMChannel, _CBAM, **LOCAL_CHANNEL),
    Method("spatial", CBAMSpatial, _CBAM, **LOCAL_SPATIAL),
    Method("cbam", CBAM, _CBAM, **LOCAL),
    Method("bam", BAM, _BAM, **LOCAL),
    Method("bam_sum", BAM, _BAM, **LOCAL, arguments={"form": "sum"}),
    Method("ge_minus", GatherExcite, _GE, **LOCAL_SPATIAL, learned=False,
           arguments={"variant": "theta_minus", "extent": 0}),
    Method("ge_minus_extent", GatherExcite, _GE, **LOCAL_SPATIAL, learned=False, arguments={"variant": "theta_minus"}),
    Method("ge", GatherExcite, _GE, **LOCAL_SPATIAL),
    Method("ge_plus", GatherExcite, _GE, **LOCAL_SPATIAL, arguments={"variant": "theta_plus"}),
    Method("nl_gaussian", NonLocal, _NON_LOCAL, **GLOBAL_SPATIAL, arguments={"kind": "gaussian"}),
    Method("nl_embedded", NonLocal, _NON_LOCAL, **GLOBAL_SPATIAL, arguments={"kind": "embedded"}),
    Method("nl_dot", NonLocal, _NON_LOCAL, **GLOBAL_SPATIAL, arguments={"kind": "dot"}),
    Method("aa", AttentionAugmentedConvolution, _AA, **GLOBAL_SPATIAL, replacement=AttentionAugmentedConvolution),
    Method("san_pairwise", SANBlock, _SAN, **GLOBAL_SPATIAL, arguments={"kind": "pairwise"},
           replacement=SelfAttentionModule),
    Method("san_patchwise", SANBlock, _SAN, **GLOBAL_SPATIAL, arguments={"kind": "patchwise"},
           replacement=SelfAttentionModule),
    Method("n3", NeuralNearestNeighbors, _N3, **GLOBAL_SPATIAL),
    Method("a2", DoubleAttention, _A2, **GLOBAL_CHANNEL),
    Method("gsop_channel", GlobalSecondOrderPooling, _GSOP, **GLOBAL_CHANNEL, arguments={"along": "channel"}),
    Method("gsop_position", GlobalSecondOrderPooling, _GSOP, **GLOBAL_SPATIAL, arguments={"along": "position"}),
    Method("ona", OnlineAggregation, _ONA, **LOCAL_SPATIAL, **RETRIEVAL, learned=False),
    Method("agem", AGeMAttention, _AGEM, **LOCAL_SPATIAL, **RETRIEVAL, learned=False),
    Method("agem_sum", AGeMAttention, _AGEM, **LOCAL_SPATIAL, **RETRIEVAL, learned=False, arguments={"form": "sum"}),
    Method("agem_deep", AGeMAttention, _AGEM, **LOCAL_SPATIAL, **RETRIEVAL, learned=False, arguments={"deep": True}),
    Method("crow", CroW, _CROW, **LOCAL, **RETRIEVAL, learned=False),
    Method("crn", ContextualReweighting, _CRN, **LOCAL_SPATIAL, **RETRIEVAL),
    Method("delf", DELF, _DELF, **LOCAL_SPATIAL, **RETRIEVAL),
    Method("delg", DELG, _DELG, **LOCAL_SPATIAL, **RETRIEVAL),
    Method("how", HOW, _HOW, **LOCAL_SPATIAL, **RETRIEVAL),
    Method("solar", SecondOrderAttention, _SOLAR, **GLOBAL_SPATIAL, **RETRIEVAL),
    Method("glam_local_channel", GLAMLocalChannel, _GLAM, **LOCAL_CHANNEL, **RETRIEVAL),
    Method("glam_local_spatial", GLAMLocalSpatial, _GLAM, **LOCAL_SPATIAL, **RETRIEVAL),
    Method("glam_local", GLAMLocal, _GLAM, **LOCAL, **RETRIEVAL),
    Method("glam_global_channel", GLAMGlobalChannel, _GLAM, **GLOBAL_CHANNEL, **RETRIEVAL),
    Method("glam_global_spatial", GLAMGlobalSpatial, _GLAM, **GLOBAL_SPATIAL, **RETRIEVAL),
    Method("glam_global", GLAMGlobal, _GLAM, **GLOBAL, **RETRIEVAL),
    Method("glam", GLAM, _GLAM, **LOCAL, **GLOBAL, **RETRIEVAL),
):
    ATTENTION.add(_method.name, _method)


_MAPS: Mapping[type[Attention], Mapping[str, str]] = {
    SqueezeExcitation: {"se": GATE}, EfficientChannelAttention: {"eca": GATE}, GlobalContext: {"context": SHARE, "gc": GATE},
    CBAMChannel: {"channel": GATE}, CBAMSpatial: {"spatial": GATE}, CBAM: {"channel": GATE, "spatial": GATE},
    BAM: {"bam": GATE}, GatherExcite: {"ge": GATE}, AGeMAttention: {"agem": GATE}, NonLocal: {"non_local": SHARE},
    AttentionAugmentedConvolution: {"aa": SHARE}, SANBlock: {"san_pairwise": SHARE, "san_patchwise": SIGNED},
    SelfAttentionModule: {"san_pairwise": SHARE, "san_patchwise": SIGNED}, NeuralNearestNeighbors: {"n3": SHARE},
    DoubleAttention: {"a2": SHARE}, GlobalSecondOrderPooling: {"gsop_channel": GATE, "gsop_position": GATE},
    OnlineAggregation: {"ona": GATE}, CroW: {"crow_spatial": SCORE, "crow_channel": SCORE},
    ContextualReweighting: {"crn": SCORE}, DELF: {"score": SCORE}, DELG: {"score": SCORE}, HOW: {"how": GATE},
    SecondOrderAttention: {"solar": SHARE}, GLAMLocalChannel: {"local_channel": GATE},
    GLAMLocalSpatial: {"local_spatial": SIGNED}, GLAMLocal: {"local_channel": GATE, "local_spatial": SIGNED},
    GLAMGlobalChannel: {"global_channel": SHARE}, GLAMGlobalSpatial: {"global_spatial": SHARE},
    GLAMGlobal: {"global_channel": SHARE, "global_spatial": SHARE},
    GLAM: {"local_channel": GATE, "local_spatial": SIGNED, "global_channel": SHARE, "global_spatial": SHARE},
}


def map_kinds(layer: Attention) -> dict[str, str]:
    """Returns the kind of each map that a block may give, by the map's name: a value of `base.MAP_KINDS`.

    """
    if isinstance(layer, NonLocal) and layer.kind == "dot":
        return {"non_local": SIGNED}
    return dict(_MAPS.get(type(layer), {}))


PLACES = ("local_spatial", "local_channel", "global_spatial", "global_channel")
HEADER = ("name", "local spatial", "local channel", "global spatial", "global channel", "learned", "retrieval", "paper")


def taxonomy_table(methods: Iterable[Method]) -> str:
    """Returns one Markdown row per method; names link to the file of the layer."""
    lines = [f"| {' | '.join(HEADER)} |", "|---" + "|:-:" * 6 + "|---|"]
    for method in methods:
        file = f"{method.layer.__module__.replace('.', '/')}.py"
        marks = [getattr(method, mark) for mark in (*PLACES, "learned", "used_in_retrieval")]
        cells = [f"[{method.name}]({file})", *("x" if mark else "" for mark in marks), method.paper]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)
