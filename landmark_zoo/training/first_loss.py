"""What the loss of an untrained classifier is."""

import math

import tensorflow as tf

from landmark_zoo.layers.heads import Head
from landmark_zoo.layers.heads.base import CosineHead
from landmark_zoo.layers.heads.softmax import Softmax


def expected_first_loss(model: tf.keras.Model, head: Head) -> tuple[float, float] | None:
    """Returns the mean cross-entropy, without margin, of a head with random weights, and how far off chance may take it.

    Plain softmax on embeddings of length 1: ln N. Cosine heads: the N logits s cos have the standard deviation
    x = s / sqrt(D), and ln of the sum of N exponentials of Gaussians is ln N + x^2 / 2, or the largest of them alone once
    x > sqrt(2 ln N) (Derrida's random energy model); the largest of N random cosines is about sqrt(1 - N^(-2 / (D - 1))).
    How the label's own logit is drawn is the chance.

    Args:
        model: Gives "embedding".
        head: Of the model; its class vectors are random.

    Returns:
        None where it cannot be said: plain softmax on vectors of any length, or several vectors per class.
    """
    classes, dimension = head.num_classes, int(head.kernel.shape[1])
    if isinstance(head, Softmax):
        return (math.log(classes), 0.5) if head.get_input_at(-1) is model.output["embedding"] else None
    if not isinstance(head, CosineHead) or head.kernel_rows != classes:
        return None
    spread = float(head.scale) / math.sqrt(dimension)
    expected = math.log(classes) + spread**2 / 2
    if spread > math.sqrt(2 * math.log(classes)):
        expected = float(head.scale) * math.sqrt(1 - classes ** (-2 / (dimension - 1)))
    return expected, max(0.5, 3 * spread)
