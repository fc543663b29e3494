"""Run as a script: a few steps on one device and on two, of every kind of objective, and interpolated weights; prints the
largest differences.

TensorFlow divides the processor into devices at the start of a process only, so that the tests call this in one of its own.
"""

import functools
import json
import tempfile

import numpy as np
import tensorflow as tf

from landmark_zoo.layers.embedding import L2Normalize
from landmark_zoo.losses.pairs import contrastive_loss
from landmark_zoo.losses.tuples import tuple_triplet_loss
from landmark_zoo.training.batch_losses import Distillation, EmbeddingPairs, ModelObjective, Tuples
from landmark_zoo.training.config import TrainingConfig
from landmark_zoo.training.distributed.collectives import WorkerInfo, distribute_dataset
from landmark_zoo.training.ema import ExponentialMovingAverage
from landmark_zoo.training.interpolation import interpolate_model, preserved
from landmark_zoo.training.optimizer import Group, GroupedOptimizer
from landmark_zoo.training.precision import LossScale
from landmark_zoo.training.train_step import TrainStep

STEPS, BATCH = 3, 16


def classification(model, images, labels, training):
    logits = model(images, training=training)["logits"]
    correct = tf.cast(tf.argmax(logits, -1, output_type=tf.int32) == labels, tf.float32)
    return tf.nn.sparse_softmax_cross_entropy_with_logits(labels, logits), correct


def sparse(model, images, labels, training):
    losses, correct = classification(model, images, labels, training)
    rows = tf.gather(model.get_layer("table").kernel, labels)
    return losses + tf.reduce_sum(rows**2, axis=1), correct


def pairs(model):
    return EmbeddingPairs(model, functools.partial(contrastive_loss, margin=0.85, form="squared"))


def tuples(model):
    return Tuples(model, functools.partial(tuple_triplet_loss, margin=1.25), negatives=2, sos_weight=10.0)


class Plain(ModelObjective):
    def __init__(self, model):
        self.model = model

    def losses_and_correct(self, outputs, labels, training):
        correct = tf.cast(tf.argmax(outputs["logits"], -1, output_type=tf.int32) == labels, tf.float32)
        return tf.nn.sparse_softmax_cross_entropy_with_logits(labels, outputs["logits"]), correct


def distillation(model):
    return Distillation(Plain(model), "both", 0.5)


CASES = {"classification": (lambda model: functools.partial(classification, model), {}),
         "in parts": (lambda model: functools.partial(classification, model), {"accumulate": 2}),
         "sparse": (lambda model: functools.partial(sparse, model), {"clip_norm": 0.5}),
         "float16 scale": (lambda model: functools.partial(classification, model), {"precision": "mixed_float16"}),
         "pairs": (pairs, {}), "tuples": (tuples, {}), "distillation": (distillation, {})}


def network():
    tf.keras.utils.set_random_seed(1)
    images = tf.keras.Input([None, None, 3])
    features = tf.keras.layers.GlobalAveragePooling2D()(tf.keras.layers.Conv2D(8, 3, activation="relu")(images))
    embedding = L2Normalize()(tf.keras.layers.Dense(4)(features))
    return tf.keras.Model(images, {"embedding": embedding, "logits": tf.keras.layers.Dense(4, name="table")(embedding)})


def with_targets(images, labels):
    """Adds a vector for each image that only Python knows, as the embeddings of a teacher are looked up."""
    def look_up(images):
        vectors = images.reshape(len(images), -1)[:, :4]
        return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return images, labels, tf.ensure_shape(tf.numpy_function(look_up, [images], tf.float32, stateful=False), [None, 4])


def trained(case):
    """Returns losses and accuracies of each step, the weights and their averages."""
    make, settings = CASES[case]
    config = TrainingConfig(epochs=1, batch_size=BATCH, learning_rate=0.1, optimizer="sgd", warmup_fraction=0.0,
                            schedule="constant", **settings)
    model, run_step = network(), tf.Variable(0, dtype=tf.int64)
    variables = model.trainable_variables if make not in (pairs, tuples) else model.trainable_variables[:-2]
    optimizer = GroupedOptimizer([Group("all", variables, 1.0)], config, 10, run_step)
    ema, scale = ExponentialMovingAverage(model, 0.5), LossScale() if settings.get("precision") else None
    step = TrainStep(make(model), optimizer, run_step, config, scale, ema)
    random = np.random.default_rng(0)
    images = random.normal(size=(STEPS, BATCH, 6, 6, 3)).astype(np.float32)
    labels = np.tile(np.arange(4, dtype=np.int32), (STEPS, BATCH // 4))
    shard, found = WorkerInfo.current().input_shard, []
    parts = (images.reshape(-1, 6, 6, 3), labels.reshape(-1))
    batches = tf.data.Dataset.from_tensor_slices(parts).batch(shard.portion(BATCH), drop_remainder=True)
    if make is distillation:
        batches = batches.map(with_targets)
    for batch in distribute_dataset(batches, STEPS):
        found += step(*batch)
    return [np.array(found), *model.get_weights(), *(average.numpy() for average in ema.values)]


def interpolated():
    """Returns the weights of a network with BatchNorm half way from a start, and after that its own again."""
    model = tf.keras.Sequential([tf.keras.Input([4]), tf.keras.layers.Dense(3), tf.keras.layers.BatchNormalization()])
    random, checkpoint = np.random.default_rng(0), tf.train.Checkpoint(model=model)

    def assign():
        for weight in model.weights:
            weight.assign(random.normal(size=weight.shape).astype(np.float32))
    assign()
    with tempfile.TemporaryDirectory() as folder:
        read_start = functools.partial(checkpoint.read, checkpoint.write(f"{folder}/start"))
        assign()
        with preserved(model):
            interpolate_model(model, read_start, 0.5)
            found = [tf.identity(weight).numpy() for weight in model.weights]
    return [*found, *(tf.identity(weight).numpy() for weight in model.weights)]


def main():
    cpu, = tf.config.list_physical_devices("CPU")
    tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
    strategy, differences = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"]), {}
    cases = {**{case: functools.partial(trained, case) for case in CASES}, "interpolated": interpolated}
    for case, run in cases.items():
        alone = run()
        with strategy.scope():
            assert WorkerInfo.current() == WorkerInfo(1, 0, 2)
            together = run()
        differences[case] = max(float(np.abs(a - b).max()) for a, b in zip(alone, together, strict=True))
    print(json.dumps(differences))


if __name__ == "__main__":
    main()
