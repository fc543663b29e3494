"""Networks of published checkpoints, filled from their authors' files.

| project | network |
|---|---|
| cirtorch, with "-w" | GeM of a learnt power, L2, whitening layer, L2 |
| cirtorch, without | GeM of a learnt power, L2; whitening fitted afterwards, L2 |
| solar | second-order attention behind the last two stages, then as cirtorch |
| how | lengths times smoothed and reduced features, summed, L2 |
| naver | GeM of a learnt power (or the maximum), linear layer, L2; whitening fitted afterwards, L2 |
| cvnet, delg-pytorch | GeM of a learnt power, linear layer, L2 |
| superglobal | floors under activations, regional GeM, L2, CVNet's linear layer, L2 |
| megaloc, salad | DINOv2, optimal-transport aggregation, L2; MegaLoc's with a linear layer behind it, L2 |
| cbam, senet, timm se, ecanet | ResNet with attention at the end of every residual branch, trained on ImageNet; mean, L2 |
| cosplace, eigenplaces | every location at length 1, GeM of a learnt power, linear layer, L2 |

One scale is embedded; several, and their aggregation, are rules of the test protocol that an export takes along.
"""

import os
import re
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import tensorflow as tf
from absl import logging

from landmark_zoo.backbones.build import Preprocessing, build_backbone
from landmark_zoo.backbones.published_weights import FOLDER, PUBLISHED
from landmark_zoo.backbones.registry import BACKBONES
from landmark_zoo.backbones.surgery import insert_blocks
from landmark_zoo.backbones.weight_files.assign import assign_tensors
from landmark_zoo.backbones.weight_files.inert_pickle import Record
from landmark_zoo.backbones.weight_files.read import read_state_dict, read_weight_file
from landmark_zoo.core.errors import UserError
from landmark_zoo.core.files import sha256
from landmark_zoo.layers.embedding import L2Normalize
from landmark_zoo.layers.pooling.super_global import Floor
from landmark_zoo.layers.registry import POOLING
from landmark_zoo.models.build import build_model, embed_and_classify
from landmark_zoo.models.how import build_how
from landmark_zoo.models.published.checkpoints import CHECKPOINTS, Checkpoint
from landmark_zoo.models.published.name_maps import NAME_MAPS, names_in
from landmark_zoo.models.solar import build_solar

WHITENING_POWER = 0.25
"""Power of the variances by which naver's whitening divides, the default of the authors' test."""
WHITENING_SET = "retrieval-SfM-120k"
PCA_SET = "Landmarks_clean"


def build_global(backbone: str, num_classes: int | None = None, *, weights: str | Path | None = None,
                 alpha: float | None = None, embedding_dim: int | None = 2048, head: str = "arcface",
                 head_arguments: dict | None = None, name: str | None = None, pooling: str = "gem",
                 projection: str = "whitening", whitening: bool = False, unit_features: bool = False,
                 floors: bool = False) -> tf.keras.Model:
    """Builds a network that pools the last feature map to one vector.

    Args:
        backbone: A name of `BACKBONES`.
        num_classes: N; None builds no head.
        weights: Weights of the backbone: None, "imagenet", file, folder or address.
        alpha: Width multiplier, where the backbone has one.
        embedding_dim: D; None leaves every layer behind the pooling out.
        head: A name of `HEADS`.
        head_arguments: Arguments of the head's constructor.
        name: Name of the model.
        pooling: A name of `POOLING`; the power of "gem" is learnt.
        projection: "whitening" (L2 before the layer) or "linear" (the pooled vector as it is).
        whitening: A whitening layer behind the linear one.
        unit_features: Bring every location to length 1 before the pooling.
        floors: Put SuperGlobal's floors under the activations.

    Returns:
        A model from images [B, H, W, 3] (RGB, 0..255, H and W >= 32) to a dict: "embedding" float32 [B, D] of length 1,
        "feature_map" [B, h, w, C], the last of the backbone, "logits" float32 [B, N].
    """
    images = tf.keras.Input([None, None, 3], name="images")
    pixels = Preprocessing(BACKBONES[backbone].preprocessing, name="preprocessing")(images)
    network = build_backbone(backbone, weights, alpha, taps=("C5",))
    features = (with_floors(network) if floors else network)(pixels)["C5"]
    pooled = L2Normalize(name="unit_features")(features) if unit_features else features
    vectors = POOLING[pooling](name=pooling, **({"trainable_p": True} if pooling == "gem" else {}))(pooled)
    if projection == "linear" and embedding_dim is not None:
        vectors = tf.keras.layers.Dense(embedding_dim, dtype="float32", name="projection")(vectors)
        embedding_dim = embedding_dim if whitening else None
    outputs = {"feature_map": features, **embed_and_classify(vectors, num_classes, embedding_dim, head, head_arguments)}
    return tf.keras.Model(images, outputs, name=name or f"{backbone}_{pooling}")


