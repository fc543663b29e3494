"""Names that the files of PyTorch projects give what stands behind the backbone: a table of rules for each project.

The names of the backbones themselves are in `backbones.torch_names`.
"""

import dataclasses
import re
from collections.abc import Callable, Collection, Iterable

import tensorflow as tf

from landmark_zoo.backbones.registry import BackboneSpec
from landmark_zoo.backbones.weight_files.assign import weights_by_path
from landmark_zoo.layers.heads.softmax import Head


@dataclasses.dataclass(frozen=True)
class NameMap:
    """Rules of one project.

    Attributes:
        rules: Pairs of a pattern of the path of a layer here ("gem", "solar_c4/f") and of the prefix of its tensors there,
            in which groups of the pattern may stand, or a function of the match that returns it. Of several rules for a
            layer the one holds whose tensors are in the file. None says that the file has nothing for the layer.
        left_out: Prefixes of tensors there that have no layer here.
    """

    rules: tuple[tuple[str, str | Callable[[re.Match], str] | None], ...] = ()
    left_out: tuple[str, ...] = ()

    def prefix(self, path: str, tensors: Iterable[str]) -> str | None:
        """Returns the prefix of the tensors of a layer.

        Raises:
            KeyError: No rule for this layer.
        """
        matches = [(re.fullmatch(pattern, path), template) for pattern, template in self.rules]
        found = [template(match) if callable(template) else template and match.expand(template)
                 for match, template in matches if match]
        if not found:
            raise KeyError(f"no rule for the layer {path}")
        there = [prefix for prefix in found if prefix and any(name.startswith(f"{prefix}.") for name in tensors)]
        return (there or found)[0]



def _in_blocks(attention: str, parts: dict[str, str]) -> tuple[tuple[str, Callable[[re.Match], str]], ...]:
    """Returns rules for attention at the end of each residual branch of a ResNet, whose blocks are torchvision's.

    Args:
        attention: Name of the attention here.
        parts: From each of its layers here to the prefix of its tensors, below that of the block.
    """
    def rule(part: str) -> Callable[[re.Match], str]:
        return lambda match: f"layer{int(match[1]) - 1}.{int(match[2]) - 1}.{part}"

    return (*((rf"{attention}_conv(\d)_block(\d+)/{layer}", rule(part)) for layer, part in parts.items()),
            ("embedding", None))


_GEM_AND_WHITENING = (("gem", "pool"), ("embedding", "whiten"))

NAME_MAPS = {
    "torchvision": NameMap(left_out=("fc", "classifier")),
    "timm": NameMap(left_out=("fc",)),
    "features": NameMap(),
    "cirtorch": NameMap(_GEM_AND_WHITENING),
    "cirtorch_sfm": NameMap((("gem", "pool"), ("embedding", None))),  # whitened afterwards: meta["Lw"]
    "solar": NameMap((*_GEM_AND_WHITENING, (r"solar_c(\d)/([fg])", r"features.soa\1.\2.0"),
                      (r"solar_c(\d)/([fg])_normalise", r"features.soa\1.\2.1"),
                      (r"solar_c(\d)/([hv])", r"features.soa\1.\2")),
                     ("features.soa4.gamma", "features.soa5.gamma")),  # parameters that nothing there uses
    "how": NameMap((("whitening", "whiten"), ("whitening", "dim_reduction"))),  # old and new form of file
    "naver": NameMap((("gem", "adpool"), ("projection", "fc"), ("embedding", None))),  # whitened afterwards: its "pca"
    "cosplace": NameMap((("gem", r"aggregation.1"), ("projection", "aggregation.3"))),
    "cvnet": NameMap((("gem", "encoder_q.head.pool"), ("projection", "encoder_q.head.fc")), ("conv2ds", "cv_learner")),
    "superglobal": NameMap((("regional_gem", None), ("embedding", "encoder_q.head.fc")),
                           ("conv2ds", "cv_learner", "encoder_q.head.pool")),
    "delg": NameMap((("gem", "globalmodel.head.pool"), ("projection", "globalmodel.head.fc")),
                    ("localmodel", "desc_cls", "att_cls")),
    "dinov2": NameMap(left_out=("mask_token",)),
    "megaloc": NameMap((("salad", "aggregator.agg"), ("embedding", "aggregator.linear")), ("aggregator.linear",)),
    "salad": NameMap((("salad", "aggregator"), ("embedding", None)), ("backbone.model.mask_token",)),
    "cbam": NameMap(_in_blocks("cbam", {"squeeze": "cbam.ChannelGate.mlp.1", "excite": "cbam.ChannelGate.mlp.3",
                                        "convolution": "cbam.SpatialGate.spatial.conv",
                                        "norm": "cbam.SpatialGate.spatial.bn"}), ("fc",)),
    "senet": NameMap(_in_blocks("se", {"squeeze": "se.fc.0", "excite": "se.fc.2"}), ("fc",)),
    "timm_se": NameMap(_in_blocks("se", {"squeeze": "se.fc1", "excite": "se.fc2"}), ("fc",)),
    "ecanet": NameMap(_in_blocks("eca", {"neighbours": "eca.conv"}), ("fc",)),
}
"""Rules of each project; "superglobal" reads CVNet's files."""


def names_in(project: str, model: tf.keras.Model, spec: BackboneSpec, tensors: Collection[str]) -> dict[str, str | None]:
    """Returns the names that a file of a project gives the layers of a whole network.

    Args:
        project: A name of `NAME_MAPS`.
        model: Network with the backbone `spec.name` inside.
        spec: Row of the backbone.
        tensors: Names of the tensors in the file.

    Returns:
        From the path of each layer with weights to the prefix of its tensors; None for a head, which starts anew, and for
        layers that are filled otherwise.
    """
    names: dict[str, str | None] = dict(spec.torch_names(model.get_layer(spec.name), tensors))
    names |= {layer.name: None for layer in model.layers if isinstance(layer, Head)}
    rules = NAME_MAPS[project]
    return names | {path: rules.prefix(path, tensors) for path, _ in weights_by_path(model) if path not in names}
