"""Margin heads: ArcFace, Sub-center ArcFace and CosFace.

Sources: Deng et al.: ArcFace: Additive Angular Margin Loss for Deep Face Recognition, CVPR 2019, equation 3; Deng et al.:
Sub-center ArcFace: Boosting Face Recognition by Large-scale Noisy Web Faces, ECCV 2020, section 3.2; Wang et al.: CosFace:
Large Margin Cosine Loss for Deep Face Recognition, CVPR 2018, equation 4.
"""

import math
from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from landmark_zoo.layers.heads.softmax import CosineHead


def arcface_cosine(cosine: tf.Tensor, margin: float | tf.Tensor) -> tf.Tensor:
    """Returns cos(theta + margin), continued by cos(theta) - margin sin(pi - margin) where theta > pi - margin.

    Past pi - margin the plain formula would rise again; of the three continuations in public code this is the one that stays
    monotone. The square root is kept from zero so that its gradient is finite at |cos| = 1.

    Args:
        cosine: float32, any shape, cos(theta).
        margin: Radians, 0 <= margin < pi; one for all or one for each cosine.
    """
    margin = tf.cast(margin, tf.float32)
    sine = tf.sqrt(tf.maximum(1 - cosine**2, 1e-6))
    turned = cosine * tf.cos(margin) - sine * tf.sin(margin)
    return tf.where(cosine > tf.cos(math.pi - margin), turned, cosine - margin * tf.sin(math.pi - margin))


def with_target_cosine(cosines: tf.Tensor, labels: tf.Tensor, margin_function) -> tf.Tensor:
    """Applies `margin_function` to the target's cosine of each row and leaves all others alone.

    Args:
        cosines: float32 [B, N].
        labels: int [B].
        margin_function: [B] -> [B].

    Returns:
        float32 [B, N].
    """
    labels = tf.cast(labels, tf.int32)
    places = tf.stack([tf.range(tf.shape(labels)[0]), labels], axis=1)
    return tf.tensor_scatter_nd_update(cosines, places, margin_function(tf.gather_nd(cosines, places)))


@tf.keras.utils.register_keras_serializable("landmark_zoo")
class ArcFace(CosineHead):
    """Cosine head whose target class must win by an angle of `margin`.

        training logits = s cos(theta_y + m) for the target, s cos(theta_j) for the others

    Args:
        num_classes: N.
        margin: m, radians (0.3 in GLAM, 0.1 in DELG); or one for each class.
        scale: s (30 in Yokoo et al.).
        **kwargs: Keras' own.

    Input shape:
        [B, D].

    Output shape:
        float32 [B, N].

    Example:
        >>> head = ArcFace(num_classes=3, margin=0.3, scale=30.0)
        >>> logits = head(tf.ones([1, 4]))
        >>> bool(head.training_logits(logits, tf.constant([2]))[0, 2] < logits[0, 2])
        True
    """

    def __init__(self, num_classes: int, margin: float | Sequence[float] = 0.3, scale: float = 30.0, **kwargs):
        super().__init__(num_classes, scale, **kwargs)
        self.margin = np.asarray(margin, float)
        if self.margin.shape not in ((), (num_classes,)) or not np.all((self.margin >= 0) & (self.margin < math.pi)):
            raise ValueError(f"ArcFace: expected 0 <= margin < pi, one or {num_classes} of them; received {margin}.")

    def training_logits(self, logits, labels, classes=None):
        margin = self.margin
        if margin.ndim:
            margin = tf.gather(margin, labels if classes is None else tf.gather(classes, labels))
        return self.scale * with_target_cosine(logits / self.scale, labels, lambda cosine: arcface_cosine(cosine, margin))

    def get_config(self):
        return {**super().get_config(), "margin": self.margin.tolist()}


@tf.keras.utils.register_keras_serializable("landmark_zoo")
class SubCenterArcFace(ArcFace):
    """ArcFace with several vectors per class, of which the nearest counts.

        cos(theta_j) = max over k of x . w_jk

    Mislabelled images and other views of a landmark gather round vectors of their own instead of pulling at the
    main one. Row k N + c of the kernel is sub-centre k of class c, so that the first N rows are what is set where
    one vector per class is known. Costs K D N multiply-accumulates an image.

    Args:
        num_classes: N.
        margin: m, radians; or one for each class, see `ArcFace`.
        scale: s.
        sub_centres: K (3 in the paper); 1 is ArcFace.
        **kwargs: Keras' own.

    Input shape:
        [B, D].

    Output shape:
        float32 [B, N].
    """

    def __init__(self, num_classes: int, margin: float = 0.3, scale: float = 30.0, sub_centres: int = 3, **kwargs):
        super().__init__(num_classes, margin, scale, **kwargs)
        if sub_centres < 1:
            raise ValueError(f"SubCenterArcFace: expected sub_centres >= 1; received {sub_centres}.")
        self.sub_centres, self.kernel_rows = sub_centres, sub_centres * num_classes

    def rows(self, classes=None):
        if classes is None:
            return super().rows()
        return super().rows(tf.concat([k * self.num_classes + classes for k in range(self.sub_centres)], axis=0))

    def cosines(self, inputs, classes=None):
        cosines = super().cosines(inputs, classes)
        return tf.reduce_max(tf.reshape(cosines, [-1, self.sub_centres, cosines.shape[1] // self.sub_centres]), axis=1)

    def winning_rows(self, inputs):
        return tf.gather(self.rows(), tf.argmax(super().cosines(inputs), axis=1))

    def get_config(self):
        return {**super().get_config(), "sub_centres": self.sub_centres}


tf.keras.utils.get_custom_objects()["landmark_zoo>SubCentreArcFace"] = SubCenterArcFace  # in files of earlier versions


@tf.keras.utils.register_keras_serializable("landmark_zoo")
class CosFace(CosineHead):
    """Cosine head whose target class must win by a cosine of `margin`.

        training logits = s (cos(theta_y) - m) for the target, s cos(theta_j) for the others

    Args:
        num_classes: N.
        margin: m, in cosine (0.35 in the paper).
        scale: s (64 in the paper).
        **kwargs: Keras' own.

    Input shape:
        [B, D].

    Output shape:
        float32 [B, N].
    """

    def __init__(self, num_classes: int, margin: float = 0.35, scale: float = 30.0, **kwargs):
        super().__init__(num_classes, scale, **kwargs)
        if not 0 <= margin < 2:
            raise ValueError(f"CosFace: expected 0 <= margin < 2; received {margin}.")
        self.margin = margin

    def training_logits(self, logits, labels, classes=None):
        return self.scale * with_target_cosine(logits / self.scale, labels, lambda cosine: cosine - self.margin)

    def get_config(self):
        return {**super().get_config(), "margin": self.margin}
