"""Construction of a backbone by name, the pixels that it takes, and its pretrained weights."""

import hashlib
from collections.abc import Sequence
from pathlib import Path

import tensorflow as tf

from landmark_zoo.backbones.registry import BACKBONES, BackboneSpec
from landmark_zoo.backbones.rewriting import needs_rewriting, rewrite
from landmark_zoo.backbones.weight_files.assign import assign_tensors
from landmark_zoo.backbones.weight_files.read import read_state_dict
from landmark_zoo.core.errors import UserError
from landmark_zoo.core.files import sha256

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)
CAFFE_MEAN_BGR = (103.939, 116.779, 123.68)
MODES = ("caffe", "symmetric", "standard", "standard_bgr", "efficientnet", "efficientnet_lite", "none")


def preprocess(images: tf.Tensor, mode: str) -> tf.Tensor:
    """Returns float32 pixels as the backbone wants them.

    * "caffe": BGR minus the channel means, range about -124..152 (VGG, ResNet of the Keras applications);
    * "symmetric": RGB from -1 to 1 (MobileNets);
    * "standard": RGB minus ImageNet's mean, divided by its standard deviation (torchvision's networks);
    * "standard_bgr": the same in the order BGR (networks on pycls, which reads images with OpenCV);
    * "efficientnet": RGB 0..255, stretched so that the rescaling inside the Keras network, whose weight files hold the
      standard deviation where the variance belongs, ends at (x/255 - mean) / standard deviation. Keras adds a layer for this
      only with `weights="imagenet"`; here the network is the same for every choice of weights;
    * "efficientnet_lite": RGB, (x - 127) / 128 (EfficientNet-Lite);
    * "none": RGB, 0..255, for networks that contain their preprocessing.

    Args:
        images: [B, H, W, 3], RGB, 0..255, uint8 or float.
        mode: One of `MODES`.

    Example:
        >>> preprocess(tf.constant([[[[0.0, 255.0, 127.5]]]]), "symmetric").numpy().tolist()
        [[[[-1.0, 1.0, 0.0]]]]
    """
    images = tf.cast(images, tf.float32)
    if mode == "none":
        return images
    if mode == "caffe":
        return images[..., ::-1] - tf.constant(CAFFE_MEAN_BGR)
    if mode == "symmetric":
        return images / 127.5 - 1
    if mode in ("standard", "standard_bgr"):
        images = (images / 255 - tf.constant(IMAGENET_MEAN)) / tf.constant(IMAGENET_STD)
        return images[..., ::-1] if mode == "standard_bgr" else images
    if mode == "efficientnet_lite":
        return (images - 127) / 128
    if mode == "efficientnet":
        mean, std = tf.constant(IMAGENET_MEAN), tf.constant(IMAGENET_STD)
        return 255 * (mean + (images / 255 - mean) / tf.sqrt(std))
    raise ValueError(f"preprocess: expected mode in {MODES}; received {mode!r}.")


@tf.keras.utils.register_keras_serializable("landmark_zoo")
class Preprocessing(tf.keras.layers.Layer):
    """Converts pixels 0..255 (RGB) to a backbone's own range, inside the model.

    Args:
        mode: One of `MODES`, see `preprocess`.
        **kwargs: Keras' own.

    Input shape, output shape:
        [B, H, W, 3].
    """

    def __init__(self, mode: str, **kwargs):
        super().__init__(**{"dtype": "float32", "autocast": False, **kwargs})
        if mode not in MODES:
            raise ValueError(f"Preprocessing: expected mode in {MODES}; received {mode!r}.")
        self.mode = mode

    def call(self, inputs):
        return preprocess(inputs, self.mode)

    def compute_output_shape(self, input_shape):
        return tf.TensorShape(input_shape)

    def get_config(self):
        return {**super().get_config(), "mode": self.mode}


SUFFIXES, TORCH_SUFFIXES = (".h5", ".hdf5", ".keras"), (".pth", ".pt", ".safetensors")


def load_weights(network: tf.keras.Model, spec: BackboneSpec, weights: str | Path, alpha: float | None = None) -> None:
    """Fills `network` (an application without its top) with pretrained weights.

    Args:
        network: Model made by `spec.application(include_top=False, weights=None, ...)`.
        spec: Row of the network in the table.
        weights: "imagenet" (the file of an installed package or, where Keras publishes the network, downloaded and checked
            by Keras and kept in its cache), a `.h5` file, a file of torch or safetensors where the row knows its names, a
            folder with one file for this backbone, or an http(s) address.
        alpha: Width multiplier, needed to choose among the files of a folder.

    Raises:
        UserError: No such file, no or several fitting files in the folder, a file of another network, no network access,
            no package that brings the ImageNet weights.
    """
    path = weight_file(spec, weights, alpha)
    if path is None:
        _copy_imagenet(network, spec, alpha)
        return
    if path.suffix in TORCH_SUFFIXES:
        if spec.torch_names is None:
            raise UserError(f"a .h5 file of Keras for {spec.name}", f"{path}, of torch", "Choose another file or backbone.")
        tensors = read_state_dict(path)
        tensors = spec.torch_form(tensors) if spec.torch_form else tensors
        assign_tensors(network, tensors, spec.torch_names(network, tensors), path, spec.unused_tensors)
        return
    try:
        network.load_weights(path)
    except (ValueError, OSError, KeyError) as error:
        reason = " ".join(str(error).split())[:200]
        width = f" of width {alpha}" if alpha else ""
        raise UserError(f"weights of {spec.name}{width} without its top in {path}", f"a file that does not fit ({reason})",
                        "Choose the file of the same backbone and width.") from error