def with_floors(network: tf.keras.Model) -> tf.keras.Model:
    """Rebuilds a ResNet of bottlenecks with SuperGlobal's floors under the activations.

    They stand under the outputs of all blocks of the first three stages, and inside of those of the first stage.
    """
    floors = {layer.name: Floor(name=f"{layer.name}_floor") for layer in network.layers
              if re.fullmatch(r"conv[234]_block\d+_out|conv2_block\d+_[12]_relu", layer.name)}
    return insert_blocks(network, floors, lambda layer, floor, inputs: (floor(layer(inputs)), {}))


def create_published(name: str, weights: str | Path | None = None, num_classes: int | None = None,
                     alpha: float | None = None, embedding_dim: int | None = None, head: str = "arcface",
                     head_arguments: dict | None = None) -> tf.keras.Model:
    """Builds the network of a published checkpoint.

    Args:
        name: A name of `CHECKPOINTS`.
        weights: The authors' file, or "published" for the fetched one; None for random weights.
        num_classes: N of a new head; None builds none.
        alpha: Width multiplier, for networks that are not filled.
        embedding_dim: D in place of the published network's, for those that are not filled; of retrievalSfM120k 0 leaves the
            whitening out.
        head: A name of `HEADS`.
        head_arguments: Arguments of the head's constructor.

    Returns:
        A model named `name`: see `build_global`, `build_solar`, `build_how`.

    Raises:
        UserError: An unknown name, no such file, or tensors that are not those of this network.

    Example:
        >>> model = create_published("cirtorch/gl18-resnet50-gem-w", alpha=0.125, embedding_dim=8)
        >>> model(tf.zeros([1, 64, 96, 3]))["embedding"].shape
        TensorShape([1, 8])
    """
    checkpoint = CHECKPOINTS[name]
    path = None if weights is None else file_of(name, weights)
    settings = {**checkpoint.arguments, **({} if embedding_dim is None else {"embedding_dim": embedding_dim or None})}
    settings |= {"num_classes": num_classes, "alpha": alpha, "head": head, "head_arguments": head_arguments, "name": name}
    if checkpoint.network == "backbone":
        return build_model(checkpoint.backbone, pooling="spoc", weights=path, **{"embedding_dim": None, **settings})
    if checkpoint.network == "composed":
        model = build_model(checkpoint.backbone, **{"pooling": "spoc", "embedding_dim": None, **settings})
        if path is not None:
            load_published(model, checkpoint, path)
        return model
    build = {"global": build_global, "solar": build_solar, "how": build_how}[checkpoint.network]
    model = build(checkpoint.backbone, **settings, **({"relative": False} if build is build_how else {}))
    if path is not None:
        load_published(model, checkpoint, path)
    return model


def load_published(model: tf.keras.Model, checkpoint: Checkpoint, path: Path) -> None:
    """Fills a network from its authors' file; see `create_published`.

    Where the whitening was fitted afterwards, the layer "embedding" becomes that of one scale; see `fitted_whitening` for
    that of several.
    """
    tensors, spec = read_state_dict(path), BACKBONES[checkpoint.backbone]
    names = names_in(checkpoint.project, model, spec, tensors)
    whitened = names.get("embedding", "") is None
    whitening = fitted_whitening(checkpoint, path) if whitened else None  # read first: a bad one leaves all as it was
    if whitening is not None:
        layer = model.get_layer("embedding")
        expected, found = layer.kernel.shape.as_list(), list(whitening[1].shape)
        if expected != found:
            raise UserError(f"a whitening of {expected} in {path}", str(found), "Choose the file of the same network.")
    assign_tensors(model, tensors, names, path, NAME_MAPS[checkpoint.project].left_out)
    if whitening is not None:
        layer.set_projection(*whitening)
        logging.info("%s: the layer embedding is the whitening fitted by its authors.", path.name)


def fitted_whitening(checkpoint: Checkpoint, path: str | Path, scales: str = "ss") -> tuple[np.ndarray, np.ndarray] | None:
    """Returns the whitening that the authors fitted after training and keep in their file.

    Args:
        checkpoint: Row of the file.
        path: The file.
        scales: "ss" for one scale or "ms" for several, which cirtorch tells apart.

    Returns:
        Mean float64 [C] and projection float64 [C, D], by which (x - mean) projection is the whitened vector; None where a
        network needs none.

    Raises:
        UserError: A file without it.
    """
    if checkpoint.project == "cirtorch_sfm":
        entry = _entry(path, "meta", "Lw", WHITENING_SET, scales)
        mean, projection = (_numbers(entry, key, path) for key in ("m", "P"))
        return np.ravel(mean), projection.T
    if checkpoint.arguments.get("whitening"):
        entry = _entry(path, "pca", PCA_SET)
        mean, directions, variances = (_numbers(entry, f"{key}_", path) for key in (
            "mean", "components", "explained_variance"))
        return mean, directions.T / (variances ** WHITENING_POWER if entry.get("whiten") else 1)
    return None


