"""Construction of a backbone by name, and its pretrained weights."""

import hashlib
from collections.abc import Sequence
from pathlib import Path

import tensorflow as tf

from landmark_zoo.backbones.registry import BACKBONES, BackboneSpec
from landmark_zoo.core.errors import UserError

SUFFIXES = (".h5", ".hdf5", ".keras")


def load_weights(network: tf.keras.Model, spec: BackboneSpec, weights: str | Path, alpha: float | None = None) -> None:
    """Fills `network` (an application without its top) with pretrained weights.

    Args:
        network: Model made by `spec.application(include_top=False, weights=None, ...)`.
        spec: Row of the network in the table.
        weights: "imagenet" (downloaded and checked by Keras, kept in its cache), a `.h5` file, a folder with one file for
            this backbone, or an http(s) address.
        alpha: Width multiplier, needed to choose among the files of a folder.

    Raises:
        UserError: No such file, no or several fitting files in the folder, a file of another network, no network access.
    """
    if str(weights) == "imagenet":
        _copy_imagenet(network, spec, alpha)
        return
    path = _download(str(weights)) if str(weights).startswith(("http://", "https://")) else Path(weights)
    if path.is_dir():
        path = find_weights(path, spec.name, alpha)
    if not path.is_file():
        raise UserError(f"a weight file for {spec.name}", f"{path}, which does not exist",
                        'Use a .h5 file, a folder that holds one, an address, or "imagenet".')
    try:
        network.load_weights(path)
    except (ValueError, OSError, KeyError) as error:
        reason = " ".join(str(error).split())[:200]
        width = f" of width {alpha}" if alpha else ""
        raise UserError(f"weights of {spec.name}{width} without its top in {path}", f"a file that does not fit ({reason})",
                        "Choose the file of the same backbone and width.") from error


def find_weights(folder: Path, backbone: str, alpha: float | None = None) -> Path:
    """Returns the one weight file in `folder` whose name begins with the backbone's, at the width `alpha` (default 1.0).

    Dots, dashes and underscores do not count: `mobilenet_v2_1.0_imagenet_no_top.weights.h5` is mobilenetv2 at width 1.0.
    """
    width = f"{1.0 if alpha is None else alpha:g}"
    spellings = {width, f"{float(width):.1f}", f"{float(width):.2f}"}
    fitting = []
    for path in sorted(Path(folder).iterdir()):
        name = path.name.lower()
        letters = name.replace("_", "").replace("-", "")
        rest = letters.removeprefix(backbone)
        if path.suffix not in SUFFIXES or rest == letters or (backbone == "mobilenet" and rest.startswith("v")):
            continue
        if not backbone.startswith("mobilenet") or any(rest.startswith(spelling) for spelling in spellings):
            fitting.append(path)
    if len(fitting) != 1:
        raise UserError(f"one weight file for {backbone} of width {width} in {folder}",
                        ", ".join(path.name for path in fitting) or "none", "Name the file itself.")
    return fitting[0]


def _copy_imagenet(network: tf.keras.Model, spec: BackboneSpec, alpha: float | None) -> None:
    width = {"alpha": alpha} if alpha is not None else {}
    try:
        source = spec.application(include_top=False, weights="imagenet", input_shape=(None, None, 3), **width)
    except ValueError as error:  # a width or a network that Keras has no weights of
        raise UserError(f"ImageNet weights that Keras publishes of {spec.name}{f' of width {alpha}' if alpha else ''}",
                        f"none ({' '.join(str(error).split())[:200]})", "Give a weight file, --weights=FILE.") from error
    except Exception as error:  # Keras raises a bare Exception when a download fails
        if "URL fetch failure" not in str(error):
            raise
        raise UserError(f"a download of the ImageNet weights of {spec.name}", str(error),
                        "Connect to the internet once, or give a weight file.") from error
    network.set_weights(source.get_weights())


def _download(address: str) -> Path:
    folder = f"landmark_zoo/{hashlib.sha256(address.encode()).hexdigest()[:16]}"  # two addresses may share a file name
    try:
        return Path(tf.keras.utils.get_file(origin=address, cache_subdir=folder))
    except Exception as error:  # Keras raises a bare Exception when a download fails
        raise UserError(f"a weight file at {address}", str(error), "Check the address.") from error


def build_backbone(name: str, weights: str | Path | None = None, alpha: float | None = None,
                   taps: Sequence[str] = ("C3", "C4", "C5")) -> tf.keras.Model:
    """Makes a Keras application without its top that returns its taps.

    The preprocessing is not in it: `models.build_model` puts it before.

    Args:
        name: A name of `BACKBONES`.
        weights: None (random), "imagenet", a file, a folder or an address; see `load_weights`.
        alpha: Width multiplier of the MobileNets.
        taps: Names of the feature maps returned; what lies behind the last of them is left out.

    Returns:
        A model named `name`: preprocessed images [B, H, W, 3] to a dict from tap to feature map.

    Example:
        >>> build_backbone("mobilenet", alpha=0.25)(tf.zeros([1, 64, 96, 3]))["C5"].shape
        TensorShape([1, 2, 3, 256])
    """
    found = (tf.keras.backend.image_data_format(), tf.keras.backend.floatx())
    if found != ("channels_last", "float32"):
        raise UserError("image_data_format channels_last and floatx float32 of Keras", " and ".join(found),
                        "Set them in ~/.keras/keras.json, or remove that file.")
    spec = BACKBONES[name]
    if alpha is not None and not spec.has_width:
        raise UserError(f"no alpha for {name}", f"alpha={alpha}", "Only the MobileNets and ResNet-18 have widths.")
    width = {"alpha": alpha} if alpha is not None else {}
    network = spec.application(include_top=False, weights=None, input_shape=(None, None, 3), **width)
    if any(weight.dtype in (tf.float16, tf.bfloat16) for weight in network.weights):
        network = tf.keras.models.clone_model(network, clone_function=_normalize_in_float32)
    if weights is not None:
        load_weights(network, spec, weights, alpha)
    return tf.keras.Model(network.input, {tap: network.get_layer(spec.taps[tap]).output for tap in taps}, name=name)


def _normalize_in_float32(layer: tf.keras.layers.Layer) -> tf.keras.layers.Layer:
    """Copies a layer; one that subtracts a mean, which Keras keeps in the short format of a mixed policy, in float32."""
    short = isinstance(layer, tf.keras.layers.Normalization)
    return type(layer).from_config({**layer.get_config(), **({"dtype": "float32"} if short else {})})
