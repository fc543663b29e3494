"""Composition of a model from backbone, attention, pooling, embedding layer and head."""

from collections.abc import Mapping
from pathlib import Path

import tensorflow as tf

from landmark_zoo.backbones.build import Preprocessing, build_backbone
from landmark_zoo.backbones.registry import BACKBONES
from landmark_zoo.backbones.surgery import PLACEMENTS, insert_blocks, places, replace_convolutions
from landmark_zoo.core.errors import UserError
from landmark_zoo.layers.attention.base import Attention
from landmark_zoo.layers.attention.registry import ATTENTION
from landmark_zoo.layers.embedding import EmbeddingLayer, L2Normalize
from landmark_zoo.layers.pooling.global_pooling import AdaptiveAveragePooling
from landmark_zoo.layers.registry import HEADS, POOLING

layers = tf.keras.layers


def embed_and_classify(vectors: tf.Tensor, num_classes: int | None, embedding_dim: int | None = None,
                       head: str = "softmax", head_arguments: dict | None = None) -> dict[str, tf.Tensor]:
    """Gives a network built as a classifier the outputs that retrieval needs.

    Without an embedding layer the head stands on the vectors as they are, as in the papers' classifiers, and the embedding
    is the same vectors at length 1. With one the head stands on the embedding, as in `models.build_model`.

    Args:
        vectors: [B, C].
        num_classes: N; None builds no head.
        embedding_dim: D of the embedding layer; None leaves it out.
        head: A name of `HEADS`.
        head_arguments: Arguments of the head's constructor.

    Returns:
        "embedding" float32 [B, D or C] of length 1 and, with a head, "logits" float32 [B, N].
    """
    if embedding_dim is None:
        outputs = {"embedding": L2Normalize(name="embedding")(vectors)}
    else:
        vectors = EmbeddingLayer(embedding_dim, name="embedding")(vectors)
        outputs = {"embedding": vectors}
    if num_classes is not None:
        outputs["logits"] = HEADS[head](num_classes, name=head, **(head_arguments or {}))(vectors)
    return outputs


def build_model(backbone: str, attention: str | None = None, pooling: str = "gem", embedding_dim: int | None = 512,
                head: str = "arcface", num_classes: int | None = None, weights: str | Path | None = None,
                alpha: float | None = None, placement: str = "end", attention_arguments: dict | None = None,
                pooling_arguments: dict | None = None, head_arguments: dict | None = None,
                name: str | None = None) -> tf.keras.Model:
    """Builds a landmark model: images of any size to a dict of named outputs.

    Args:
        backbone: A name of `BACKBONES`.
        attention: A name of `ATTENTION`; None for none.
        pooling: A name of `POOLING`.
        embedding_dim: D; None leaves the embedding layer out: the embedding is the pooled vector at length 1, and the head
            stands on the pooled vector as it is.
        head: A name of `HEADS`; used with `num_classes` only.
        num_classes: N; None builds no head.
        weights: Weights of the backbone: None, "imagenet", file, folder or address.
        alpha: Width multiplier of the MobileNets and torchvision's ResNets.
        placement: Place of attention: "end", one block on the last feature map; "stages" or "blocks", many inside the
            backbone, which keeps its pretrained weights; "convolutions", in the place of 3x3 convolutions, whose weights are
            lost (but see `replace_convolutions`) while all others are kept. See `backbones.places`.
        attention_arguments: Arguments of the attention layer's constructor. Inside the backbone a `reduction` that is not
            given is lowered where a feature map is thin, so that two hidden channels are left.
        pooling_arguments: Arguments of the pooling's constructor.
        head_arguments: Arguments of the head's constructor.
        name: Name of the model.

    Returns:
        A model from images [B, H, W, 3] (RGB, 0..255, uint8 or float32, H and W >= 32) to a dict: "embedding" float32 [B, D]
        of length 1, "feature_map" [B, h, w, C] as pooled, "attention/<map>" for each attention map (with other placements
        than "end" "attention/<block>/<map>", e.g. "attention/se_c4/se"), "logits" float32 [B, N] (without margin) where
        there is a head.

    Raises:
        UserError: An unknown name, a placement without attention, or one that backbone or block do not allow.

    Example:
        >>> model = build_model("mobilenet", "se", pooling="spoc", embedding_dim=16, alpha=0.25)
        >>> outputs = model(tf.zeros([1, 64, 96, 3]))
        >>> outputs["embedding"].shape, outputs["feature_map"].shape, outputs["attention/se"].shape
        (TensorShape([1, 16]), TensorShape([1, 2, 3, 256]), TensorShape([1, 1, 1, 256]))
    """
    if placement not in PLACEMENTS or (attention is None and placement != "end"):
        raise UserError(f"a placement among {', '.join(PLACEMENTS)}, and 'end' where there is no attention",
                        f"{placement!r} of attention {attention!r}", "Choose another placement, or a model with attention.")
    images = tf.keras.Input([None, None, 3], name="images")
    pixels = Preprocessing(BACKBONES[backbone].preprocessing, name="preprocessing")(images)
    pool = POOLING[pooling](name=pooling, **(pooling_arguments or {}))
    takes_token = BACKBONES[backbone].class_token is not None and getattr(pool, "takes_class_token", False)
    network = build_backbone(backbone, weights, alpha, taps=("C5", "class_token") if takes_token else ("C5",))
    if placement != "end":
        network = _attend_inside(network, backbone, placement, attention, attention_arguments or {})
    outputs = network(pixels)
    features = outputs.pop("C5")
    if attention is not None and placement == "end":
        block = ATTENTION[attention].create(return_maps=True, name=attention, **(attention_arguments or {}))
        features, maps = block(features)
        outputs |= {f"attention/{key}": value for key, value in maps.items()}
    pooled = pool([features, outputs.pop("class_token")] if takes_token else features)
    outputs |= {"feature_map": features, **embed_and_classify(pooled, num_classes, embedding_dim, head, head_arguments)}
    return tf.keras.Model(images, outputs, name=name or "_".join(filter(None, (backbone, attention or pooling))))