def _entry(path: str | Path, *keys: str) -> Mapping[str, object]:
    """Returns a dict deep in a file; attributes of an object count as a dict."""
    found = read_weight_file(path)
    for key in keys:
        found = found.get(key) if isinstance(found, Mapping) else None
        found = found.state if isinstance(found, Record) else found
    if not isinstance(found, Mapping):
        raise UserError(f"a whitening under {' / '.join(keys)} in {path}", "none", "Choose the file of the same network.")
    return found


def _numbers(entry: Mapping[str, object], key: str, path: str | Path) -> np.ndarray:
    found = entry.get(key)
    if not isinstance(found, np.ndarray) or not np.issubdtype(found.dtype, np.floating) or not np.isfinite(found).all():
        raise UserError(f"finite numbers under {key} in {path}", type(found).__name__, "Download the file again.")
    return found.astype(np.float64)


def published_file(name: str) -> Path:
    """Returns the fetched file of a checkpoint, in $LANDMARK_ZOO_WEIGHTS or ~/.cache/landmark_zoo/weights.

    Raises:
        UserError: It is not there, or not the published one.
    """
    checkpoint = CHECKPOINTS[name]
    if checkpoint.file is None:
        raise UserError(f"the path of the file of {name}, to which its authors give no name", repr(PUBLISHED),
                        f"Get it from {checkpoint.address} and give --weights=FILE.")
    path = checkpoint_path(checkpoint)
    if not path.is_file():
        raise UserError(f"the weights of {name} at {path}", "none",
                        f"Fetch them: python -m experiments.weights --fetch={name}.")
    noted = digest_path(path).read_text(encoding="utf-8").strip() if digest_path(path).is_file() else checkpoint.sha256
    if noted and not sha256(path).startswith(noted):
        raise UserError(f"{path} with SHA-256 {noted}", sha256(path), "Remove it and fetch it again.")
    return path


def checkpoint_path(checkpoint: Checkpoint) -> Path:
    """Returns where the file of a checkpoint is kept, in $LANDMARK_ZOO_WEIGHTS or ~/.cache/landmark_zoo/weights."""
    return Path(os.environ.get(FOLDER) or Path.home() / ".cache" / "landmark_zoo" / "weights") / checkpoint.file


def digest_path(path: Path) -> Path:
    """Returns the file beside a fetched file that holds its SHA-256, as it was when it came."""
    return path.with_name(f"{path.name}.sha256")


def file_of(name: str, weights: str | Path) -> Path:
    """Returns the file that weights of a checkpoint stand for: the fetched one for its name or "published"."""
    return published_file(name) if str(weights) in (PUBLISHED, name) else Path(weights)


def describe_published(name: str, weights: str | Path | None) -> dict[str, str]:
    """Returns where the weights of a published network come from, for the facts of a run and the card of an export."""
    if weights is None:
        return {"pretrained": "none"}
    checkpoint, path = CHECKPOINTS[name], file_of(name, weights)
    return {"pretrained": path.name, "pretrained_sha256": sha256(path), "pretrained_checkpoint": name,
            "pretrained_license": checkpoint.license_words}


def backbone_for(backbone: str, weights: str) -> str:
    """Returns the backbone that takes the place of one so that published weights fit.

    Files of PyTorch do not fit Keras' own ResNets and VGG-16; torchvision's stand in for them, as one line says.

    Args:
        backbone: A name of `BACKBONES`.
        weights: A name of `CHECKPOINTS`.

    Raises:
        UserError: Weights of another network.

    Example:
        >>> backbone_for("resnet101", "torchvision/resnet101"), backbone_for("resnet50v15", "cvnet/resnet50")
        ('resnet101v15', 'resnet50v15bgr')
    """
    wanted = CHECKPOINTS[weights].backbone
    if _plain(backbone) != _plain(wanted):
        raise UserError(f"weights of {backbone}", f"{weights}, of {wanted}", f"Use a model of {wanted}, or other weights.")
    if wanted != backbone:
        logging.info("The backbone %s takes the place of %s, which %s does not fit.", wanted, backbone, weights)
    return wanted


def _plain(backbone: str) -> str:
    return re.sub(r"(v15|v15bgr|torch)$", "", backbone)
