"""The loop's own promises; whole runs are in test_run.py."""

import numpy as np
import tensorflow as tf

from landmark_zoo.training.config import TrainingConfig
from landmark_zoo.training.grouped_optimizer import Group
from landmark_zoo.training.history import read_history
from landmark_zoo.training.trainer import Trainer


class Line:
    """Fits y = w x by squared error."""

    def __init__(self):
        self.weight = tf.Variable(0.0)

    def __call__(self, images, labels, training):
        error = self.weight * images - tf.cast(labels, tf.float32)
        return error**2, tf.cast(tf.abs(error) < 0.5, tf.float32)


def test_asks_for_each_epoch_from_where_it_is(tmp_path):
    line, asked, started = Line(), [], []
    model = tf.keras.Sequential([tf.keras.layers.Dense(1, input_shape=[1])])

    def epoch_data(epoch, skip):
        asked.append((epoch, skip))
        x = np.arange(1, 9, dtype=np.float32)
        return tf.data.Dataset.from_tensor_slices((x, 2 * x.astype(np.int32))).batch(2).skip(skip)

    config = TrainingConfig(epochs=3, batch_size=2, learning_rate=0.05, optimizer="sgd", momentum=0.0, log_steps=2,
                            checkpoint_steps=1)

    def trainer():
        return Trainer(model, line, [Group("line", [line.weight], 1.0)], config, tmp_path, 4, lambda: started.append(1))

    first = trainer()
    first.config = TrainingConfig(**{**vars(config), "epochs": 1})
    first.fit(epoch_data)
    trainer().fit(epoch_data)
    assert asked == [(0, 0), (1, 0), (2, 0)]
    assert started == [1]
    np.testing.assert_allclose(line.weight, 2.0, atol=0.2)
    assert [entry["step"] for entry in read_history(tmp_path / "history.jsonl")] == [2, 4, 6, 8, 10, 12]
