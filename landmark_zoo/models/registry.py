"""Table of named models (the zoo), the settings of one as they are written beside its checkpoints, and the reader of
`.keras` files of either TensorFlow: 2.15, or a newer one with tf_keras."""

import dataclasses
import inspect
import json
import os
import tempfile
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

import tensorflow as tf

from landmark_zoo.backbones.build import describe_weights
from landmark_zoo.backbones.registry import BACKBONES
from landmark_zoo.core.errors import UserError, check_choice, check_finite, check_range
from landmark_zoo.core.registry import Registry
from landmark_zoo.layers.attention.delf import SCORE_FORMS
from landmark_zoo.layers.attention.registry import ATTENTION
from landmark_zoo.layers.registry import CUSTOM_OBJECTS, HEADS, POOLING
from landmark_zoo.models.attention_branch_network import (
    build_attention_branch_network,
    build_faulty_abn,
    build_frozen_classifier,
)
from landmark_zoo.models.build import build_model
from landmark_zoo.models.delg import build_delf, build_delg
from landmark_zoo.models.how import build_how
from landmark_zoo.models.megaloc import build_megaloc, describe_megaloc
from landmark_zoo.models.published.build import backbone_for, create_published, describe_published, published_file
from landmark_zoo.models.published.checkpoints import CHECKPOINTS
from landmark_zoo.models.solar import build_solar
from landmark_zoo.models.xfeat import XFEAT, build_xfeat


@dataclasses.dataclass(frozen=True)
class Network:
    """Row of the network table: a network with a builder of its own.

    Attributes:
        name: Suffix of model names: `<backbone>_<name>`; of a network without a choice of backbones, the name.
        builder: Function of a backbone, where there is a choice, and of the arguments of `build_model` that it knows.
        paper: Authors, title, venue.
        arguments: Arguments of the builder for this row.
        taps: Feature maps that the backbone must have.
        describe: Function of the weights of a network without a choice of backbones that returns where they come from.
        learns: Whether it can be trained.
        license: License of its authors' weights, where the network has no choice of backbones.
    """

    name: str
    builder: Callable[..., tf.keras.Model]
    paper: str
    arguments: Mapping[str, object] = dataclasses.field(default_factory=dict)
    taps: tuple[str, ...] = ("C5",)
    describe: Callable[[str], dict[str, str]] | None = None
    learns: bool = True
    license: str = ""


_ABN = "Fukui et al., Attention Branch Network, CVPR 2019"
_STUDY = "27 landmarks of GLDv1, after Simonyan and Zisserman, Very Deep Convolutional Networks, ICLR 2015"

NETWORKS: Registry[Network] = Registry("network")

for _network in (
    Network("abn", build_attention_branch_network, _ABN, taps=("C4", "C5")),
    Network("abn_dense", build_attention_branch_network, f"{_ABN}; on the last map under dense layers",
            {"on_last_map": True}),
    Network("abn_faulty", build_faulty_abn, f"{_ABN}; with the faults of a study on GLDv1"),
    Network("abn_faulty_one_loss", build_faulty_abn, f"{_ABN}; with the faults of a study on GLDv1, alpha 0",
            {"attention_weight": 0.0}),
    Network("classifier", build_frozen_classifier, _STUDY),
    Network("delf", build_delf, "Noh et al., Large-Scale Image Retrieval with Attentive Deep Local Features, ICCV 2017",
            taps=("C4",)),
    Network("delg", build_delg, "Cao et al., Unifying Deep Local and Global Features for Image Search, ECCV 2020",
            taps=("C4", "C5")),
    Network("how", build_how, "Tolias et al., Learning and Aggregating Deep Local Descriptors, ECCV 2020"),
    Network("solar", build_solar, "Ng et al., SOLAR: Second-Order Loss and Attention for Image Retrieval, ECCV 2020",
            taps=("C4", "C5")),
):
    NETWORKS.add(_network.name, _network)

WHOLE: Registry[Network] = Registry("network without a choice of backbones")
WHOLE.add("xfeat", Network("xfeat", build_xfeat, "Potje et al., XFeat: Accelerated Features for Lightweight Image Matching, "
                           "CVPR 2024", describe=XFEAT.describe, learns=False, license=XFEAT.license))
