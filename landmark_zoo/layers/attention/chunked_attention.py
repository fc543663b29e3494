"""Attention between all pairs of locations that never holds more than a bounded part of the pairs at once."""

from collections.abc import Callable, Sequence

import tensorflow as tf

MOST_LOGITS = 2**26
"""Largest number of float32 logits of one image that may exist at once: 256 MiB, a map of 8192 locations."""


def chunked_attention(query: tf.Tensor, key: tf.Tensor, value: tf.Tensor, scale: float = 1.0,
                      most_logits: int = MOST_LOGITS) -> tuple[tf.Tensor, tf.Tensor]:
    """Returns softmax(scale query key^T) value, the softmax being over the keys, and how much each key is attended to.

    Computed in float32.

    Args:
        query: [B, Nq, D].
        key: [B, Nk, D].
        value: [B, Nk, V].
        scale: What the logits are multiplied with.
        most_logits: How many logits of one image may exist at once; with more the queries are treated in chunks.

    Returns:
        The attended values [B, Nq, V] in the dtype of `value`, and the mean over the queries of the attention that each
        key receives, float32 [B, Nk]; it sums to 1.
    """

    def attend(queries, present, keys, values):
        weights = tf.nn.softmax(scale * tf.matmul(queries, keys, transpose_b=True))
        return tf.matmul(weights, values), tf.matmul(weights, present, transpose_a=True)[..., 0]

    queries, keys, values = (tf.cast(tensor, tf.float32) for tensor in (query, key, value))
    attended, received = in_chunks(attend, [queries], [keys, values], size(key, 1), most_logits)
    return tf.cast(attended, value.dtype), received / tf.cast(size(query, 1), tf.float32)


def in_chunks(attend: Callable, queries: Sequence[tf.Tensor], shared: Sequence[tf.Tensor],
              logits_per_query: int | tf.Tensor, most_logits: int = MOST_LOGITS) -> tuple[tf.Tensor, tf.Tensor]:
    """Calls `attend` on as many queries at a time as `most_logits` allows: on all of them at once where they fit.

    Where they do not, or the graph cannot know it, the backward pass computes each chunk again instead of keeping it,
    so that training is bounded too. `attend` may use no other tensors than its arguments: they would get no gradient.

    Args:
        attend: (*queries, present, *shared) -> (attended [B, n, V], received [B, Nk]), both float32. `present`,
            [B, n, 1], is 1 for a query and 0 for the zeros that fill the last chunk; `received`, a sum over the
            queries, must leave these out, and `attended` must be finite for them.
        queries: float32 [B, Nq, D] each; split into chunks of n.
        shared: float32; passed whole.
        logits_per_query: How many logits of one image a query brings about.
        most_logits: How many may exist at once.

    Returns:
        (attended [B, Nq, V], received [B, Nk]), as if `attend` had been called once.
    """
    batch, count = size(queries[0], 0), size(queries[0], 1)
    chunks = -(-count // (1 + most_logits // logits_per_query))
    rows = -(-count // chunks)
    queries, keys = [*queries, tf.ones([batch, count, 1], tf.float32)], len(shared)
    if isinstance(chunks, int) and chunks == 1:
        return attend(*queries, *shared)

    def split(tensor):
        padded = tf.pad(tensor, [[0, 0], [0, chunks * rows - count], [0, 0]])
        return tf.transpose(tf.reshape(padded, [batch, chunks, rows, tensor.shape[-1]]), [1, 0, 2, 3])

    def join(parts):
        return tf.reshape(tf.transpose(parts, [1, 0, 2, 3]), [batch, chunks * rows, parts.shape[-1]])[:, :count]

    def for_each_chunk(function, tensors, outputs):
        return tf.map_fn(lambda part: function(*part), [split(tensor) for tensor in tensors], parallel_iterations=1,
                         fn_output_signature=[tf.float32] * outputs)

    @tf.custom_gradient
    def attend_all(*inputs):
        queries, shared = inputs[:-keys], inputs[-keys:]
        attended, received = for_each_chunk(lambda *part: list(attend(*part, *shared)), queries, 2)

        def backward(attended_gradient, received_gradient):
            def again(*part):
                part, part_gradient = [*part[:-1], *shared], part[-1]
                with tf.GradientTape() as tape:
                    tape.watch(part)
                    outputs = attend(*part)
                return tape.gradient(outputs, part, [part_gradient, received_gradient], "zero")

            gradients = for_each_chunk(again, [*queries, attended_gradient], len(inputs))
            return [join(part) for part in gradients[:-keys]] + [tf.reduce_sum(part, 0) for part in gradients[-keys:]]

        return (join(attended), tf.reduce_sum(received, axis=0)), backward

    return attend_all(*queries, *shared)


def size(tensor: tf.Tensor, axis: int) -> int | tf.Tensor:
    """Returns how long an axis is: an int where that is known, else a scalar tensor."""
    return tf.shape(tensor)[axis] if tensor.shape[axis] is None else tensor.shape[axis]


def flatten_locations(features: tf.Tensor) -> tf.Tensor:
    """Turns [B, H, W, C] into [B, H * W, C], keeping in the shape what is known of it."""
    height, width = size(features, 1), size(features, 2)
    return tf.reshape(features, [size(features, 0), height * width, features.shape[-1]])
