"""Whole runs: learning, resuming, and the mistakes a user can make."""

import os
import shutil
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
import tensorflow as tf

from landmark_zoo.core.errors import UserError
from landmark_zoo.core.files import read_json
from landmark_zoo.layers.attention import Attention
from landmark_zoo.models.config import ModelConfig
from landmark_zoo.training.checkpoints import load_weights
from landmark_zoo.training.history import read_history
from landmark_zoo.training.objectives.config import ObjectiveConfig
from landmark_zoo.training.run import run_training
from landmark_zoo.training.sampling import SamplingConfig
from landmark_zoo.training.train_step import TrainStep
from landmark_zoo.training.trainer import ToldToStopError
from landmark_zoo.training.workdir import read_model

TRAIN = [sys.executable, "-m", "experiments.train", "--model=mobilenet_se", "--alpha=0.25", "--embedding_dim=8",
         "--batch_size=4", "--image_size=32", "--epochs=3", "--learning_rate=1e-3", "--nofreeze_batchnorm", "--log_steps=1",
         "--checkpoint_steps=5"]


def weights(workdir):
    config, facts = read_model(workdir)
    model = config.build(facts["num_classes"])
    load_weights(model, workdir)
    return model.get_weights()


def test_learns_and_leaves_its_facts(records, model_config, config, tmp_path):
    run_training(model_config, type(config)(**{**vars(config), "epochs": 8}), records, tmp_path / "run")
    history = read_history(tmp_path / "run" / "history.jsonl")
    losses = [line["loss"] for line in history if "loss" in line]
    assert len(losses) == 48
    assert np.mean(losses[-6:]) < np.mean(losses[:6]) - 0.5
    assert [line["step"] for line in history if "validation_loss" in line] == list(range(6, 49, 6))
    facts = read_json(tmp_path / "run" / "model.json")
    assert (facts["num_classes"], facts["photographs"]) == (4, 48)
    assert list((tmp_path / "run" / "tensorboard").glob("*tfevents*"))


@pytest.mark.slow
def test_killed_in_the_middle_of_an_epoch_it_ends_where_an_uninterrupted_run_ends(records, tmp_path, root):
    """kill -9 at step 17 or later of 36, with a checkpoint every 5 steps: same history, same weights."""
    def command(workdir):
        return [*TRAIN, f"--records={records}", f"--workdir={workdir}"]
    subprocess.run(command(tmp_path / "whole"), cwd=root, check=True, capture_output=True)
    with subprocess.Popen(command(tmp_path / "killed"), cwd=root, stderr=subprocess.DEVNULL) as process:
        while not any(line["step"] >= 17 for line in read_history(tmp_path / "killed" / "history.jsonl")):
            time.sleep(0.005)
            assert process.poll() is None, "ended before it was killed"
        os.kill(process.pid, signal.SIGKILL)
    again = subprocess.run(command(tmp_path / "killed"), cwd=root, check=True, capture_output=True, text=True)
    assert "Going on from step" in again.stderr
    whole, killed = (read_history(tmp_path / name / "history.jsonl") for name in ("whole", "killed"))
    assert [line["step"] for line in whole] == [line["step"] for line in killed]
    for left, right in zip(whole, killed, strict=True):
        for key in ("loss", "validation_loss", "learning_rate"):
            if key in left:
                np.testing.assert_allclose(left[key], right[key], rtol=1e-3)
    for left, right in zip(weights(tmp_path / "whole"), weights(tmp_path / "killed"), strict=True):
        np.testing.assert_allclose(left, right, atol=2e-4)


def test_a_finished_run_is_left_as_it_is(records, model_config, config, tmp_path):
    for _ in range(2):
        run_training(model_config, config, records, tmp_path)
    assert [line["step"] for line in read_history(tmp_path / "history.jsonl") if "loss" in line] == list(range(1, 13))


def test_no_epochs_give_the_initial_checkpoint(records, model_config, config, tmp_path):
    run_training(model_config, type(config)(**{**vars(config), "epochs": 0}), records, tmp_path, initial_embedding="pca")
    config, facts = read_model(tmp_path)
    initial, latest = (config.build(facts["num_classes"]) for _ in range(2))
    assert load_weights(initial, tmp_path, "initial") == load_weights(latest, tmp_path, "latest") == 0
    for left, right in zip(initial.get_weights(), latest.get_weights(), strict=True):
        np.testing.assert_array_equal(left, right)


def test_nan_stops_with_a_sentence_and_keeps_the_checkpoint_before(records, model_config, config, tmp_path):
    with pytest.raises(UserError, match=r"a finite (loss|gradient); received NaN or infinity at step \d+\. Lower"):
        run_training(model_config, type(config)(**{**vars(config), "optimizer": "adamw", "weight_decay": 1e38}), records,
                     tmp_path)
    assert all(np.isfinite(values).all() for values in weights(tmp_path))


