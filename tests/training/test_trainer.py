import dataclasses
import logging

import numpy as np
import pytest
import tensorflow as tf

from landmark_zoo.core.errors import UserError
from landmark_zoo.training.checkpoints import load_weights
from landmark_zoo.training.config import TrainingConfig
from landmark_zoo.training.history import read_history
from landmark_zoo.training.optimizer import Group
from landmark_zoo.training.train_step import TrainStep
from landmark_zoo.training.trainer import Meter, PreemptedError, Trainer

pytestmark = pytest.mark.usefixtures("eagerly")
CONFIG = TrainingConfig(epochs=3, batch_size=8, learning_rate=0.05, log_steps=1, checkpoint_steps=3)


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


@pytest.mark.parametrize("settings", [
    {"ema_momentum": 0.9}, pytest.param({"precision": "mixed_float16"}, marks=pytest.mark.slow),
    pytest.param({"head_epochs": 1, "optimizer": "adamw", "weight_decay": 0.1}, marks=pytest.mark.slow),
    {"accumulate": 2, "optimizer": "sgd", "schedule": "step", "decay_epochs": "1,2"}],
    ids=lambda settings: next(iter(settings)))
def test_killed_in_an_epoch_it_ends_where_an_uninterrupted_run_ends(toy, tmp_path, monkeypatch, settings):
    """Killed before the sixth step, with checkpoints after the third and each epoch of four: bit by bit the same."""
    config = dataclasses.replace(CONFIG, **settings)
    whole, killed = toy(batchnorm=True), toy(batchnorm=True)
    validation = tf.data.Dataset.from_tensors((whole.images, whole.labels))
    whole.trainer(tmp_path / "whole", config).fit(whole.epoch(), validation)
    step = TrainStep.__call__

    def kill_in_the_sixth(self, images, labels):
        if self.run_step == 5:
            raise KeyboardInterrupt
        return step(self, images, labels)
    monkeypatch.setattr(TrainStep, "__call__", kill_in_the_sixth)
    with pytest.raises(KeyboardInterrupt):
        killed.trainer(tmp_path / "killed", config).fit(killed.epoch(), validation)
    monkeypatch.undo()
    again = toy(batchnorm=True)
    again.trainer(tmp_path / "killed", config).fit(again.epoch(), validation)
    for which in ("latest", "raw", "initial"):
        assert load_weights(whole.model, tmp_path / "whole", which) == load_weights(again.model, tmp_path / "killed", which)
        for left, right in zip(whole.model.get_weights(), again.model.get_weights(), strict=True):
            np.testing.assert_array_equal(left, right)
    lines = [[{key: value for key, value in line.items() if key != "images_per_second"}
              for line in read_history(tmp_path / name / "history.jsonl")] for name in ("whole", "killed")]
    assert lines[0] == lines[1]
    assert len(lines[0]) == 15


@pytest.mark.parametrize("at", [2, *(pytest.param(at, marks=pytest.mark.slow) for at in (4, 11)), 12])
def test_told_to_end_it_saves_there_and_ends_where_an_uninterrupted_run_ends(toy, tmp_path, at):
    """Within an epoch at once, at its end after the validation, at the run's end not at all."""
    whole, stopped = toy(), toy()
    validation = tf.data.Dataset.from_tensors((whole.images, whole.labels))
    config = dataclasses.replace(CONFIG, checkpoint_steps=0)
    whole.trainer(tmp_path / "whole", config).fit(whole.epoch(), validation)
    trainer = stopped.trainer(tmp_path / "stopped", config)
    if at < 12:
        with pytest.raises(PreemptedError, match=f"Saved at step {at} of 12, as told"):
            trainer.fit(stopped.epoch(), validation, lambda: trainer.step >= at)
        stopped = toy()
        stopped.trainer(tmp_path / "stopped", config).fit(stopped.epoch(), validation)
    else:
        trainer.fit(stopped.epoch(), validation, lambda: trainer.step >= at)
    for left, right in zip(whole.model.get_weights(), stopped.model.get_weights(), strict=True):
        np.testing.assert_array_equal(left, right)
    steps = [[(line["step"], line.get("validation_loss")) for line in read_history(tmp_path / name / "history.jsonl")]
             for name in ("whole", "stopped")]
    assert steps[0] == steps[1]


