"""What a step of a head of tens of thousands of landmarks costs, with all classes and with a sample of them."""

import resource
import time

import tensorflow as tf

from landmark_zoo.layers.heads import HEADS
from landmark_zoo.layers.heads.sampled import sampled_training_logits
from landmark_zoo.losses.softmax_cross_entropy import softmax_cross_entropy

_CALLS = 6


def measure_head(num_classes: int = 81_313, dimension: int = 512, batch_size: int = 64,
                 part: float = 0.1) -> dict[str, float]:
    """Times forward, gradient and SGD step with momentum of an ArcFace head alone; the best of six.

    Args:
        num_classes: N; 81,313 in GLDv2-clean.
        dimension: Of the embedding.
        batch_size: Embeddings per step.
        part: Of the classes that a sampled step compares with.

    Returns:
        "all_classes_ms", "sampled_ms" and "peak_mib", by which the process grew over both.
    """
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    embeddings = tf.math.l2_normalize(tf.random.stateless_normal([batch_size, dimension], [0, 0]), axis=1)
    labels = tf.random.stateless_uniform([batch_size], [0, 1], 0, num_classes, tf.int32)
    times = {"all_classes_ms": _best(num_classes, embeddings, labels, None),
             "sampled_ms": _best(num_classes, embeddings, labels, int(part * num_classes))}
    return {**times, "peak_mib": (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024}


def _best(num_classes: int, embeddings: tf.Tensor, labels: tf.Tensor, sampled: int | None) -> float:
    head = HEADS["arcface"](num_classes)
    head.build(embeddings.shape)
    optimizer = tf.keras.optimizers.SGD(1e-3, momentum=0.9)
    optimizer.build(head.trainable_variables)

    @tf.function
    def step(seed):
        with tf.GradientTape() as tape:
            if sampled is None:
                logits, targets = head.training_logits(head(embeddings), labels), labels
            else:
                logits, targets = sampled_training_logits(head, embeddings, labels, sampled, seed)
            loss = tf.reduce_mean(softmax_cross_entropy(targets, logits))
        optimizer.apply_gradients(zip(tape.gradient(loss, head.trainable_variables), head.trainable_variables, strict=True))
        return loss

    times = []
    for call in range(_CALLS + 1):
        start = time.perf_counter()
        step(tf.constant([0, call])).numpy()
        times.append(time.perf_counter() - start)
    return 1000 * min(times[1:])
