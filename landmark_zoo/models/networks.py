"""The networks that are more than backbone, block, pooling and head: a row each, for any backbone."""

import dataclasses
from collections.abc import Callable, Mapping

import tensorflow as tf

from landmark_zoo.core.registry import Registry
from landmark_zoo.models.attention_branch_network import build_attention_branch_network
from landmark_zoo.models.delf import build_delf
from landmark_zoo.models.delg import build_delg
from landmark_zoo.models.faulty_abn import build_faulty_abn
from landmark_zoo.models.frozen_classifier import build_frozen_classifier
from landmark_zoo.models.how import build_how
from landmark_zoo.models.solar import build_solar


@dataclasses.dataclass(frozen=True)
class Network:
    """A network with a builder of its own.

    Attributes:
        name: In model names: `<backbone>_<name>`.
        builder: Called with a backbone and the arguments of `build_model` that it knows.
        paper: Where it comes from.
        arguments: What the builder is called with for this row.
    """

    name: str
    builder: Callable[..., tf.keras.Model]
    paper: str
    arguments: Mapping[str, object] = dataclasses.field(default_factory=dict)


_ABN = "Fukui et al., Attention Branch Network, CVPR 2019"
_STUDY = "27 landmarks of GLDv1, after Simonyan and Zisserman, Very Deep Convolutional Networks, ICLR 2015"

NETWORKS: Registry[Network] = Registry("network")

for _network in (
    Network("abn", build_attention_branch_network, _ABN),
    Network("abn_dense", build_attention_branch_network, f"{_ABN}; on the last map under dense layers",
            {"on_last_map": True}),
    Network("abn_faulty", build_faulty_abn, f"{_ABN}; with the faults of a study on GLDv1"),
    Network("abn_faulty_one_loss", build_faulty_abn, f"{_ABN}; with the faults of a study on GLDv1, alpha 0",
            {"attention_weight": 0.0}),
    Network("classifier", build_frozen_classifier, _STUDY),
    Network("delf", build_delf, "Noh et al., Large-Scale Image Retrieval with Attentive Deep Local Features, ICCV 2017"),
    Network("delg", build_delg, "Cao et al., Unifying Deep Local and Global Features for Image Search, ECCV 2020"),
    Network("how", build_how, "Tolias et al., Learning and Aggregating Deep Local Descriptors, ECCV 2020"),
    Network("solar", build_solar, "Ng et al., SOLAR: Second-Order Loss and Attention for Image Retrieval, ECCV 2020"),
):
    NETWORKS.add(_network.name, _network)
