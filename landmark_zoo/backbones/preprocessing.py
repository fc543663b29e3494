"""Conversion of pixels 0..255 to the range that a backbone was trained on, as a function and as a layer."""

import tensorflow as tf

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)
CAFFE_MEAN_BGR = (103.939, 116.779, 123.68)
MODES = ("caffe", "symmetric", "standard", "efficientnet", "efficientnet_lite")


def preprocess(images: tf.Tensor, mode: str) -> tf.Tensor:
    """Returns float32 pixels as the backbone wants them.

    * "caffe": BGR minus the channel means, range about -124..152 (VGG, ResNet of the Keras applications);
    * "symmetric": RGB from -1 to 1 (MobileNets);
    * "standard": RGB minus ImageNet's mean, divided by its standard deviation (torchvision's networks);
    * "efficientnet": RGB 0..255, stretched so that the rescaling inside the Keras network, whose weight files hold the
      standard deviation where the variance belongs, ends at (x/255 - mean) / standard deviation. Keras adds a layer for this
      only with `weights="imagenet"`; here the network is the same for every choice of weights;
    * "efficientnet_lite": RGB, (x - 127) / 128 (EfficientNet-Lite).

    Args:
        images: [B, H, W, 3], RGB, 0..255, uint8 or float.
        mode: One of `MODES`.

    Example:
        >>> preprocess(tf.constant([[[[0.0, 255.0, 127.5]]]]), "symmetric").numpy().tolist()
        [[[[-1.0, 1.0, 0.0]]]]
    """
    images = tf.cast(images, tf.float32)
    if mode == "caffe":
        return images[..., ::-1] - tf.constant(CAFFE_MEAN_BGR)
    if mode == "symmetric":
        return images / 127.5 - 1
    if mode == "standard":
        return (images / 255 - tf.constant(IMAGENET_MEAN)) / tf.constant(IMAGENET_STD)
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
