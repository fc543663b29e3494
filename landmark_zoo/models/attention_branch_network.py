"""Attention Branch Network, its faulty form in a study on GLDv1, and that study's frozen classifier.

Source: Fukui, Hirakawa, Yamashita, Fujiyoshi: Attention Branch Network: Learning of Attention Mechanism for Visual
Explanation, CVPR 2019.
"""

from pathlib import Path

import tensorflow as tf

from landmark_zoo.backbones.build import Preprocessing, build_backbone
from landmark_zoo.backbones.registry import BACKBONES
from landmark_zoo.core.errors import UserError
from landmark_zoo.layers.attention.attention_branch import MOST_CLASSES, AttentionBranch, branch_parameters
from landmark_zoo.layers.pooling.global_pooling import AdaptiveAveragePooling, GeM
from landmark_zoo.models.build import dense_layers, embed_and_classify, last_map

layers = tf.keras.layers
WITH_TRUNK = ("resnet18", "resnet50", "resnet101")


def build_attention_branch_network(backbone: str, num_classes: int | None = None, *, weights: str | Path | None = None,
                                   alpha: float | None = None, mechanism: str = "residual",
                                   bottleneck: int | None = None, embedding_dim: int | None = None,
                                   head: str = "softmax", head_arguments: dict | None = None, dense_units: int = 4096,
                                   on_last_map: bool | None = None, name: str | None = None) -> tf.keras.Model:
    """Puts an attention branch into a backbone: front -> branch -> attended map -> perception branch.

    | backbone | branch stands on | trunk of the branch | perception branch |
    |---|---|---|---|
    | resnet18, 50, 101 | C4 | copy of the last stage at stride 1, same initial weights | last stage, mean, head |
    | vgg16, any `on_last_map` | the last map (VGG-16: behind its last pooling) | two 3x3 convolutions | 4096, 4096, head |
    | others | C4 | none | what lies between C4 and C5, mean, head |

    The ResNets are the paper's. The form on the last map follows the 27-landmark study on GLDv1 without its faults: logits
    in place of probabilities, a mean over the whole map, the residual; `build_faulty_abn` keeps them. As in the study
    nothing stands between the two convolutions of its trunk. Both logits are trained, see `losses.attention_branch_loss`.

    With an embedding layer the perception branch ends as in `models.build_model` and not as in the table: GeM, embedding,
    head on the embedding.

    Args:
        backbone: A name of `BACKBONES`.
        num_classes: K. Must be given: the attention map is made of one response map per class.
        weights: Weights of the backbone: None, "imagenet", file, folder or address.
        alpha: Width multiplier of the MobileNets and torchvision's ResNets.
        mechanism: "residual" for (1 + M) x, or "product" for M x.
        bottleneck: Response maps of the branch in place of one per class, needed past 10,000 classes.
        embedding_dim: D; None leaves the embedding layer out.
        head: A name of `HEADS`, of the perception branch; "softmax" is the paper's.
        head_arguments: Arguments of the head's constructor.
        dense_units: Units of the hidden layers, in the form on the last map.
        on_last_map: Whether the branch stands on the last map; None for VGG-16 only.
        name: Name of the model.

    Returns:
        A model from images [B, H, W, 3] (RGB, 0..255, H and W >= 32) to a dict: "attention/abn" M [B, h, w, 1],
        "attention_logits" float32 [B, K], "feature_map" as pooled, "embedding" float32 [B, D] of length 1, "logits" float32
        [B, K].

    Raises:
        UserError: No number of classes, or too many for a branch without bottleneck.
    """
    if num_classes is None:
        raise UserError(f"a number of classes for {backbone}_abn, whose attention map is made of the classes",
                        "none", "Give the number of classes it is, or was, trained on.")
    images = tf.keras.Input([None, None, 3], name="images")
    pixels = Preprocessing(BACKBONES[backbone].preprocessing, name="preprocessing")(images)
    on_last_map = backbone == "vgg16" if on_last_map is None else on_last_map
    front, trunk, perception = (_dense_parts if on_last_map else _parts)(backbone, weights, alpha)
    features = front(pixels)
    _check_size(backbone, (trunk or front).output_shape[-1], num_classes, bottleneck)
    branch = AttentionBranch(num_classes, trunk, mechanism, bottleneck=bottleneck, name="attention_branch")
    attended, attention_logits, maps = branch(features)
    features = perception(attended) if perception else attended
    if embedding_dim is not None:
        vectors = GeM(name="gem")(features)
    elif on_last_map:
        vectors = dense_layers(features, dense_units)
    else:
        vectors = tf.keras.layers.GlobalAveragePooling2D(dtype="float32", name="mean")(features)
    outputs = {"attention/abn": maps["abn"], "attention_logits": attention_logits, "feature_map": features}
    outputs |= embed_and_classify(vectors, num_classes, embedding_dim, head, head_arguments)
    return tf.keras.Model(images, outputs, name=name or f"{backbone}_abn")