@pytest.mark.parametrize(("change", "said"), [({"embedding_dim": 16}, "config"), ({"model": "mobilenet_gem"}, "config")])
def test_another_model_in_the_same_folder(records, model_config, config, tmp_path, change, said):
    run_training(model_config, type(config)(**{**vars(config), "epochs": 0}), records, tmp_path)
    with pytest.raises(UserError, match=said):
        run_training(type(model_config)(**{**vars(model_config), **change}), config, records, tmp_path)


def test_two_runs_in_one_folder(records, model_config, config, tmp_path):
    from landmark_zoo.core.lock import lock_directory
    with lock_directory(tmp_path), pytest.raises(UserError, match="a run that is using it"):
        run_training(model_config, config, records, tmp_path)


def test_a_full_disk_at_a_checkpoint(records, model_config, config, tmp_path, monkeypatch):
    saved = []
    save = tf.train.CheckpointManager.save

    def full_at_the_second(self, **arguments):
        saved.append(arguments)
        if len(saved) == 2:
            raise tf.errors.ResourceExhaustedError(None, None, "ckpt-6.tempstate; No space left on device")
        return save(self, **arguments)

    monkeypatch.setattr(tf.train.CheckpointManager, "save", full_at_the_second)
    with pytest.raises(OSError, match="No space left"):
        run_training(model_config, config, records, tmp_path)
    monkeypatch.undo()
    run_training(model_config, config, records, tmp_path)
    assert read_history(tmp_path / "history.jsonl")[-1]["step"] == 12


