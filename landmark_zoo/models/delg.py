"""DELF and DELG: networks whose locations are scored, so that the best become local features.

Sources: Noh et al.: Large-Scale Image Retrieval with Attentive Deep Local Features, ICCV 2017; Cao, Araujo, Sim: Unifying
Deep Local and Global Features for Image Search, ECCV 2020 (settings from the authors' code).
"""

from pathlib import Path

import tensorflow as tf

from landmark_zoo.backbones.build import Preprocessing, build_backbone
from landmark_zoo.backbones.registry import BACKBONES
from landmark_zoo.core.errors import UserError
from landmark_zoo.layers.attention.delf import DELF, DELGLocalBranch
from landmark_zoo.layers.embedding import L2Normalize
from landmark_zoo.layers.pooling.global_pooling import GeM
from landmark_zoo.models.build import embed_and_classify

SUBSAMPLING = "subsampling"
"""Name of the layer that leaves every second location of C4 out."""
ARCFACE = {"scale": 45.25, "margin": 0.1}  # the scale is the root of 2048


def local_map(features: tf.Tensor, backbone: str, stride: int | None) -> tf.Tensor:
    """Returns C4 at its own stride, or every second location of it, as the authors' `block3_strides` has it.

    Args:
        features: C4, [B, H, W, C].
        backbone: A name of `BACKBONES`.
        stride: Pixels of the image between two locations; None for those of C4.

    Raises:
        UserError: Another stride than C4's or twice that.
    """
    own = BACKBONES[backbone].strides["C4"]
    if stride not in (None, own, 2 * own):
        raise UserError(f"--local_stride={own} or --local_stride={2 * own} for {backbone}", str(stride), "Choose one.")
    return tf.keras.layers.MaxPooling2D(1, 2, name=SUBSAMPLING)(features) if stride == 2 * own else features


def build_delg(backbone: str, num_classes: int | None = None, *, weights: str | Path | None = None,
               alpha: float | None = None, embedding_dim: int | None = 2048, head: str = "arcface",
               head_arguments: dict | None = None, name: str | None = None, local_stride: int | None = None,
               score_form: str = "paper") -> tf.keras.Model:
    """Builds one network for the global and the local features of an image.

    | branch | path | trained by |
    |---|---|---|
    | global | C5 -> GeM, p = 3 fixed -> dense layer with bias -> head | "logits" |
    | local | C4, no gradient -> 128 channels and back, score -> mean -> classifier | "attention_logits" |
    | local | C4, no gradient -> 128 channels and back | "reconstruction_error" |

    `losses.delg_loss` adds the three; the backbone learns from the global branch alone. Unlike the zoo's embedding layer the
    dense layer takes the pooled vector at its own length, as in the authors' code, so that the initial PCA of the training
    does not fit it. Not as there: past pi - m ArcFace goes on falling (theirs leaves the cosine as it is), and the last
    stage of the ResNets strides where Keras has it. By default the score and the stride of the local map are the paper's;
    the authors' code has `local_stride=32` and `score_form="2021"` (in 2020 "2020"). C5 is the same at either stride, on
    ResNet-50 and ResNet-101 as there.

    Args:
        backbone: A name of `BACKBONES`; resnet50 or resnet101 in the paper.
        num_classes: N; None builds neither head nor attention classifier.
        weights: Weights of the backbone: None, "imagenet", file, folder or address.
        alpha: Width multiplier of the MobileNets and torchvision's ResNets.
        embedding_dim: D; None leaves the dense layer out.
        head: A name of `HEADS`, of the global branch; "arcface" is the paper's.
        head_arguments: Arguments of the head's constructor; ArcFace's scale is 45.25 and its margin 0.1 where
            not given.
        name: Name of the model.
        local_stride: Pixels between two local features: 16 (the default) or 32; 8 or 16 on VGG-16.
        score_form: See the layer `DELG`.

    Returns:
        A model from images [B, H, W, 3] (RGB, 0..255, H and W >= 32) to a dict: "embedding" float32 [B, D] of length 1,
        "feature_map" C5 as pooled, "local_features" [B, h, w, 128], not normalised, "attention/score" [B, h, w, 1] >= 0,
        "reconstruction_error" float32 [B], and with classes "logits" and "attention_logits", float32 [B, N].
    """
    images = tf.keras.Input([None, None, 3], name="images")
    pixels = Preprocessing(BACKBONES[backbone].preprocessing, name="preprocessing")(images)
    taps = build_backbone(backbone, weights, alpha, taps=("C4", "C5"))(pixels)
    local_features, score, weighted, error = DELGLocalBranch(score_form=score_form, name="local_branch")(
        local_map(taps["C4"], backbone, local_stride))
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


def build_delf(backbone: str, num_classes: int | None = None, *, weights: str | Path | None = None,
               alpha: float | None = None, embedding_dim: int | None = None, head: str = "softmax",
               head_arguments: dict | None = None, name: str | None = None,
               local_stride: int | None = None) -> tf.keras.Model:
    """Builds the network that learns which locations of C4 speak for a landmark.

    C4 -> score times direction of each location -> mean over locations -> logits. The paper first trains the backbone
    as a classifier and then this network with the backbone fixed; nothing here keeps gradients from the backbone. Its
    40 dimensions of the local features are a PCA fitted after training.

    Args:
        backbone: A name of `BACKBONES`; resnet50 in the paper.
        num_classes: N; None builds no head.
        weights: Weights of the backbone: None, "imagenet", file, folder or address.
        alpha: Width multiplier of the MobileNets and torchvision's ResNets.
        embedding_dim: D of an embedding layer, which the paper has not; None leaves it out.
        head: A name of `HEADS`; "softmax" is the paper's.
        head_arguments: Arguments of the head's constructor.
        name: Name of the model.
        local_stride: Pixels between two local features: 16 (the default), or 32 as in the authors' code; 8 or 16 on VGG-16.

    Returns:
        A model from images [B, H, W, 3] (RGB, 0..255, H and W >= 32) to a dict: "embedding" float32 [B, D or C] of length
        1, "feature_map" [B, h, w, C], whose mean is embedded, "attention/score" [B, h, w, 1] >= 0, "local_features"
        float32 [B, h, w, C] of length 1, "logits" float32 [B, N].
    """
    images = tf.keras.Input([None, None, 3], name="images")
    pixels = Preprocessing(BACKBONES[backbone].preprocessing, name="preprocessing")(images)
    features = build_backbone(backbone, weights, alpha, taps=("C4",))(pixels)["C4"]
    features = local_map(features, backbone, local_stride)
    attended, maps = DELF(return_maps=True, name="delf")(features)
    vectors = tf.keras.layers.GlobalAveragePooling2D(dtype="float32", name="mean")(attended)
    outputs = {"feature_map": attended, "attention/score": maps["score"],
               "local_features": L2Normalize(name="local_features")(features)}
    outputs |= embed_and_classify(vectors, num_classes, embedding_dim, head, head_arguments)
    return tf.keras.Model(images, outputs, name=name or f"{backbone}_delf")