def _parts(backbone: str, weights: str | Path | None, alpha: float | None):
    """Returns the network before the branch, the branch's trunk or None, and the network behind it or None."""
    network = build_backbone(backbone, weights, alpha, taps=("C4", "C5"))
    front = tf.keras.Model(network.input, network.output["C4"], name=backbone)
    perception = tf.keras.Model(network.output["C4"], network.output["C5"], name="perception")
    return front, _at_stride_1(perception) if backbone in WITH_TRUNK else None, perception


def _dense_parts(backbone: str, weights: str | Path | None, alpha: float | None):
    """Returns the same for the form on the last map, behind which dense layers stand in place of a network."""
    front = last_map(backbone, weights, alpha)
    channels = front.output_shape[-1]
    convolutions = [tf.keras.layers.Conv2D(channels, 3, padding="same", name=f"attention_conv{n}") for n in (1, 2)]
    return front, tf.keras.Sequential([tf.keras.Input([None, None, channels]), *convolutions], name="trunk"), None


def _at_stride_1(stage: tf.keras.Model) -> tf.keras.Model:
    """Returns a copy of a ResNet's last stage, weights included, that keeps the size of the map."""
    def copy(layer):
        config = layer.get_config()
        return type(layer).from_config({**config, "strides": (1, 1)} if "strides" in config else config)

    trunk = tf.keras.models.clone_model(stage, clone_function=copy)
    trunk.set_weights(stage.get_weights())
    return tf.keras.Model(trunk.input, trunk.output, name="trunk")


def _check_size(backbone: str, channels: int, num_classes: int, bottleneck: int | None) -> None:
    if bottleneck is None and num_classes > MOST_CLASSES:
        billions = branch_parameters(channels, num_classes) / 1e9
        raise UserError(f"at most {MOST_CLASSES:,} classes or a bottleneck for {backbone}_abn",
                        f"{num_classes:,} classes, at which the branch has {billions:.1f} billion parameters",
                        "Set the bottleneck, e.g. to 256.")