WHOLE.add("megaloc", Network("megaloc", build_megaloc, "Berton and Masone, MegaLoc: One Retrieval to Place Them All, CVPR "
                             "Workshops 2025", describe=describe_megaloc, license="MIT"))


def _zoo() -> Registry[Mapping[str, object]]:
    """Every `<backbone>`, pooled by its mean, `<backbone>_<attention>` and `<backbone>_<pooling>`, whole networks on the
    backbones that have the feature maps for them, and published ones, `<project>/<network>`.

    Where a paper has both a block and a network around it, the name is the network's (`resnet101_solar`); the block by
    itself is `<backbone>_<attention>_block`.
    """
    models: Registry[Mapping[str, object]] = Registry("model")
    for backbone in BACKBONES:
        models.add(backbone, {"backbone": backbone, "pooling": "spoc"})
        for attention in ATTENTION:
            suffix = f"{attention}_block" if attention in NETWORKS else attention
            models.add(f"{backbone}_{suffix}", {"backbone": backbone, "attention": attention})
        for pooling in POOLING:
            models.add(f"{backbone}_{pooling}", {"backbone": backbone, "pooling": pooling})
        for network in NETWORKS:
            row = NETWORKS[network]
            if not set(row.taps) <= set(BACKBONES[backbone].taps):
                continue
            models.add(f"{backbone}_{network}", {"builder": row.builder, "backbone": backbone, **row.arguments})
    for network in WHOLE:
        models.add(network, {"builder": WHOLE[network].builder, **WHOLE[network].arguments})
    for checkpoint in CHECKPOINTS:
        models.add(checkpoint, {"builder": create_published})
    return models


MODELS = _zoo()


def list_models(pattern: str = "*") -> list[str]:
    """Returns the names of the zoo that match a shell pattern, e.g. "*_se"; digits sort as numbers.

    Example:
        >>> list_models("resnet18_nl*")
        ['resnet18_nl_dot', 'resnet18_nl_embedded', 'resnet18_nl_gaussian']
    """
    return MODELS.list(pattern)


def create_model(name: str, **overrides) -> tf.keras.Model:
    """Builds a named model.

    Args:
        name: `<backbone>`, `<backbone>_<block>`, a published `<project>/<network>` or another of `list_models()`; an unknown
            one raises a `UserError` that names near ones.
        **overrides: Arguments of `build_model`, e.g. `embedding_dim=512, num_classes=29, weights="imagenet"`. One that is
            None leaves the default in force; `embedding_dim=0` leaves the embedding layer out. With weights of a published
            name the backbone is the published one's, see `model_for`.

    Returns:
        See `build_model`.

    Example:
        >>> create_model("mobilenet_gc_add", embedding_dim=16, num_classes=5, alpha=0.25).output_shape["logits"]
        (None, 5)
    """
    weights = overrides.get("weights")
    if name not in CHECKPOINTS and weights in CHECKPOINTS:
        name, overrides = model_for(name, weights), {**overrides, "weights": published_file(weights)}
    arguments = {**MODELS[name], **{key: value for key, value in overrides.items() if value is not None}}
    if arguments.get("embedding_dim") == 0 and name not in CHECKPOINTS:
        arguments["embedding_dim"] = None
    builder = arguments.pop("builder", build_model)
    if builder is not build_model and arguments.pop("placement", "end") != "end":
        raise UserError(f"placement 'end' for {name}", "another one", "Its attention stands where its paper puts it.")
    return builder(**arguments, name=name)


def model_for(name: str, weights: str | Path | None) -> str:
    """Returns the name of the model whose backbone has weights of a published name; any other weights leave it as it is.

    Raises:
        UserError: Weights of another backbone.

    Example:
        >>> model_for("resnet101_se", "torchvision/resnet101"), model_for("resnet101_se", "imagenet")
        ('resnet101v15_se', 'resnet101_se')
    """
    own = MODELS[name].get("backbone")
    return name if weights not in CHECKPOINTS or own is None else backbone_for(own, weights) + name.removeprefix(own)


def describe_model_weights(model: str, weights: str | None, alpha: float | None = None) -> dict[str, str]:
    """Returns where the pretrained weights of a named model come from; see `backbones.describe_weights`."""
    if model in CHECKPOINTS or weights in CHECKPOINTS:
        return describe_published(weights if weights in CHECKPOINTS else model, weights)
    if model in WHOLE:
        return WHOLE[model].describe(weights) if weights is not None else {"pretrained": "none"}
    return describe_weights(MODELS[model]["backbone"], weights, alpha)


