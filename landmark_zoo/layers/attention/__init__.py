"""The attention blocks, one file per method, and their place in the taxonomy of Song, Han and Avrithis (WACV 2022).

A new method is one file, one row of `ATTENTION` and one test.
"""

from landmark_zoo.core.registry import Registry
from landmark_zoo.layers.attention.a2 import DoubleAttention
from landmark_zoo.layers.attention.aa import AttentionAugmentedConvolution
from landmark_zoo.layers.attention.agem import AGeMAttention
from landmark_zoo.layers.attention.bam import BAM
from landmark_zoo.layers.attention.base import Attention
from landmark_zoo.layers.attention.cbam import CBAM, CBAMChannel, CBAMSpatial
from landmark_zoo.layers.attention.crn import ContextualReweighting
from landmark_zoo.layers.attention.crow import CroW
from landmark_zoo.layers.attention.delf import DELF, DELG
from landmark_zoo.layers.attention.eca import EfficientChannelAttention
from landmark_zoo.layers.attention.gc import GlobalContext
from landmark_zoo.layers.attention.ge import GatherExcite
from landmark_zoo.layers.attention.glam import GLAM
from landmark_zoo.layers.attention.glam_global import GLAMGlobal, GLAMGlobalChannel, GLAMGlobalSpatial
from landmark_zoo.layers.attention.glam_local import GLAMLocal, GLAMLocalChannel, GLAMLocalSpatial
from landmark_zoo.layers.attention.gsop import GlobalSecondOrderPooling
from landmark_zoo.layers.attention.how import HOW
from landmark_zoo.layers.attention.method import Method
from landmark_zoo.layers.attention.n3 import NeuralNearestNeighbours
from landmark_zoo.layers.attention.non_local import NonLocal
from landmark_zoo.layers.attention.ona import OnlineAggregation
from landmark_zoo.layers.attention.san import SANBlock, SelfAttentionModule
from landmark_zoo.layers.attention.se import SqueezeExcitation
from landmark_zoo.layers.attention.solar import SecondOrderAttention

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
    Method("ge_minus", GatherExcite, _GE, **LOCAL_CHANNEL, learned=False,
           arguments={"variant": "theta_minus", "extent": 0}),
    Method("ge_minus_extent", GatherExcite, _GE, **LOCAL, learned=False, arguments={"variant": "theta_minus"}),
    Method("ge", GatherExcite, _GE, **LOCAL),
    Method("ge_plus", GatherExcite, _GE, **LOCAL, arguments={"variant": "theta_plus"}),
    Method("nl_gaussian", NonLocal, _NON_LOCAL, **GLOBAL_SPATIAL, arguments={"kind": "gaussian"}),
    Method("nl_embedded", NonLocal, _NON_LOCAL, **GLOBAL_SPATIAL, arguments={"kind": "embedded"}),
    Method("nl_dot", NonLocal, _NON_LOCAL, **GLOBAL_SPATIAL, arguments={"kind": "dot"}),
    Method("aa", AttentionAugmentedConvolution, _AA, **GLOBAL_SPATIAL, replacement=AttentionAugmentedConvolution),
    Method("san_pairwise", SANBlock, _SAN, **GLOBAL_SPATIAL, arguments={"kind": "pairwise"},
           replacement=SelfAttentionModule),
    Method("san_patchwise", SANBlock, _SAN, **GLOBAL_SPATIAL, arguments={"kind": "patchwise"},
           replacement=SelfAttentionModule),
    Method("n3", NeuralNearestNeighbours, _N3, **GLOBAL_SPATIAL),
    Method("a2", DoubleAttention, _A2, **GLOBAL_CHANNEL),
    Method("gsop_channel", GlobalSecondOrderPooling, _GSOP, **GLOBAL_CHANNEL, arguments={"along": "channel"}),
    Method("gsop_position", GlobalSecondOrderPooling, _GSOP, **GLOBAL_SPATIAL, arguments={"along": "position"}),
    Method("ona", OnlineAggregation, _ONA, **LOCAL_SPATIAL, **RETRIEVAL, learned=False),
    Method("agem", AGeMAttention, _AGEM, **LOCAL_SPATIAL, **RETRIEVAL),
    Method("agem_sum", AGeMAttention, _AGEM, **LOCAL_SPATIAL, **RETRIEVAL, arguments={"form": "sum"}),
    Method("agem_deep", AGeMAttention, _AGEM, **LOCAL_SPATIAL, **RETRIEVAL, arguments={"deep": True}),
    Method("crow", CroW, _CROW, **LOCAL, **RETRIEVAL, learned=False),
    Method("crn", ContextualReweighting, _CRN, **LOCAL_SPATIAL, **RETRIEVAL),
    Method("delf", DELF, _DELF, **LOCAL_SPATIAL, **RETRIEVAL),
    Method("delg", DELG, _DELG, **LOCAL_SPATIAL, **RETRIEVAL),
    Method("how", HOW, _HOW, **LOCAL_SPATIAL, **RETRIEVAL, learned=False),
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

__all__ = ["ATTENTION", "Attention", "Method"]
