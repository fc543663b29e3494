"""Sub-centre ArcFace (Deng, Guo, Liu, Gong, Zafeiriou: Sub-center ArcFace: Boosting Face Recognition by Large-Scale
Noisy Web Faces, ECCV 2020, section 3.2)."""

import tensorflow as tf

from landmark_zoo.layers.heads.arcface import ArcFace


@tf.keras.utils.register_keras_serializable("landmark_zoo")
class SubCentreArcFace(ArcFace):
    """ArcFace with several vectors per class, of which the nearest counts.

        cos(theta_j) = max over k of x . w_jk

    Mislabelled photographs and other views of a landmark gather round vectors of their own instead of pulling at the
    main one. Row k N + c of the kernel is sub-centre k of class c, so that the first N rows are what is set where
    one vector per class is known. Costs K D N multiply-accumulates a picture.

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
            raise ValueError(f"SubCentreArcFace: expected sub_centres >= 1; received {sub_centres}.")
        self.sub_centres, self.kernel_rows = sub_centres, sub_centres * num_classes

    def rows(self, classes=None):
        if classes is None:
            return super().rows()
        return super().rows(tf.concat([k * self.num_classes + classes for k in range(self.sub_centres)], axis=0))

    def cosines(self, inputs, classes=None):
        cosines = super().cosines(inputs, classes)
        return tf.reduce_max(tf.reshape(cosines, [-1, self.sub_centres, cosines.shape[1] // self.sub_centres]), axis=1)

    def get_config(self):
        return {**super().get_config(), "sub_centres": self.sub_centres}