REVISION = 2
_REVISION_1 = {
    "attention": {"san_pairwise": {"sharing": "block"}, "san_patchwise": {"sharing": "block"},
                  "gsop_position": {"rectify": False}, "ona": {"scaling": "min_max"}},
    "pooling": {"class_weighted": {"scaling": "min_max"}, "netvlad_crn": {"version": "v2"}},
}
_ABSENT = {"revision": 1, "local_stride": None, "score_form": None}
_PARTICULAR = ("pooling", "mechanism", "bottleneck", "dense_units", "local_stride", "score_form")


@dataclasses.dataclass(frozen=True)
class ModelConfig:
    """A named model and its sizes, as written to `model.json` beside the checkpoints.

    Attributes:
        model: Name of the model, `<backbone>_<block>`; see python -m experiments.summary --list="*".
        embedding_dim: Length of the embedding; 0 leaves the embedding layer out. Of a published network, and of megaloc,
            512, the default, stands for its own.
        alpha: Width multiplier of the MobileNets and torchvision's ResNets; unset for 1.
        placement: Place of attention: "end" (on the last feature map), "stages" (on C3, C4 and C5), "blocks" (on
            every residual branch) or "convolutions" (in the place of 3x3 convolutions; aa and san only).
        pooling: Pooling in place of the one that the model's name stands for, e.g. "netvlad".
        mechanism: Use of the attention map in an Attention Branch Network: "residual", (1 + M) x, or "product", M x.
        bottleneck: Number of response maps of an Attention Branch Network, in place of one per landmark; needed past 10,000
            landmarks.
        dense_units: Width of the dense layers of a classifier on a flattened map, in place of 4096.
        local_stride: Pixels between two local features of delf or delg: 16 where unset, or 32 as in the authors' code.
        score_form: Form of delg's score: paper where unset, computed from the features; 2020 or 2021 as in the authors'
            code of that year, computed from their reconstruction.
        head: Layer that turns embeddings into logits while training; "none" for an objective that needs no logits.
        margin: Margin of a margin head, e.g. radians of ArcFace.
        scale: Factor by which a cosine head multiplies its cosines.
        revision: Revision of the methods: 2, or 1 for what they computed in runs whose model.json does not name one. They
            differ in san (weights shared by blocks of channels), gsop_position (no ReLU), ona and class_weighted (maps
            scaled from least to largest) and netvlad_crn (a bias).

    Example:
        >>> ModelConfig("mobilenet_se", embedding_dim=16, alpha=0.25).build(num_classes=5).name
        'mobilenet_se'
    """

    model: str = "mobilenetv2_se"
    embedding_dim: int = 512
    alpha: float | None = None
    placement: str = "end"
    pooling: str | None = None
    mechanism: str | None = None
    bottleneck: int | None = None
    dense_units: int | None = None
    local_stride: int | None = None
    score_form: str | None = None
    head: str = "arcface"
    margin: float = 0.3
    scale: float = 30.0
    revision: int = REVISION

    @classmethod
    def read(cls, entries: Mapping[str, object]) -> "ModelConfig":
        """Returns the configuration of a `model.json`, in which younger fields may be absent.

        Raises:
            TypeError: A field that is unknown, or that has always been there and is absent.
        """
        fields = {field.name for field in dataclasses.fields(cls)}
        if fields - entries.keys() - _ABSENT.keys():
            raise TypeError(f"no {', '.join(sorted(fields - entries.keys()))}")
        config = cls(**{**_ABSENT, **entries})
        return config if config._revised() else dataclasses.replace(config, revision=REVISION)

    def __post_init__(self):
        check_finite(self)
        if self.embedding_dim == 1:
            raise UserError("--embedding_dim 0 (no such layer) or from 2 on", "1", "Raise --embedding_dim.")
        if self.score_form is not None:
            check_choice("score_form", self.score_form, SCORE_FORMS)
        for name, minimum, maximum in (("embedding_dim", 0, 2**16), ("alpha", 0.01, 16), ("margin", 0, 4),
                                       ("scale", 1e-3, 1e4), ("bottleneck", 1, 2**20), ("dense_units", 1, 2**16),
                                       ("local_stride", 8, 32), ("revision", 1, REVISION)):
            if getattr(self, name) is not None:
                check_range(name, getattr(self, name), minimum, maximum)

    def for_weights(self, weights: str | Path | None) -> "ModelConfig":
        """Returns the settings with the model whose backbone has these weights; see `model_for`."""
        return dataclasses.replace(self, model=model_for(self.model, weights))

    def build(self, num_classes: int | None = None, weights: str | None = None) -> tf.keras.Model:
        """Builds the model; see `models.build_model`.

        Raises:
            UserError: A setting that this model does not have.
        """
        own = (self.model in CHECKPOINTS or self.model == "megaloc") and self.embedding_dim == type(self).embedding_dim
        settings = {"embedding_dim": None if own else self.embedding_dim, "alpha": self.alpha, "placement": self.placement,
                    "weights": weights, **self._particular()}
        if self.head == "none":
            return create_model(self.model, **settings)
        wanted = inspect.signature(HEADS[self.head].__init__).parameters
        arguments = {key: getattr(self, key) for key in ("margin", "scale") if key in wanted}
        return create_model(self.model, head=self.head, num_classes=num_classes, head_arguments=arguments, **settings)

    def _particular(self) -> dict[str, object]:
        """Returns the settings that not every model has, where they are given."""
        row = MODELS[self.model]
        known = set(inspect.signature(row.get("builder", build_model)).parameters) - row.keys()
        given = {name: getattr(self, name) for name in _PARTICULAR if getattr(self, name) is not None}
        for name in given.keys() - known:
            raise UserError(f"no --{name} for {self.model}, whose name or paper settles it", repr(given[name]),
                            f"Leave --{name} out, or choose another --model.")
        return given | (self._revised() if self.revision == 1 else {})

    def _revised(self) -> dict[str, object]:
        """Returns the arguments of `build_model` under which this model's methods compute what they did in revision 1."""
        parts = {"pooling": self.pooling} if self.pooling else {}
        parts = {**MODELS[self.model], **parts}
        return {f"{kind}_arguments": older[parts[kind]] for kind, older in _REVISION_1.items() if parts.get(kind) in older}


