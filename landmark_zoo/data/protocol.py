"""Test protocol: how a model's image, and the crop of a query, come to their size, and scales to one embedding.

A protocol belongs to a model and travels in its export, as constants of `info`. `PUBLISHED` holds those of published
checkpoints. Sizes and kernels of its rules are in `data.resampling`; scales are put together in `serving.embedders`.
"""

import dataclasses
import math
from collections.abc import Mapping
from typing import Any

from landmark_zoo.core.errors import UserError, check_range
from landmark_zoo.data.datasets.images import MIN_SIDE

RESIZE_RULES = {
    "bilinear": "antialiased", "pil_bilinear": "antialiased, in whole gray levels as Pillow",
    "lanczos": "LANCZOS, in whole gray levels as Pillow's thumbnail", "none": "none, images keep their size"}
CROP_RULES = {"side": "", "image": ", which keeps the image's scale"}
SCALE_RESIZES = {"antialias": "", "linear": "without antialiasing",
                 "area": "by pixel areas below 1, else without antialiasing, in whole gray levels"}
ROUNDINGS = {"nearest": "", "even": "sizes rounded half to even", "floor": "sizes rounded down"}
RATIOS = {"sizes": "", "factor": "pixels 1 / scale apart"}
POOLINGS = ("mean", "maximum")


def _check_rule(name: str, value: str, known: Mapping[str, str] | tuple[str, ...]) -> None:
    if value not in known:
        raise UserError(f"{', '.join(known)} for --{name}", f"{value}", f"Choose one for --{name}.")


@dataclasses.dataclass(frozen=True)
class Scales:
    """Fixed scales and their aggregation.

    Attributes:
        factors: Factors of the image at the model's side, e.g. (0.7071, 1, 1.4142).
        unit: Bring the embeddings of all scales to length 1 before they are aggregated.
        power: p of the generalised mean over the scales; 1 is the mean.
        pooling: "mean", which `power` generalises, or "maximum" of each number.
        resize: Resize from the image at scale 1: "antialias" (bilinear), "linear" (bilinear without antialiasing), or "area"
            (pixel areas where it shrinks, else as "linear", both in whole gray levels).
        rounding: Rounding of a scale's size: "nearest", "even" (halves to even numbers) or "floor".
        ratio: Distance of two pixels of the result, in pixels of the image: that of the "sizes", or 1 / "factor".

    Raises:
        UserError: No scale, one that is not above 0, one twice, a power that is not above 0, or no such rule.
    """

    factors: tuple[float, ...] = (1.0,)
    unit: bool = True
    power: float = 1.0
    pooling: str = "mean"
    resize: str = "antialias"
    rounding: str = "nearest"
    ratio: str = "sizes"

    def __post_init__(self):
        good = self.factors and all(math.isfinite(factor) and factor > 0 for factor in self.factors)
        if not good or len(set(self.factors)) < len(self.factors):
            raise UserError("scales above 0, none twice", ", ".join(map(str, self.factors)) or "none",
                            "Write for example --scales=0.7071,1,1.4142.")
        if max(self.factors) > 16:
            raise UserError("scales up to 16", str(max(self.factors)), "Write for example --scales=0.7071,1,1.4142.")
        if not (math.isfinite(self.power) and self.power > 0):
            raise UserError("a power above 0 for the mean over the scales", str(self.power),
                            "Write --scale_power=1 for the mean.")
        for name, known in (("pooling", POOLINGS), ("resize", SCALE_RESIZES), ("rounding", ROUNDINGS), ("ratio", RATIOS)):
            _check_rule(f"scale_{name}", getattr(self, name), known)
        if self.pooling == "maximum" and self.power != 1:
            raise UserError("a power with --scale_pooling=mean", f"{self.power:g} with maximum", "Leave --scale_power out.")

    @property
    def aggregation(self) -> str:
        """One line for protocol cards."""
        if self.factors == (1.0,):
            return "none"
        mean = self.pooling if self.power == 1 else f"generalised mean, p {self.power:g},"
        rules = [SCALE_RESIZES[self.resize], ROUNDINGS[self.rounding], RATIOS[self.ratio]]
        return (f"{mean} of embeddings {'of length 1' if self.unit else 'before their L2 normalisation'}, L2"
                + (f"; scales {', '.join(filter(None, rules))}" if any(rules) else ""))


