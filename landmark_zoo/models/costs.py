"""What the models of the zoo cost, without building each of them whole."""

import dataclasses
import functools

import tensorflow as tf

from landmark_zoo.backbones import BACKBONES
from landmark_zoo.backbones.build import build_backbone
from landmark_zoo.layers.attention import ATTENTION
from landmark_zoo.layers.pooling import POOLING
from landmark_zoo.models.complexity import multiply_accumulates


@dataclasses.dataclass(frozen=True)
class Costs:
    """Size and work of a model without its head.

    Attributes:
        parameters: Statistics of BatchNorm included.
        macs: Multiply-accumulates of one picture.
        embedding: Length of the embedding.
    """

    parameters: int
    macs: int
    embedding: int


def costs(backbone: str, attention: str | None, pooling: str, embedding_dim: int, height: int, width: int) -> Costs:
    """Adds up backbone, block, pooling and embedding layer; backbone and block are counted once and remembered.

    Args:
        backbone: A name of `BACKBONES`.
        attention: A name of `ATTENTION`, on the last feature map, or None.
        pooling: A name of `POOLING`.
        embedding_dim: Length of the embedding.
        height: Of the picture, pixels.
        width: Of the picture, pixels.
    """
    parameters, macs, shape = _backbone(backbone, height, width)
    if attention is not None:
        block = _layer("attention", attention, shape)
        parameters, macs = parameters + block[0], macs + block[1]
    pool = _layer("pooling", pooling, shape)
    projection = pool[2] * embedding_dim
    return Costs(parameters + pool[0] + projection + embedding_dim, macs + pool[1] + projection, embedding_dim)


@functools.cache
def _backbone(name: str, height: int, width: int) -> tuple[int, int, tuple[int, ...]]:
    model = build_backbone(name, taps=("C5",))
    spec = tf.TensorSpec([1, height, width, 3])
    stride = BACKBONES[name].strides["C5"]
    shape = (-(-height // stride), -(-width // stride), model.output_shape["C5"][-1])
    return model.count_params(), multiply_accumulates(model, spec), shape


@functools.cache
def _layer(kind: str, name: str, shape: tuple[int, ...]) -> tuple[int, int, int]:
    layer = ATTENTION[name].create() if kind == "attention" else POOLING[name]()
    spec = tf.TensorSpec([1, *shape])
    macs = multiply_accumulates(layer, spec)
    return layer.count_params(), macs, int(layer.compute_output_shape([1, *shape])[-1])