CONFIG = "config.json"


def load_keras_file(path: str | Path) -> tf.keras.Model:
    """Loads a model that `model.save("NAME.keras")` wrote, in this TensorFlow or in another one; its optimizer stays behind.

    `tf.keras.models.load_model(path, custom_objects=CUSTOM_OBJECTS)` does the same for files of this TensorFlow and older
    ones. TensorFlow 2.15 does not know what newer ones write into the file: classes of the package tf_keras, and inputs that
    may be left out.

    Args:
        path: File with the suffix `.keras`.

    Raises:
        ValueError: The file has an input that may be left out, which TensorFlow 2.15 does not have.

    Example:
        >>> import landmark_zoo as lz
        >>> folder = tempfile.TemporaryDirectory()
        >>> lz.create_model("resnet18_gem", alpha=0.125, embedding_dim=8).save(f"{folder.name}/tiny.keras")
        >>> load_keras_file(f"{folder.name}/tiny.keras").name
        'resnet18_gem'
    """
    if not tf.__version__.startswith("2.15."):
        return tf.keras.models.load_model(path, custom_objects=CUSTOM_OBJECTS, compile=False)
    with tempfile.TemporaryDirectory() as folder:
        mended = os.path.join(folder, Path(path).name)
        with zipfile.ZipFile(path) as source, zipfile.ZipFile(mended, "w") as target:
            for name in source.namelist():
                data = source.read(name)
                target.writestr(name, json.dumps(as_keras_2_15(json.loads(data))) if name == CONFIG else data)
        return tf.keras.models.load_model(mended, custom_objects=CUSTOM_OBJECTS, compile=False)


def as_keras_2_15(config: object) -> object:
    """Returns a serialized configuration with the modules of Keras 2.15, and inputs without `optional`."""
    if isinstance(config, list):
        return [as_keras_2_15(item) for item in config]
    if not isinstance(config, dict):
        return config
    config = {name: as_keras_2_15(value) for name, value in config.items()}
    if str(config.get("module")).startswith("tf_keras."):
        config["module"] = config["module"].removeprefix("tf_")
    if config.get("class_name") == "InputLayer" and config["config"].pop("optional", False):
        raise ValueError(f"load_keras_file: expected inputs that are always given; received {config['name']}, which may be "
                         "left out.")
    return config