@dataclasses.dataclass(frozen=True)
class Protocol:
    """Test protocol of a model.

    Attributes:
        side: Longer side of the images, in pixels; with the resize "none" that of the images that speed is measured on.
        resize: One of `RESIZE_RULES`: "bilinear" (antialiased), "pil_bilinear" and "lanczos" (antialiased, rounded to whole
            gray levels), "none".
        enlarge: Enlarge images whose longer side is below `side`.
        crop: Scale of a box that is cut out of an image: "side" (its own longer side becomes `side`), or "image" (it is
            resized by the factor of the whole image).
        box_rounding: Rounding of the corners of boxes: "nearest" (halves to even numbers) or "floor".
        scales: Scales of the image at that size, and their aggregation.
        whitening_l2: Bring the aggregate to length 1 before a whitening that follows.

    Raises:
        UserError: No such rule, or a side outside 32 to 8192.

    Example:
        >>> Protocol(1024, "lanczos", enlarge=False, crop="image").words
        "longer side to 1024 pixels at most, LANCZOS, in whole gray levels as Pillow's thumbnail"
    """

    side: int = 352
    resize: str = "bilinear"
    enlarge: bool = True
    crop: str = "side"
    box_rounding: str = "nearest"
    scales: Scales = Scales()
    whitening_l2: bool = True

    def __post_init__(self):
        if self.side < MIN_SIDE:
            raise UserError(f"a side of {MIN_SIDE} pixels or more", str(self.side), "Choose a larger one.")
        check_range("side", self.side, maximum=8192)
        for name, value, known in (("resize_rule", self.resize, RESIZE_RULES), ("crop_rule", self.crop, CROP_RULES),
                                   ("box_rounding", self.box_rounding, ("nearest", "floor"))):
            _check_rule(name, value, known)

    @classmethod
    def of(cls, protocol: "Protocol | int") -> "Protocol":
        """Returns a protocol; a number is the side of one whose other rules are the project's own."""
        return protocol if isinstance(protocol, Protocol) else cls(protocol)

    @property
    def words(self) -> str:
        """Resize rule in one line, for protocol cards."""
        if self.resize == "none":
            return RESIZE_RULES["none"]
        return f"longer side to {self.side} pixels{'' if self.enlarge else ' at most'}, {RESIZE_RULES[self.resize]}"

    @property
    def aggregation(self) -> str:
        """Scales and what is done with them in one line, for protocol cards."""
        return f"{self.scales.aggregation}{'' if self.whitening_l2 else '; left out before the whitening: L2'}"

    @property
    def crop_words(self) -> str:
        """Rule for boxes in one line, for protocol cards."""
        rounded = "corners rounded down, " if self.box_rounding == "floor" else ""
        if self.resize == "none":
            return f"in pixels of the file, {rounded}not resized"
        return f"in pixels of the file, {rounded}before the resize{CROP_RULES[self.crop]}"

    @property
    def crops_apart(self) -> bool:
        """Whether a crop at its size is none of a whole image: only then `images` would resize it once more."""
        return self.crop == "image" and self.enlarge and self.resize != "none"

    @property
    def constants(self) -> dict[str, Any]:
        """All fields by the names that `info` and the flags of export.savedmodel have for them."""
        scales = self.scales
        return {"side": self.side, "resize_rule": self.resize, "enlarge": self.enlarge, "crop_rule": self.crop,
                "box_rounding": self.box_rounding, "scales": list(scales.factors), "scale_l2": scales.unit,
                "scale_power": scales.power, "scale_pooling": scales.pooling, "scale_resize": scales.resize,
                "scale_rounding": scales.rounding, "scale_ratio": scales.ratio, "whitening_l2": self.whitening_l2}

    @classmethod
    def from_constants(cls, facts: Mapping[str, Any]) -> "Protocol":
        """Returns the protocol that `constants` describes; what they do not state is as in exports of earlier releases.

        Args:
            facts: Constants of `info`, "side" among them; others are left out of account.
        """
        found = {**_FORMER.constants, **facts}
        if not isinstance(found["scales"], list | tuple):  # an ensemble whose members have unlike ones says so in words
            found["scales"] = _FORMER.scales.factors
        return cls(int(found["side"]), found["resize_rule"], bool(found["enlarge"]), found["crop_rule"],
                   found["box_rounding"], Scales(tuple(map(float, found["scales"])), bool(found["scale_l2"]),
                                                 float(found["scale_power"]), found["scale_pooling"], found["scale_resize"],
                                                 found["scale_rounding"], found["scale_ratio"]), bool(found["whitening_l2"]))