def test_averages_are_what_is_validated_and_read(toy, tmp_path):
    network = toy()
    validation = tf.data.Dataset.from_tensors((network.images, network.labels))
    network.trainer(tmp_path, dataclasses.replace(CONFIG, ema_momentum=0.9)).fit(network.epoch(), validation)
    raw = network.model.get_weights()
    measured = read_history(tmp_path / "history.jsonl")[-1]["validation_loss"]

    def loss():
        return float(tf.reduce_mean(network.objective(network.images, network.labels, False)[0]))

    assert loss() != pytest.approx(measured, abs=1e-4)
    assert load_weights(network.model, tmp_path) == 12
    assert loss() == pytest.approx(measured, abs=1e-6)
    assert load_weights(network.model, tmp_path, "raw") == 12
    for left, right in zip(network.model.get_weights(), raw, strict=True):
        np.testing.assert_array_equal(left, right)


def test_the_backbone_waits_for_the_head(toy, tmp_path):
    network, after = toy(), []
    before = network.model.get_layer("conv").get_weights()
    step = TrainStep.__call__

    class Watched(TrainStep):
        def __call__(self, images, labels):
            result = step(self, images, labels)
            after.append(np.array_equal(before[0], network.model.get_layer("conv").get_weights()[0]))
            return result

    trainer = network.trainer(tmp_path, dataclasses.replace(CONFIG, head_epochs=2))
    trainer._train_step.__class__ = Watched
    trainer.fit(network.epoch())
    assert after == [True] * 8 + [False] * 4


def test_nothing_that_learns(toy, tmp_path):
    network = toy()
    for layer in network.model.layers:
        layer.trainable = False
    with pytest.raises(UserError, match=r"something that learns .*; received none of 0 variables of backbone"):
        network.trainer(tmp_path, CONFIG)


def test_tells_the_speed_after_twenty_steps(toy, tmp_path, caplog):
    network = toy()
    with caplog.at_level(logging.INFO, logger="absl"):
        network.trainer(tmp_path, dataclasses.replace(CONFIG, epochs=2, log_steps=100), 12).fit(network.epoch(12))
    said = [record.getMessage() for record in caplog.records if "After 20 steps" in record.getMessage()]
    assert len(said) == 1
    assert "images/s" in said[0]
    assert "minutes left" in said[0]


def test_images_that_grow(toy, tmp_path):
    network, shapes = toy(), []

    def epoch_data(epoch, skip):
        side = 6 + 2 * epoch
        shapes.append(side)
        images = np.zeros([8, side, side, 3], np.float32)
        return tf.data.Dataset.from_tensors((images, network.labels)).repeat(4 - skip)
    network.trainer(tmp_path, CONFIG).fit(epoch_data)
    assert shapes == [6, 8, 10]
    assert read_history(tmp_path / "history.jsonl")[-1]["step"] == 12


def test_a_full_disk_at_a_checkpoint(toy, tmp_path, monkeypatch):
    """The run ends with the OSError that scripts report, and continues from the checkpoint before."""
    saved = []
    save = tf.train.CheckpointManager.save

    def full_at_the_second(self, **arguments):
        saved.append(arguments)
        if len(saved) == 2:
            raise tf.errors.ResourceExhaustedError(None, None, "ckpt-3.tempstate; No space left on device")
        return save(self, **arguments)

    network = toy()
    monkeypatch.setattr(tf.train.CheckpointManager, "save", full_at_the_second)
    with pytest.raises(OSError, match="No space left"):
        network.trainer(tmp_path, CONFIG).fit(network.epoch())
    monkeypatch.undo()
    again = toy()
    again.trainer(tmp_path, CONFIG).fit(again.epoch())
    assert read_history(tmp_path / "history.jsonl")[-1]["step"] == 12


def test_nan_stops_with_a_sentence_and_keeps_the_checkpoint_before(toy, tmp_path):
    network, config = toy(), dataclasses.replace(CONFIG, optimizer="adamw", learning_rate=1000, weight_decay=1000)
    with pytest.raises(UserError, match=r"a finite (loss|gradient); received NaN or infinity at step \d+\. Lower"):
        network.trainer(tmp_path, config).fit(network.epoch())
    read = toy().model
    load_weights(read, tmp_path)
    assert all(np.isfinite(values).all() for values in read.get_weights())


def test_means_and_speed_since_the_last_reading():
    now = iter([100.0, 104.0, 106.0])
    meter = Meter(batch_size=8, clock=lambda: next(now))
    meter.add(1.0, 0.0)
    meter.add(3.0, 0.5)
    assert meter.read() == pytest.approx((2.0, 0.25, 4.0))
    meter.add(5.0, 1.0)
    assert meter.read() == pytest.approx((5.0, 1.0, 4.0))
