"""Base classes of the heads, the two softmax heads without margin, and logits of a sample of classes.

Sampling follows An et al.: Partial FC: Training 10 Million Identities on a Single Machine, ICCV Workshops 2021.
"""

import tensorflow as tf

from landmark_zoo.layers.embedding import l2_normalize


class Head(tf.keras.layers.Layer):
    """Embedding to logits, in float32, with a kernel of one row per class.

    A call gives the logits of inference, without margin: of all classes, or of those `classes` int [S] that it is given.
    `training_logits` turns them into those that the cross-entropy of a training step sees; here they are the same, a margin
    head overrides it.

    Args:
        num_classes: N.
        **kwargs: Keras' own.

    Input shape:
        [B, D].

    Output shape:
        float32 [B, N].

    Example:
        >>> head = CosineSoftmax(num_classes=5)
        >>> head(tf.ones([2, 8])).shape, head(tf.ones([2, 8]), classes=tf.constant([4, 0])).shape
        (TensorShape([2, 5]), TensorShape([2, 2]))
    """

    def __init__(self, num_classes: int, **kwargs):
        super().__init__(**{"dtype": "float32", **kwargs})
        if num_classes < 2:
            raise ValueError(f"{type(self).__name__}: expected num_classes >= 2; received {num_classes}.")
        self.num_classes, self.kernel_rows = num_classes, num_classes

    def build(self, input_shape):
        shape = [self.kernel_rows, int(input_shape[-1])]
        self.kernel = self.add_weight("kernel", shape, initializer="glorot_uniform")
        super().build(input_shape)

    def rows(self, classes: tf.Tensor | None = None) -> tf.Tensor:
        """Returns the kernel [N, D], or its rows [S, D] of `classes`, whose gradient is then sparse (`tf.IndexedSlices`)."""
        return tf.convert_to_tensor(self.kernel) if classes is None else tf.gather(self.kernel, classes)

    def winning_rows(self, inputs: tf.Tensor) -> tf.Tensor:
        """Returns the row [B, D] of the kernel that gives each embedding [B, D] its largest logit."""
        return tf.gather(self.rows(), tf.argmax(self(inputs), axis=1))  # not of a variable: freezing refuses that

    def training_logits(self, logits: tf.Tensor, labels: tf.Tensor, classes: tf.Tensor | None = None) -> tf.Tensor:
        """Returns the logits of the loss.

        Args:
            logits: [B, N] of a call, or [B, S] of a call with `classes`.
            labels: int [B], which column of `logits` is the right one.
            classes: int [S], the class of each column; None where it is the column's number.

        Returns:
            float32, in the shape of `logits`.
        """
        del labels, classes
        return logits

    def compute_output_shape(self, input_shape):
        return tf.TensorShape([input_shape[0], self.num_classes])

    def get_config(self):
        return {**super().get_config(), "num_classes": self.num_classes}


class CosineHead(Head):
    """Scale times the cosine between the embedding and one vector per class.

    Args:
        num_classes: N.
        scale: s, what the cosines are multiplied with.
        **kwargs: Keras' own.

    Input shape:
        [B, D].

    Output shape:
        float32 [B, N].
    """

    def __init__(self, num_classes: int, scale: float = 30.0, **kwargs):
        super().__init__(num_classes, **kwargs)
        if not scale > 0:
            raise ValueError(f"{type(self).__name__}: expected scale > 0; received {scale}.")
        self.scale = scale

    def cosines(self, inputs: tf.Tensor, classes: tf.Tensor | None = None) -> tf.Tensor:
        """Returns the cosines [B, N], or [B, S] of `classes`, of embeddings [B, D], which need not be normalised."""
        return tf.matmul(l2_normalize(inputs), l2_normalize(self.rows(classes)), transpose_b=True)

    def call(self, inputs, classes=None):
        return self.scale * self.cosines(inputs, classes)

    def get_config(self):
        return {**super().get_config(), "scale": self.scale}


@tf.keras.utils.register_keras_serializable("landmark_zoo")
class Softmax(Head):
    """logits = W x + b, nothing normalised.

    Embeddings of length 1 bound the logits by the lengths of the rows of W, which must grow before the loss falls.

    Args:
        num_classes: N.
        **kwargs: Keras' own.

    Input shape:
        [B, D].

    Output shape:
        float32 [B, N].
    """

    def build(self, input_shape):
        super().build(input_shape)
        self.bias = self.add_weight("bias", [self.num_classes], initializer="zeros")

    def call(self, inputs, classes=None):
        bias = self.bias if classes is None else tf.gather(self.bias, classes)
        return tf.matmul(inputs, self.rows(classes), transpose_b=True) + bias


@tf.keras.utils.register_keras_serializable("landmark_zoo")
class CosineSoftmax(CosineHead):
    """Cosine head without margin: training and inference see the same logits s cos(theta).

    Args:
        num_classes: N.
        scale: s; too small a scale keeps the loss from falling, see `adacos.fixed_scale`.
        **kwargs: Keras' own.

    Input shape:
        [B, D].

    Output shape:
        float32 [B, N].
    """


def sample_classes(labels: tf.Tensor, num_classes: int, num_sampled: int, seed: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Returns the classes of `labels` and as many others as fill up `num_sampled`, each class once.

    Every class draws a number and the largest win, those of the labels before all others. Replicas that draw with one seed
    therefore share all classes but those that their labels pushed out.

    Args:
        labels: int [B].
        num_classes: N.
        num_sampled: S <= N, at least B.
        seed: int [2], another one for each step.

    Returns:
        classes int32 [S] in no order, and positions int32 [B] with classes[positions] = labels.
    """
    labels = tf.cast(labels, tf.int32)
    if not (labels.shape[0] or 1) <= num_sampled <= num_classes:
        raise ValueError("sample_classes: expected batch size <= num_sampled <= num_classes; "
                         f"received {labels.shape[0]}, {num_sampled} and {num_classes}.")
    tf.debugging.assert_less_equal(tf.size(labels), num_sampled, "sample_classes: expected batch size <= num_sampled.")
    drawn = tf.random.stateless_uniform([num_classes], seed)
    drawn = tf.tensor_scatter_nd_update(drawn, labels[:, tf.newaxis], tf.fill(tf.shape(labels), 2.0))
    classes = tf.math.top_k(drawn, num_sampled, sorted=False).indices
    column = tf.scatter_nd(classes[:, tf.newaxis], tf.range(num_sampled), [num_classes])
    return classes, tf.gather(column, labels)


def sampled_training_logits(head: Head, embeddings: tf.Tensor, labels: tf.Tensor, num_sampled: int,
                            seed: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Returns training logits of a sample of classes without the product with all N of them.

    For very many classes, as the 203,094 of GLDv2 before cleaning. With `positions` as labels the cross-entropy of these
    logits is that of all classes where S = N; with fewer it is lower, by about ln(N / S) at the start, and not corrected.

    Args:
        head: Built.
        embeddings: [B, D].
        labels: int [B].
        num_sampled: S; see `sample_classes`.
        seed: int [2]; the same on all replicas, another one for each step.

    Returns:
        float32 [B, S] and int32 [B], the column of each label.
    """
    classes, positions = sample_classes(labels, head.num_classes, num_sampled, seed)
    return head.training_logits(head(embeddings, classes=classes), positions, classes), positions