def weight_file(spec: BackboneSpec, weights: str | Path, alpha: float | None = None) -> Path | None:
    """Returns the file that `weights` stands for, see `load_weights`; None for the ImageNet weights that Keras keeps."""
    if str(weights) == "imagenet":
        return spec.published.find() if spec.published else None
    path = _download(str(weights)) if str(weights).startswith(("http://", "https://")) else Path(weights)
    if path.is_dir():
        path = find_weights(path, spec.name, alpha)
    if not path.is_file():
        raise UserError(f"a weight file for {spec.name}", f"{path}, which does not exist",
                        'Use a .h5 file, a folder that holds one, an address, or "imagenet".')
    return path


def describe_weights(backbone: str, weights: str | Path | None, alpha: float | None = None) -> dict[str, str]:
    """Returns where pretrained weights come from, for the facts of a run and the card of an export.

    Args:
        backbone: A name of `BACKBONES`.
        weights: As given to `build_backbone`.
        alpha: Width multiplier.

    Returns:
        "pretrained" (name of the file, or "none") and, where there is a file, "pretrained_sha256"; of a package's also
        "pretrained_package" and "pretrained_license".
    """
    if weights is None:
        return {"pretrained": "none"}
    spec = BACKBONES[backbone]
    path = weight_file(spec, weights, alpha)
    if path is None:
        return {"pretrained": f"{weights}, as Keras publishes it"}
    facts = {"pretrained": path.name, "pretrained_sha256": sha256(path)}
    if str(weights) == "imagenet":
        facts |= {"pretrained_package": spec.published.package, "pretrained_license": spec.published.license}
    return facts


def find_weights(folder: Path, backbone: str, alpha: float | None = None) -> Path:
    """Returns the one weight file in `folder` whose name begins with the backbone's, at the width `alpha` (default 1.0).

    Dashes and underscores do not count: `mobilenet_v2_1.0_imagenet_no_top.weights.h5` is mobilenetv2 at width 1.0. Nor does
    "weights" in front, nor "224" behind the name: `weights_mobilenet_v3_small_224_1.0_float_no_top_v2.h5` is known too.
    """
    width = f"{1.0 if alpha is None else alpha:g}"
    spellings = tuple({width, f"{float(width):.1f}", f"{float(width):.2f}"})
    suffixes = SUFFIXES + (TORCH_SUFFIXES if BACKBONES[backbone].torch_names else ())
    fitting = []
    for path in sorted(Path(folder).iterdir()):
        name = path.name.lower()
        letters = name.replace("_", "").replace("-", "").removeprefix("weights")
        named = max((other for other in BACKBONES if letters.startswith(other)), key=len, default=None)
        rest = letters.removeprefix(backbone).removeprefix("224")
        if path.suffix in suffixes and named == backbone and (
                not backbone.startswith("mobilenet") or rest.startswith(spellings)):
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
                   taps: Sequence[str] | None = None) -> tf.keras.Model:
    """Makes a Keras application without its top that returns its taps.

    The preprocessing is not in it: `models.build_model` puts it before.

    Args:
        name: A name of `BACKBONES`.
        weights: None (random), "imagenet", a file, a folder or an address; see `load_weights`.
        alpha: Width multiplier of the MobileNets and of torchvision's ResNets.
        taps: Names of the feature maps returned, and "class_token" where the backbone has one; None for all feature maps.
            What lies behind the last of them is left out.

    Returns:
        A model named `name`: preprocessed images [B, H, W, 3], of 32 pixels or more each way, to a dict from tap to feature
        map.

    Raises:
        UserError: A width or a tap that the backbone has not, or see `load_weights`.

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
        raise UserError(f"no alpha for {name}", f"alpha={alpha}", "Only MobileNets and torchvision's ResNets have them.")
    outputs = {**spec.taps, **({"class_token": spec.class_token} if spec.class_token else {})}
    absent = [tap for tap in taps or () if tap not in outputs]
    if absent:
        raise UserError(f"a backbone with {' and '.join(absent)}", f"{name}, which has {', '.join(outputs)}",
                        "Choose another --model.")
    network = _network(spec, weights, alpha)
    found = {tap: network.get_layer(outputs[tap]).output for tap in taps or spec.taps}
    return tf.keras.Model(network.input, found, name=name)


def _network(spec: BackboneSpec, weights: str | Path | None, alpha: float | None) -> tf.keras.Model:
    """Builds a network with its weights; one that must be rewritten is built in float32 first."""
    def build() -> tf.keras.Model:
        width = {"alpha": alpha} if alpha is not None else {}
        return spec.application(include_top=False, weights=None, input_shape=(None, None, 3), **width)

    network, policy = build(), tf.keras.mixed_precision.global_policy()
    rewritten = needs_rewriting(network)
    if rewritten and policy.compute_dtype != "float32":
        tf.keras.mixed_precision.set_global_policy("float32")
        try:
            network = build()
        finally:
            tf.keras.mixed_precision.set_global_policy(policy)
    if weights is not None:
        load_weights(network, spec, weights, alpha)
    return rewrite(network, spec.smallest_side) if rewritten else network