def _attend_inside(network: tf.keras.Model, backbone: str, placement: str, attention: str,
                   arguments: Mapping[str, object]) -> tf.keras.Model:
    replacing = placement == "convolutions"
    if replacing and ATTENTION[attention].replacement is None:
        able = [name for name, method in ATTENTION.items() if method.replacement is not None]
        raise UserError("an attention that can replace a convolution for placement 'convolutions'", attention,
                        f"Use one of {', '.join(able)}, or another placement.")
    make, put = (_replacement, replace_convolutions) if replacing else (_block, insert_blocks)
    blocks = {}
    for layer, place in places(network, BACKBONES[backbone], placement).items():
        channels = network.get_layer(layer).output_shape[-1]
        blocks[layer] = make(attention, f"{attention}_{place}", channels, arguments)
    try:
        return put(network, blocks)
    except ValueError as error:  # a block that wants other channels
        raise UserError(f"a block that fits every place of placement {placement!r} in {backbone}",
                        f"{attention} ({' '.join(str(error).split())[:200]})",
                        "Choose another block, placement or backbone.") from error


def _block(attention: str, name: str, channels: int, arguments: Mapping[str, object]) -> Attention:
    block = ATTENTION[attention].create(return_maps=True, name=name, **arguments)
    if "reduction" in arguments or channels >= 2 * getattr(block, "reduction", 1):
        return block
    return ATTENTION[attention].create(return_maps=True, name=name, reduction=max(channels // 2, 1), **arguments)


def _replacement(attention: str, name: str, channels: int, arguments: Mapping[str, object]) -> Attention:
    return ATTENTION[attention].create_replacement(channels, return_maps=True, name=name, **arguments)


def last_map(backbone: str, weights: str | Path | None = None, alpha: float | None = None) -> tf.keras.Model:
    """Makes a backbone that ends where its paper's dense layers begin: at C5, VGG-16's behind the fifth max-pooling.

    The backbone of the zoo stops before that pooling (Simonyan, Zisserman: Very Deep Convolutional Networks, ICLR 2015,
    configuration D).

    Returns:
        A model named as the backbone: preprocessed images [B, H, W, 3] to one map [B, H/32, W/32, C].
    """
    network = build_backbone(backbone, weights, alpha, taps=("C5",))
    features = network.output["C5"]
    if backbone == "vgg16":
        features = tf.keras.layers.MaxPooling2D(2, name="block5_pool")(features)
    return tf.keras.Model(network.input, features, name=backbone)


def dense_layers(features: tf.Tensor, width: int = 4096, dropout: float = 0.5) -> tf.Tensor:
    """Puts the two hidden dense layers on a feature map, each with a dropout behind it.

    Flattening ties them to maps of 7 x 7, images of 224 x 224. An average pooling to 7 x 7 before it, which changes
    nothing at 224, lets them take any size; torchvision's VGG does the same.

    Args:
        features: [B, H, W, C].
        width: Units of each layer; 4096 in the paper.
        dropout: Part of the units that training leaves out.

    Returns:
        [B, width].
    """
    x = layers.Flatten(name="flatten")(AdaptiveAveragePooling(7, name="to_7x7")(features))
    for number in (1, 2):
        x = layers.Dense(width, activation="relu", name=f"fc{number}")(x)
        x = layers.Dropout(dropout, name=f"dropout{number}")(x)
    return x
