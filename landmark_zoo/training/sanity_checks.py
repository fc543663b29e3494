"""Sanity checks at the start of a run: fixed weights, labels, memory of the head, and the first loss against chance."""

import math

import tensorflow as tf
from absl import logging

from landmark_zoo.core.errors import UserError
from landmark_zoo.layers.heads.softmax import CosineHead, Head, Softmax
from landmark_zoo.training.config import TrainingConfig
from landmark_zoo.training.distributed.collectives import run_on_local_replica
from landmark_zoo.training.objectives import Objective

OPTIMIZER_SLOTS = {"sgd": 1, "adam": 2, "adamw": 2}


def check_fixed_weights(model: tf.keras.Model, config: TrainingConfig, dry_run: bool = False) -> None:
    """Checks that nothing of a backbone with random weights stays as it is while the rest learns.

    Frozen BatchNorm normalizes by the mean 0 and variance 1 that it starts with, and frozen stages are random features:
    such a run ends with a poor model and no error.

    Args:
        model: Built model, whose backbone has random weights.
        config: Says what is frozen.
        dry_run: Whether it is enough to warn, in a run whose result nobody uses.

    Raises:
        UserError: Frozen parts, and no `dry_run`.
    """
    networks = [layer for layer in model.layers if isinstance(layer, tf.keras.Model)]
    parts = ["BatchNorm (--freeze_batchnorm)"] if config.freeze_batchnorm and any(map(_has_batchnorm, networks)) else []
    parts += ["backbone (--backbone_multiplier=0)"] if not config.backbone_multiplier else []
    parts += [f"stages of the backbone (--freeze={config.freeze})"] if config.freeze != "none" else []
    if parts and dry_run:
        logging.warning("RANDOM WEIGHTS: NO --weights FOR %s, WHOSE %s STAYS FROZEN. GOOD FOR A DRY RUN ONLY.",
                        model.name.upper(), " AND ".join(parts).upper())
    elif parts:
        raise UserError(f"pretrained weights for {model.name}, whose {' and '.join(parts)} stays frozen", "random weights",
                        "Give --weights=imagenet, a weight file or a folder, or --initial_run; or let it learn: "
                        "--nofreeze_batchnorm --freeze=none --backbone_multiplier=1.")


def _has_batchnorm(model: tf.keras.Model) -> bool:
    return any(isinstance(layer, tf.keras.layers.BatchNormalization) or
               (isinstance(layer, tf.keras.Model) and _has_batchnorm(layer)) for layer in model.layers)


def expected_first_loss(model: tf.keras.Model, head: Head) -> tuple[float, float] | None:
    """Returns the mean cross-entropy, without margin, of a head with random weights, and the tolerance around it.

    Plain softmax on embeddings of length 1: ln N. Cosine heads: the N logits s cos have the standard deviation
    x = s / sqrt(D), and ln of the sum of N exponentials of Gaussians is ln N + x^2 / 2, or the largest of them alone once
    x > sqrt(2 ln N) (Derrida's random energy model); the largest of N random cosines is about sqrt(1 - N^(-2 / (D - 1))).
    The tolerance is for the random logit of the label itself.

    Args:
        model: Model with output "embedding".
        head: Head of the model, with random class vectors.

    Returns:
        (loss, tolerance); None where no loss can be expected: plain softmax on vectors of any length, or several vectors per
        class.
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


def head_memory(head: tf.keras.layers.Layer, config: TrainingConfig, replicas: int = 1) -> dict[str, float]:
    """Returns the memory in MiB that a head needs on each device in training.

    Args:
        head: Built head.
        config: Gives optimizer, EMA, batch size and micro-batches.
        replicas: Devices that share a batch; each holds the whole head.

    Returns:
        MiB of "weights", "gradient", "optimizer" (its slots), "average" (EMA) and "logits" (of one micro-batch, once).
    """
    weights = sum(4 * math.prod(variable.shape) for variable in head.weights)
    slots = 0 if config.optimizer == "sgd" and not config.momentum else OPTIMIZER_SLOTS[config.optimizer]
    micro_batch = config.batch_size / (replicas * config.accumulate)
    num_bytes = {"weights": weights, "gradient": weights, "optimizer": slots * weights,
                 "average": weights if config.ema_momentum else 0, "logits": 4 * micro_batch * head.num_classes}
    return {name: count / 2**20 for name, count in num_bytes.items()}


def startup_checks(model: tf.keras.Model, objective: Objective, head: Head | None, images: tf.Tensor, labels: tf.Tensor,
                   config: TrainingConfig, random_classification: bool) -> float:
    """Checks labels and loss of the first batch, logs them, and warns of a first loss that is not that of chance.

    Args:
        model: Model before training.
        objective: Loss of a batch, called with `training=False`, so that no weight changes and no margin counts.
        head: Head of the model, or None.
        images: [B, H, W, 3].
        labels: int [B].
        config: Gives what the memory of the head depends on.
        random_classification: Whether `objective` is the plain cross-entropy of a head with random weights. Initialized from
            class means or from another run the loss is lower, and it is only checked that it is finite.

    Returns:
        The first loss.

    Raises:
        UserError: A label outside the head's classes, or a loss that is not finite.
    """
    low, high = int(tf.reduce_min(labels)), int(tf.reduce_max(labels))
    if head is not None:
        if low < 0 or high >= head.num_classes:
            raise UserError(f"labels from 0 to {head.num_classes - 1}, those of the head", f"{low} to {high}",
                            "Prepare the records again; their manifest does not fit them.")
        memory = head_memory(head, config, tf.distribute.get_strategy().num_replicas_in_sync)
        logging.info("Head %s on each device: %.1f MiB (%s).", " x ".join(map(str, head.kernel.shape)), sum(memory.values()),
                     ", ".join(f"{name} {size:.1f}" for name, size in memory.items() if size))
    loss = float(tf.reduce_mean(run_on_local_replica(lambda *batch: objective(*batch, training=False), images, labels)[0]))
    if not math.isfinite(loss):
        raise UserError("a finite loss of the first batch", str(loss), "Check the weights that the run starts from.")
    expected = expected_first_loss(model, head) if head is not None and random_classification else None
    if expected is None:
        logging.info("First batch: labels %d to %d, loss %.3f.", low, high, loss)
        return loss
    chance, tolerance = expected
    logging.info("First batch: labels %d to %d, loss %.3f without margin; chance is %.3f (ln %d = %.3f).", low, high, loss,
                 chance, head.num_classes, math.log(head.num_classes))
    if abs(loss - chance) > tolerance:
        logging.warning("The first loss is more than %.1f from chance: look at images, labels and --scale.", tolerance)
    return loss
