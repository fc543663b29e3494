"""DELG (Cao, Araujo, Sim: Unifying Deep Local and Global Features for Image Search, ECCV 2020; settings from the
authors' code)."""

from pathlib import Path

import tensorflow as tf

from landmark_zoo.backbones import BACKBONES
from landmark_zoo.backbones.build import build_backbone
from landmark_zoo.backbones.preprocessing import Preprocessing
from landmark_zoo.layers.delg_local_branch import DELGLocalBranch
from landmark_zoo.layers.pooling import GeM
from landmark_zoo.models.embed_and_classify import embed_and_classify

ARCFACE = {"scale": 45.25, "margin": 0.1}  # the scale is the root of 2048


def build_delg(backbone: str, num_classes: int | None = None, *, weights: str | Path | None = None,
               alpha: float | None = None, embedding_dim: int | None = 2048, head: str = "arcface",
               head_arguments: dict | None = None, name: str | None = None) -> tf.keras.Model:
    """Builds one network for the global and the local features of a picture.

    | branch | path | trained by |
    |---|---|---|
    | global | C5 -> GeM, p = 3 fixed -> dense layer with bias -> head | "logits" |
    | local | C4, no gradient -> 128 channels and back, score -> mean -> classifier | "attention_logits" |
    | local | C4, no gradient -> 128 channels and back | "reconstruction_error" |

    `losses.delg_loss` adds the three; the backbone learns from the global branch alone. Unlike the zoo's embedding layer the
    dense layer takes the pooled vector at its own length, as in the authors' code, so that `training.pca_start` does not fit
    it. Not as there: past pi - m ArcFace goes on falling (theirs leaves the cosine as it is), the score is computed from the
    features and not from their reconstruction (see `DELG`), and the last stage of the ResNets strides where Keras has it.

    Args:
        backbone: A name of `BACKBONES`; resnet50 or resnet101 in the paper.
        num_classes: N; None builds neither head nor attention classifier.
        weights: The backbone's: None, "imagenet", file, folder or address.
        alpha: Width multiplier of the MobileNets and ResNet-18.
        embedding_dim: D; None leaves the dense layer out.
        head: A name of `HEADS`, of the global branch; "arcface" is the paper's.
        head_arguments: For the head's constructor; ArcFace's scale is 45.25 and its margin 0.1 where they are not given.
        name: The model's.

    Returns:
        A model from images [B, H, W, 3] (RGB, 0..255, H and W >= 32) to a dict: "embedding" float32 [B, D] of length 1,
        "feature_map" C5 as pooled, "local_features" [B, h, w, 128], not normalised, "attention/score" [B, h, w, 1] >= 0,
        "reconstruction_error" float32 [B], and with classes "logits" and "attention_logits", float32 [B, N].
    """
    images = tf.keras.Input([None, None, 3], name="images")
    pixels = Preprocessing(BACKBONES[backbone].preprocessing, name="preprocessing")(images)
    taps = build_backbone(backbone, weights, alpha, taps=("C4", "C5"))(pixels)
    local_features, score, weighted, error = DELGLocalBranch(name="local_branch")(taps["C4"])
    vectors = GeM(name="gem")(taps["C5"])
    if embedding_dim is not None:
        vectors = tf.keras.layers.Dense(embedding_dim, dtype="float32", name="whitening")(vectors)
    outputs = {"feature_map": taps["C5"], "local_features": local_features, "attention/score": score,
               "reconstruction_error": error}
    if num_classes is not None:
        classifier = tf.keras.layers.Dense(num_classes, dtype="float32", name="attention_classifier")
        outputs["attention_logits"] = classifier(weighted)
    arguments = {**(ARCFACE if head == "arcface" else {}), **(head_arguments or {})}
    outputs |= embed_and_classify(vectors, num_classes, head=head, head_arguments=arguments)
    return tf.keras.Model(images, outputs, name=name or f"{backbone}_delg")