OWN_SCALES = Scales()
_FORMER = Protocol()  # the rules of all exports that do not state them

_ROOT = 2 ** 0.5
_TORCH = Scales((1.0, _ROOT, 1 / _ROOT), resize="linear", rounding="floor")
_PILLOW = Protocol(1024, "lanczos", enlarge=False, crop="image")
_OPENCV = Protocol(1024, "none", enlarge=False, box_rounding="floor")

PUBLISHED = {
    "cirtorch": dataclasses.replace(_PILLOW, scales=_TORCH),
    "cirtorch_sfm": dataclasses.replace(_PILLOW, scales=dataclasses.replace(_TORCH, factors=(1.0, 1 / _ROOT, 0.5))),
    "solar": dataclasses.replace(_PILLOW, scales=_TORCH),
    "how": dataclasses.replace(_PILLOW, scales=dataclasses.replace(
        _TORCH, factors=(2.0, 1.414, 1.0, 0.707, 0.5, 0.353, 0.25), unit=False)),
    "token": dataclasses.replace(_PILLOW, scales=dataclasses.replace(_TORCH, ratio="factor")),
    "delg": Protocol(1024, "pil_bilinear", enlarge=False, crop="image", scales=Scales(
        (1 / _ROOT, 1.0, _ROOT), resize="linear", rounding="even")),
    "cvnet": dataclasses.replace(_OPENCV, scales=Scales((0.7071, 1.0, 1.4142), resize="area", rounding="even",
                                                        ratio="factor")),
    "superglobal": dataclasses.replace(_OPENCV, scales=Scales((0.7071, 1.0, 1.4142), pooling="maximum", resize="linear",
                                                              rounding="floor")),
    "dolg": dataclasses.replace(_OPENCV, scales=Scales((0.3535, 0.5, 0.7071, 1.0, 1.4142), resize="linear",
                                                       rounding="even")),
    "delg_pytorch": dataclasses.replace(_OPENCV, scales=Scales((0.7071, 1.0, 1.4142), resize="linear", rounding="even")),
    "naver": dataclasses.replace(_OPENCV, box_rounding="nearest"),
}
"""Protocols of published checkpoints, read from their authors' code.

    cirtorch       filipradenovic/cnnimageretrieval-pytorch: networks with a whitening layer (rSfM120k-tl, gl18-tl); torch
                   before 1.5, whose `interpolate` takes the ratio of the sizes
    cirtorch_sfm   the same, networks whitened afterwards (retrievalSfM120k); their mean is generalised by the p of their
                   GeM: --scale_power
    solar          tonyngjichun/SOLAR, on cirtorch's code
    how            gtolias/how, the global vector: the sum over all scales, where attention is not divided by its maximum in
                   the image (as in published networks; `models.build_how(relative=False)`)
    token          MCC-WH/Token, and its R-MAC, NetVLAD, DELG and SOLAR; torch from 1.7 on, whose ratio is 1 / scale
    delg           tensorflow/models, research/delf: Pillow's BILINEAR, then tf.image.resize of rounded sizes
    cvnet          sungonce/CVNet: OpenCV on bytes, INTER_AREA below 1, INTER_LINEAR above, whose ratio is 1 / scale
    superglobal    ShihaoShao-GH/SuperGlobal: torchvision's resize of tensors without antialiasing (before 0.17)
    dolg           feymanpriv/DOLG: OpenCV's INTER_LINEAR on floats
    delg_pytorch   feymanpriv/DELG: as dolg, at the paper's three scales
    naver          naver/deep-image-retrieval: images as they are, one scale

Boxes of "floor" are cut by int(). Where two sizes of a side are equally near, `delg` may differ by a pixel.
"""