def build_faulty_abn(backbone: str = "vgg16", num_classes: int | None = 27, *, weights: str | Path | None = None,
                     alpha: float | None = None, attention_weight: float = 0.25, dense_units: int = 4096,
                     embedding_dim: None = None, head: str = "softmax", head_arguments: dict | None = None,
                     name: str | None = None) -> tf.keras.Model:
    """Builds the network whose loss cannot fall, in the study VGG-16; `build_attention_branch_network` is the sound one.

    The faults: both branches end in a softmax, and the cross-entropy takes its second of `logits` = 0.25 times the
    probabilities of one plus those of the other, at most 1.25, so that the loss of 27 classes stays above 2.13 of 3.30
    (ln(e^1.25 + 26) - 1.25); the weight lies on outputs, not on losses; the map multiplies without the residual; the mean
    of the attention branch has stride 1 and keeps 7 x 7 places. Not as there: Keras has no VGG-16 with BatchNorm (8,448
    parameters fewer), pixels are normalised as the weights want them, and a pooling to 7 x 7 lets in images of other
    sizes than 224.

    Args:
        backbone: A name of `BACKBONES`.
        num_classes: K.
        weights: Weights of the backbone: None, "imagenet", file, folder or address.
        alpha: Width multiplier of the MobileNets and torchvision's ResNets.
        attention_weight: 0.25, or 0 as in the study's variant "one loss".
        dense_units: Units of the hidden layers.
        embedding_dim: Length of the embedding; must be None, the embedding is the second hidden layer.
        head: Name of the head; must be "softmax".
        head_arguments: Arguments of the head; must be empty.
        name: Name of the model.

    Returns:
        A model from images [B, H, W, 3] to a dict: "logits" [B, K], which are no logits, "attention/abn" [B, 7, 7, 1],
        "feature_map" [B, 7, 7, C], "embedding" float32 [B, dense_units] of length 1.
    """
    name = name or f"{backbone}_abn_faulty"
    if embedding_dim is not None or head != "softmax" or head_arguments or num_classes is None:
        raise UserError(f"a number of classes, no embedding layer and the head softmax for {name}",
                        f"{num_classes}, {embedding_dim} and {head} {head_arguments or ''}",
                        "Set --embedding_dim=0 and --head=softmax.")
    images = tf.keras.Input([None, None, 3], name="images")
    pixels = Preprocessing(BACKBONES[backbone].preprocessing, name="preprocessing")(images)
    features = last_map(backbone, weights, alpha)(pixels)
    features = AdaptiveAveragePooling(7, name="features_7x7")(features)
    x = features
    for number in (1, 2):
        x = layers.Conv2D(features.shape[-1], 3, padding="same", name=f"attention_conv{number}")(x)
    x = layers.BatchNormalization(momentum=0.9, epsilon=1e-5, name="attention_bn")(x)
    responses = layers.Conv2D(num_classes, 1, activation="relu", name="responses")(x)
    x = layers.Conv2D(num_classes, 1, name="scores_conv")(responses)
    x = layers.AveragePooling2D(7, 1, name="scores_mean")(layers.ZeroPadding2D(3, name="scores_pad")(x))
    x = layers.Flatten(name="scores_flat")(x)
    scores = layers.Dense(num_classes, activation="softmax", dtype="float32", name="scores1")(x)
    x = layers.BatchNormalization(momentum=0.9, epsilon=1e-5, name="map_bn")(layers.Conv2D(1, 1, name="map")(responses))
    attention = layers.Activation("sigmoid", name="attention")(x)
    attended = layers.Multiply(name="attended")([features, attention])
    outputs = embed_and_classify(dense_layers(attended, dense_units), num_classes)
    outputs["logits"] = attention_weight * scores + layers.Softmax(dtype="float32", name="scores2")(outputs["logits"])
    return tf.keras.Model(images, {"attention/abn": attention, "feature_map": attended, **outputs}, name=name)


def build_frozen_classifier(backbone: str = "vgg16", num_classes: int | None = 27, *,
                            weights: str | Path | None = None, alpha: float | None = None, dense_units: int = 4096,
                            embedding_dim: int | None = None, head: str = "softmax",
                            head_arguments: dict | None = None, name: str | None = None) -> tf.keras.Model:
    """Builds the baseline of the 27-landmark study on GLDv1, there with VGG-16: only the dense layers learn.

    Backbone (frozen) -> 7 x 7 x C -> 4096 -> 4096 -> N, dropout behind both hidden layers. Images of any size: see
    `dense_layers`. Useful only with pretrained `weights`, since frozen random features stay random.

    Args:
        backbone: A name of `BACKBONES`.
        num_classes: N; 27 in the study. None builds no head.
        weights: Weights of the backbone: None, "imagenet", file, folder or address.
        alpha: Width multiplier of the MobileNets and torchvision's ResNets.
        dense_units: Units of the hidden layers.
        embedding_dim: D; None takes the second hidden layer itself as the embedding.
        head: A name of `HEADS`; "softmax" is the study's.
        head_arguments: Arguments of the head's constructor.
        name: Name of the model.

    Returns:
        A model from images [B, H, W, 3] (RGB, 0..255, H and W >= 32) to a dict: "feature_map" [B, h, w, C], "embedding"
        float32 [B, D or dense_units] of length 1, "logits" float32 [B, N].
    """
    images = tf.keras.Input([None, None, 3], name="images")
    network = last_map(backbone, weights, alpha)
    network.trainable = False
    features = network(Preprocessing(BACKBONES[backbone].preprocessing, name="preprocessing")(images))
    outputs = embed_and_classify(dense_layers(features, dense_units), num_classes, embedding_dim, head, head_arguments)
    return tf.keras.Model(images, {"feature_map": features, **outputs}, name=name or f"{backbone}_classifier")