def test_a_damaged_record_file_is_named(records, model_config, config, tmp_path):
    folder = tmp_path / "records" / "train"
    shutil.copytree(records / "train", folder)
    file = sorted(folder.glob("*.tfrecord"))[0]
    with open(file, "r+b") as opened:
        opened.seek(file.stat().st_size // 2)
        opened.write(b"damage")
    with pytest.raises(UserError, match=r"whole record files in .*records; received (corrupted|truncated) record"):
        run_training(model_config, config, tmp_path / "records", tmp_path / "run")


def test_told_to_end_it_saves_and_goes_on_later(records, model_config, config, tmp_path):
    asked = []
    with pytest.raises(ToldToStopError, match="Saved at step 3 of 12"):
        run_training(model_config, config, records, tmp_path, stop=lambda: asked.append(1) or len(asked) >= 3)
    run_training(model_config, config, records, tmp_path)
    assert [line["step"] for line in read_history(tmp_path / "history.jsonl") if "loss" in line] == list(range(1, 13))


def test_more_dimensions_than_photographs(records, config, model_config, tmp_path):
    with pytest.raises(UserError, match=r"--embedding_dim <= 48 .*; received 100"):
        run_training(type(model_config)(**{**vars(model_config), "embedding_dim": 100}), config, records, tmp_path,
                     initial_embedding="pca")


def test_blocks_inside_a_frozen_backbone_learn(records, model_config, config, tmp_path):
    """Inserted blocks have the head's learning rate, and freezing the backbone's BatchNorm leaves theirs alone."""
    model_config = type(model_config)(**{**vars(model_config), "model": "resnet18_bam", "placement": "stages"})
    config = type(config)(**{**vars(config), "epochs": 1, "backbone_multiplier": 0.0, "freeze_batchnorm": True})
    run_training(model_config, config, records, tmp_path)
    read = [model_config.build(4) for _ in range(2)]
    for model, which in zip(read, ("initial", "latest"), strict=True):
        load_weights(model, tmp_path, which)
    initial, latest = (model.get_layer("resnet18") for model in read)
    for before, after in zip(initial.layers, latest.layers, strict=True):
        moved = [not np.array_equal(left, right)
                 for left, right in zip(before.get_weights(), after.get_weights(), strict=True)]
        if isinstance(before, Attention):
            assert sum(moved) > len(moved) / 2
            assert any(flag for flag, weight in zip(moved, before.weights, strict=True) if "moving_mean" in weight.name)
        else:
            assert not any(moved)


def test_killed_before_the_first_checkpoint_it_still_starts_from_the_pretrained_weights(records, model_config, config,
                                                                                        tmp_path, monkeypatch):
    network = tf.keras.applications.MobileNet(include_top=False, weights=None, alpha=0.25, input_shape=(None, None, 3))
    network.set_weights([np.full_like(value, 0.125) for value in network.get_weights()])
    network.save_weights(tmp_path / "mobilenet.h5")
    config = type(config)(**{**vars(config), "epochs": 0})

    def killed(*_, **__):
        raise KeyboardInterrupt
    monkeypatch.setattr("landmark_zoo.training.initial_embedding.pca_start", killed)
    arguments = (model_config, config, records, tmp_path / "run", str(tmp_path / "mobilenet.h5"))
    with pytest.raises(KeyboardInterrupt):
        run_training(*arguments, "pca")
    run_training(*arguments, "random")
    assert (weights(tmp_path / "run")[0] == 0.125).all()


def test_attention_branch_network_learns_from_both_losses(records, config, tmp_path):
    model_config = ModelConfig("resnet18_abn", embedding_dim=0, alpha=0.125, head="softmax")
    run_training(model_config, type(config)(**{**vars(config), "epochs": 1}), records, tmp_path)
    lines = [line["loss"] for line in read_history(tmp_path / "history.jsonl") if "loss" in line]
    assert len(lines) == 6
    assert lines[0] > 1.5 * np.log(4), "the sum of two cross-entropies"


PAIRS = SamplingConfig("classes_by_images", steps_per_epoch=2)
TUPLES = SamplingConfig("mined_tuples", query_size=4, pool_size=30, negatives=2)


@pytest.mark.slow
@pytest.mark.parametrize(("objective", "sampling", "model"), [
    (ObjectiveConfig(class_weights="inverse_log"), SamplingConfig("balanced", steps_per_epoch=2), {}),
    (ObjectiveConfig(label_smoothing=0.1), SamplingConfig("aspect_groups", augmentation="glam", steps_per_epoch=2), {}),
    (ObjectiveConfig("contrastive"), PAIRS, {}),
    (ObjectiveConfig("contrastive_linear", classification_weight=0.5), PAIRS, {}),
    (ObjectiveConfig("triplet_semihard"), PAIRS, {"pooling": "mac"}),
    (ObjectiveConfig("triplet_hard"), PAIRS, {}),
    (ObjectiveConfig("tuple_contrastive"), TUPLES, {"model": "mobilenet_how"}),
    (ObjectiveConfig("tuple_solar"), TUPLES, {"model": "mobilenet_solar"}),
    (ObjectiveConfig("delg"), SamplingConfig(augmentation="delg", steps_per_epoch=2), {"model": "mobilenet_delg"})],
    ids=lambda value: getattr(value, "objective", getattr(value, "sampler", "")))
def test_every_objective_and_sampler(records, model_config, config, tmp_path, objective, sampling, model):
    """Two epochs of two steps; the folder then gives back a model of those weights."""
    model_config = type(model_config)(**{**vars(model_config), **model})
    run_training(model_config, config, records, tmp_path, objective=objective, sampling=sampling)
    history = read_history(tmp_path / "history.jsonl")
    assert [line["step"] for line in history if "loss" in line] == [1, 2, 3, 4]
    assert all(np.isfinite(line["loss"]) and 0 <= line["accuracy"] <= 1 for line in history if "loss" in line)
    assert sum("validation_loss" in line for line in history) == (0 if sampling.sampler == "mined_tuples" else 2)
    read, facts = read_model(tmp_path)
    built = read.build(facts["num_classes"])
    assert load_weights(built, tmp_path) == 4
    assert ("logits" in built.output_shape) == objective.has_head


@pytest.mark.slow
def test_killed_in_the_middle_of_a_mined_epoch_it_goes_on_with_the_same_tuples(records, config, tmp_path, monkeypatch):
    model_config = ModelConfig("resnet18_gem", embedding_dim=8, alpha=0.125)
    config = type(config)(**{**vars(config), "checkpoint_steps": 1})
    recipe = {"objective": ObjectiveConfig("tuple_triplet"), "sampling": TUPLES}
    run_training(model_config, config, records, tmp_path / "whole", **recipe)
    step = TrainStep.__call__

    def killed_in_the_fourth(self, images, labels):
        if self.run_step == 3:
            raise KeyboardInterrupt
        return step(self, images, labels)
    monkeypatch.setattr(TrainStep, "__call__", killed_in_the_fourth)
    with pytest.raises(KeyboardInterrupt):
        run_training(model_config, config, records, tmp_path / "killed", **recipe)
    monkeypatch.undo()
    run_training(model_config, config, records, tmp_path / "killed", **recipe)
    whole, killed = (read_history(tmp_path / name / "history.jsonl") for name in ("whole", "killed"))
    np.testing.assert_allclose([line["loss"] for line in killed], [line["loss"] for line in whole], rtol=1e-3)
    for left, right in zip(weights(tmp_path / "whole"), weights(tmp_path / "killed"), strict=True):
        np.testing.assert_allclose(left, right, atol=2e-4)


def test_started_from_another_run(records, model_config, config, tmp_path):
    """Classification first, contrastive from there, as in the two stages of arXiv:2208.04201."""
    first, nothing = tmp_path / "first", type(config)(**{**vars(config), "epochs": 0})
    run_training(model_config, type(config)(**{**vars(config), "epochs": 1}), records, first)
    run_training(model_config, nothing, records, tmp_path / "second", objective=ObjectiveConfig("contrastive"),
                 sampling=PAIRS, initial_run=str(first))
    head = len(model_config.build(4).get_layer("arcface").get_weights())
    for left, right in zip(weights(first)[:-head], weights(tmp_path / "second"), strict=True):
        np.testing.assert_array_equal(left, right)


def test_other_flags_of_the_loss_in_the_same_folder(records, model_config, config, tmp_path):
    config = type(config)(**{**vars(config), "epochs": 0})
    run_training(model_config, config, records, tmp_path)
    with pytest.raises(UserError, match=r"--label_smoothing=0\.0; received --label_smoothing=0\.1"):
        run_training(model_config, config, records, tmp_path, objective=ObjectiveConfig(label_smoothing=0.1))
