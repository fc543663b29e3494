import dataclasses
import functools
import os
import shutil
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
import tensorflow as tf

from landmark_zoo.backbones.resnet_v15 import ResNet18, ResNet50V15
from landmark_zoo.backbones.torch_names import resnet_names
from landmark_zoo.backbones.weight_files.read import read_state_dict
from landmark_zoo.core.errors import UserError
from landmark_zoo.core.files import lock_directory, read_json, sha256, write_json
from landmark_zoo.data.input_pipeline import evaluation_dataset
from landmark_zoo.data.manifest import read_manifest
from landmark_zoo.layers.attention.base import Attention
from landmark_zoo.models.published.checkpoints import Checkpoint
from landmark_zoo.models.registry import ModelConfig
from landmark_zoo.training.batch_losses import EmbeddingPairs
from landmark_zoo.training.checkpoints import load_weights, read_selection
from landmark_zoo.training.config import TrainingConfig
from landmark_zoo.training.distributed.collectives import WorkerInfo
from landmark_zoo.training.epoch_data import TeacherEmbeddings
from landmark_zoo.training.history import read_history, read_model
from landmark_zoo.training.objectives import ObjectiveConfig
from landmark_zoo.training.optimizer import GroupedOptimizer
from landmark_zoo.training.run import TrainingSetup, check_start, run_training, why_not_trained
from landmark_zoo.training.sampling import SamplingConfig
from landmark_zoo.training.train_step import TrainStep
from landmark_zoo.training.trainer import PreemptedError
from tests.backbones.test_torch_names import random_tensors, written
from tests.models.published.test_build import tensors_of
from tests.tiny_saved_model import write_tiny_saved_model

TRAIN = [sys.executable, "-m", "experiments.train", "--model=mobilenet_se", "--alpha=0.25", "--embedding_dim=8",
         "--batch_size=4", "--image_size=32", "--epochs=3", "--learning_rate=1e-3", "--nofreeze_batchnorm", "--log_steps=1",
         "--checkpoint_steps=5"]

PAIRS = SamplingConfig("classes_by_images", steps_per_epoch=2)
TUPLES = SamplingConfig("mined_tuples", query_size=4, pool_size=30, negatives=2)


def weights(workdir):
    config, facts = read_model(workdir)
    model = config.build(facts["num_classes"])
    load_weights(model, workdir)
    return model.get_weights()


@pytest.fixture(scope="module")
def trained(unseen_records, model_config, config, tmp_path_factory):
    """Folder of a run of 4 epochs of 6 steps, stopped after step 3 and continued; tests that write take a copy."""
    records = unseen_records
    workdir, asked = tmp_path_factory.mktemp("trained"), []
    config = dataclasses.replace(config, epochs=4, learning_rate=1e-2)
    with pytest.raises(PreemptedError, match="Saved at step 3 of 24"):
        run_training(model_config, config, records, workdir, should_stop=lambda: asked.append(1) or len(asked) >= 3)
    run_training(model_config, config, records, workdir)
    return workdir, config


@pytest.fixture
def trained_copy(trained, tmp_path):
    """A copy of the trained run, and its config."""
    shutil.copytree(trained[0], tmp_path / "trained")
    return tmp_path / "trained", trained[1]


def test_learns_and_leaves_its_facts(trained):
    history = read_history(trained[0] / "history.jsonl")
    losses = [line["loss"] for line in history if "loss" in line]
    assert len(losses) == 24
    assert np.mean(losses[-6:]) < np.mean(losses[:6]) - 0.5
    assert [line["step"] for line in history if "validation_loss" in line] == list(range(6, 25, 6))
    facts = read_json(trained[0] / "model.json")
    assert (facts["num_classes"], facts["photographs"]) == (4, 48)
    unseen = facts["validation_landmarks"]
    assert [unseen[name] for name in ("landmarks", "photographs", "image_size")] == [4, 48, 32]
    assert list((trained[0] / "tensorboard").glob("*tfevents*"))


def test_landmarks_that_it_does_not_see_are_measured_at_the_start_and_after_each_epoch(trained):
    measured = {line["step"]: line["retrieval_map"] for line in read_history(trained[0] / "history.jsonl")
                if "retrieval_map" in line}
    assert list(measured) == [0, 6, 12, 18, 24]
    best = max(measured, key=measured.get)
    model = read_model(trained[0])[0].build(4)
    assert load_weights(model, trained[0]) == best
    assert all(0 < value <= 1 for value in measured.values())


def test_told_to_end_it_saves_and_goes_on_later(trained):
    assert [line["step"] for line in read_history(trained[0] / "history.jsonl") if "loss" in line] == list(range(1, 25))


def test_a_finished_run_is_left_as_it_is(trained_copy, unseen_records, model_config):
    workdir, config = trained_copy
    before, last = (workdir / "history.jsonl").read_text(), weights(workdir)
    run_training(model_config, config, unseen_records, workdir)
    assert (workdir / "history.jsonl").read_text() == before
    for left, right in zip(weights(workdir), last, strict=True):
        np.testing.assert_array_equal(left, right)


@pytest.mark.parametrize("change", [{"embedding_dim": 16}, {"model": "resnet18_mac"}])
def test_another_model_in_the_same_folder(trained_copy, unseen_records, model_config, change):
    workdir, config = trained_copy
    with pytest.raises(UserError, match="config"):
        run_training(dataclasses.replace(model_config, **change), config, unseen_records, workdir)


def test_other_flags_of_the_loss_in_the_same_folder(trained_copy, unseen_records, model_config):
    workdir, config = trained_copy
    with pytest.raises(UserError, match=r"--label_smoothing=0\.0; received --label_smoothing=0\.1"):
        run_training(model_config, config, unseen_records, workdir, objective=ObjectiveConfig(label_smoothing=0.1))


def test_other_records_of_the_same_landmarks_and_number(trained_copy, unseen_records, model_config, tmp_path):
    """Checksums tell that labels were swapped or images exchanged."""
    workdir, config = trained_copy
    shutil.copytree(unseen_records / "train", tmp_path / "other" / "train")
    manifest = read_manifest(tmp_path / "other" / "train")
    first = dataclasses.replace(manifest.shards[0], sha256="0" * 64)
    dataclasses.replace(manifest, shards=(first, *manifest.shards[1:])).save()
    with pytest.raises(UserError, match="records of other content"):
        run_training(model_config, config, tmp_path / "other", workdir)
    shutil.copytree(unseen_records / "train", tmp_path / "moved" / "train")
    with pytest.raises(UserError, match="records with others, or with none kept out"):
        run_training(model_config, config, tmp_path / "moved", workdir)
    shutil.copytree(unseen_records / "validation_landmarks", tmp_path / "moved" / "validation_landmarks")
    run_training(model_config, config, tmp_path / "moved", workdir)


@pytest.fixture
def asked_in_vain(records, tmp_path):
    """The records, of which some landmarks were to be kept out of training and none is."""
    shutil.copytree(records / "train", tmp_path / "asked" / "train")
    dataclasses.replace(read_manifest(tmp_path / "asked" / "train"), validation_landmarks=0.15).save()
    return tmp_path / "asked"


def test_without_landmarks_to_measure_on_nothing_is_trained_unless_told(asked_in_vain, model_config, config, tmp_path,
                                                                        caplog):
    """Not even a batch is needed."""
    model_config = dataclasses.replace(model_config, embedding_dim=512)
    few, workdir = dataclasses.replace(config, batch_size=64, patience=2), tmp_path / "run"
    for _ in range(2):
        caplog.clear()
        run_training(model_config, few, asked_in_vain, workdir, initial_embedding="pca")
        assert [line for line in caplog.messages if "Not trained" in line] == [(
            "Not trained; the export is the start: too few landmarks or images to keep 15 % of 4 landmarks out of training "
            "and measure on them whether it helps. Prepare records of more landmarks and images, or train without this "
            "protection: --keep=last.")]
    found, facts = read_model(workdir)
    assert (found.embedding_dim, facts["not_trained"][:7]) == (47, "too few")
    assert load_weights(found.build(4), workdir) == 0
    with pytest.raises(UserError, match="one batch"):
        run_training(model_config, dataclasses.replace(few, keep="last", patience=0), asked_in_vain, workdir,
                     initial_embedding="pca")


@pytest.mark.slow
def test_a_run_that_was_not_trained_goes_on_as_a_new_one_would(asked_in_vain, model_config, config, tmp_path):
    last = dataclasses.replace(config, epochs=1, keep="last")
    run_training(model_config, dataclasses.replace(last, keep="best"), asked_in_vain, tmp_path / "other",
                 initial_embedding="pca")
    for folder in ("other", "new"):
        run_training(model_config, last, asked_in_vain, tmp_path / folder, initial_embedding="pca")
    assert "not_trained" not in read_model(tmp_path / "other")[1]
    for left, right in zip(weights(tmp_path / "other"), weights(tmp_path / "new"), strict=True):
        np.testing.assert_array_equal(left, right)


@pytest.mark.parametrize(("change", "settings", "trains"), [
    ({}, {}, False), ({"validation_landmarks": None}, {}, True), ({"validation_landmarks": 0.0}, {}, True),
    ({}, {"keep": "last"}, True), ({}, {"epochs": 0}, True)])
def test_why_a_run_is_not_trained(asked_in_vain, config, tmp_path, change, settings, trains):
    manifest = dataclasses.replace(read_manifest(asked_in_vain / "train"), **change)
    config = dataclasses.replace(config, **settings)
    assert (why_not_trained(asked_in_vain, manifest, config, tmp_path / "run") == "") == trains


def test_landmarks_kept_out_protect_where_two_have_partners(asked_in_vain, unseen_records, config, trained, tmp_path):
    manifest = read_manifest(asked_in_vain / "train")
    shutil.copytree(unseen_records / "validation_landmarks", asked_in_vain / "validation_landmarks")
    assert not why_not_trained(asked_in_vain, manifest, config, tmp_path / "run")
    path = asked_in_vain / "validation_landmarks" / "manifest.json"
    write_json(path, read_json(path) | {"class_counts": [45, 1, 1, 1]})
    assert why_not_trained(asked_in_vain, manifest, config, tmp_path / "run")
    assert not why_not_trained(asked_in_vain, manifest, config, trained[0]), "it has begun to train"


def test_a_lowered_dimension_stays_that_of_the_run(records, model_config, config, tmp_path):
    """Started again with more or fewer dimensions than the images span, or without the start's flag."""
    run = functools.partial(run_training, config=dataclasses.replace(config, epochs=0), records=records, workdir=tmp_path)
    run(dataclasses.replace(model_config, embedding_dim=512), initial_embedding="pca")
    for dimension in (47, 64, 512):
        run(dataclasses.replace(model_config, embedding_dim=dimension), initial_embedding="pca")
    assert read_model(tmp_path)[0].embedding_dim == 47
    for dimension, embedding in ((46, "pca"), (512, "random")):
        with pytest.raises(UserError, match=rf"of the run .*--embedding_dim=47; received --embedding_dim={dimension}\."):
            run(dataclasses.replace(model_config, embedding_dim=dimension), initial_embedding=embedding)


def test_frozen_random_weights_write_nothing(records, model_config, tmp_path):
    with pytest.raises(UserError, match="pretrained weights for resnet18_gem"):
        run_training(model_config, TrainingConfig(batch_size=8, image_size=32), records, tmp_path / "run")
    assert not list((tmp_path / "run").glob("*.json"))


def test_two_runs_in_one_folder(records, model_config, config, tmp_path):
    with lock_directory(tmp_path), pytest.raises(UserError, match="a run that is using it"):
        run_training(model_config, config, records, tmp_path)


@pytest.fixture
def tried(monkeypatch):
    """What the trial of --precision=auto finds, on a CPU that can gain; each trial makes one step in both precisions."""
    trials = []

    def found(make_step, can_gain):
        assert can_gain
        trials.append([make_step(policy)() for policy in ("float32", "mixed_bfloat16")])
        return "mixed_bfloat16"
    monkeypatch.setattr("landmark_zoo.training.run.bfloat16_can_gain", lambda: True)
    monkeypatch.setattr("landmark_zoo.training.run.precision_by_trial", found)
    monkeypatch.setattr("landmark_zoo.training.run.TRIAL_WORTH", 6)
    return trials


def test_precision_by_trial_is_kept_and_changes_nothing_else(train_only, model_config, config, tmp_path, tried, monkeypatch):
    auto = dataclasses.replace(config, epochs=1, precision="auto", head_epochs=1, checkpoint_steps=1)
    run_training(model_config, dataclasses.replace(auto, precision="mixed_bfloat16"), train_only, tmp_path / "asked")
    assert tried == []
    asked = []
    with pytest.raises(PreemptedError):
        run_training(model_config, auto, train_only, tmp_path / "auto",
                     should_stop=lambda: asked.append(1) or len(asked) > 3)
    (short, half), = tried
    assert 0 < short[0] < 20
    assert 0 < half[0] < 20
    assert read_json(tmp_path / "auto" / "recipe.json")["precision"] == "mixed_bfloat16"
    monkeypatch.setattr("landmark_zoo.training.run.precision_by_trial", lambda *_: pytest.fail("tried again"))
    run_training(model_config, auto, train_only, tmp_path / "auto")
    expected, found = (read_history(tmp_path / name / "history.jsonl") for name in ("asked", "auto"))
    assert [line["loss"] for line in found] == pytest.approx([line["loss"] for line in expected], rel=5e-3)


def test_no_trial_for_short_or_dry_runs(train_only, model_config, config, tmp_path, tried, monkeypatch):
    auto = dataclasses.replace(config, epochs=0, precision="auto")
    run_training(model_config, auto, train_only, tmp_path / "none")
    monkeypatch.setattr("landmark_zoo.training.run.TRIAL_WORTH", 0)
    run_training(model_config, auto, train_only, tmp_path / "dry", dry_run=True)
    assert tried == []
    assert {read_json(tmp_path / name / "recipe.json")["precision"] for name in ("none", "dry")} == {"float32"}


@pytest.mark.slow
def test_started_from_another_run(trained, records, model_config, config, tmp_path):
    """Classification first, contrastive from there, as in the two stages of arXiv:2208.04201."""
    run_training(model_config, dataclasses.replace(config, epochs=0), records, tmp_path,
                 objective=ObjectiveConfig("contrastive"), sampling=PAIRS, initial_run=str(trained[0]))
    head = len(model_config.build(4).get_layer("arcface").get_weights())
    for left, right in zip(weights(trained[0])[:-head], weights(tmp_path), strict=True):
        np.testing.assert_array_equal(left, right)


@pytest.mark.slow
def test_killed_in_the_middle_of_an_epoch_it_ends_where_an_uninterrupted_run_ends(unseen_records, tmp_path, root):
    """kill -9 at step 17 or later of 36, with a checkpoint every 5 steps: same history, same weights, same choice."""
    def command(workdir):
        return [*TRAIN, f"--records={unseen_records}", f"--workdir={workdir}"]
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
        for key in ("loss", "validation_loss", "learning_rate", "retrieval_map"):
            if key in left:
                np.testing.assert_allclose(left[key], right[key], rtol=1e-3)
    chosen = [read_selection(tmp_path / name) for name in ("whole", "killed")]
    assert chosen[0]["kept"]["step"] == chosen[1]["kept"]["step"]
    assert chosen[0]["epochs_without_gain"] == chosen[1]["epochs_without_gain"]
    for left, right in zip(weights(tmp_path / "whole"), weights(tmp_path / "killed"), strict=True):
        np.testing.assert_allclose(left, right, atol=2e-4)


@pytest.mark.slow
def test_no_epochs_give_the_initial_checkpoint(train_only, model_config, config, tmp_path):
    run_training(model_config, dataclasses.replace(config, epochs=0), train_only, tmp_path, initial_embedding="pca")
    config, facts = read_model(tmp_path)
    initial, latest = (config.build(facts["num_classes"]) for _ in range(2))
    assert load_weights(initial, tmp_path, "initial") == load_weights(latest, tmp_path, "latest") == 0
    for left, right in zip(initial.get_weights(), latest.get_weights(), strict=True):
        np.testing.assert_array_equal(left, right)


def test_a_damaged_record_file_is_named(records, model_config, config, tmp_path):
    folder = tmp_path / "records" / "train"
    shutil.copytree(records / "train", folder)
    file = sorted(folder.glob("*.tfrecord"))[0]
    with open(file, "r+b") as opened:
        opened.seek(file.stat().st_size // 2)
        opened.write(b"damage")
    with pytest.raises(UserError, match=r"whole record files in .*records; received (corrupted|truncated) record"):
        run_training(model_config, config, tmp_path / "records", tmp_path / "run")


@pytest.mark.slow
def test_killed_before_the_first_checkpoint_it_still_starts_from_the_pretrained_weights(train_only, model_config, config,
                                                                                        tmp_path, monkeypatch):
    network = ResNet18(include_top=False, weights=None, input_shape=(None, None, 3), alpha=model_config.alpha)
    network.set_weights([np.full_like(value, 0.125) for value in network.get_weights()])
    network.save_weights(tmp_path / "resnet18.weights.h5")

    def killed(*_, **__):
        raise KeyboardInterrupt
    monkeypatch.setattr("landmark_zoo.training.initialization.init_pca", killed)
    arguments = (model_config, dataclasses.replace(config, epochs=0), train_only, tmp_path / "run",
                 str(tmp_path / "resnet18.weights.h5"))
    with pytest.raises(KeyboardInterrupt):
        run_training(*arguments, "pca")
    run_training(*arguments, "random")
    assert (weights(tmp_path / "run")[0] == 0.125).all()
    noted = read_json(tmp_path / "run" / "model.json")
    assert (noted["pretrained"], noted["pretrained_sha256"]) == (
        "resnet18.weights.h5", sha256(tmp_path / "resnet18.weights.h5"))
    (tmp_path / "resnet18.weights.h5").unlink()
    run_training(*arguments, "random")  # goes on without the file
    assert read_json(tmp_path / "run" / "model.json") == noted




@pytest.mark.slow
@pytest.mark.parametrize(("objective", "sampling", "model"), [
    (ObjectiveConfig(class_weights="inverse_log"), SamplingConfig("balanced", steps_per_epoch=2), {}),
    (ObjectiveConfig(label_smoothing=0.1), SamplingConfig("aspect_groups", augmentation="glam", steps_per_epoch=2), {}),
    (ObjectiveConfig("contrastive"), PAIRS, {}),
    (ObjectiveConfig("contrastive_linear", classification_weight=0.5), PAIRS, {}),
    (ObjectiveConfig("triplet_semihard"), PAIRS, {"model": "resnet18_mac"}),
    (ObjectiveConfig("triplet_hard"), PAIRS, {}),
    (ObjectiveConfig("tuple_contrastive"), TUPLES, {"model": "mobilenet_how"}),
    (ObjectiveConfig("tuple_solar"), TUPLES, {"model": "mobilenet_solar"}),
    (ObjectiveConfig("delg"), SamplingConfig(augmentation="delg", steps_per_epoch=2), {"model": "mobilenet_delg"})],
    ids=lambda value: getattr(value, "objective", getattr(value, "sampler", "")))
def test_every_objective_and_sampler(records, model_config, config, tmp_path, objective, sampling, model):
    """Two epochs of two steps; the folder then gives back a model of those weights."""
    model_config = dataclasses.replace(model_config, **model)
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
    config = dataclasses.replace(config, checkpoint_steps=1)
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


DISTILLED = ObjectiveConfig(distillation="both", distillation_weight=0.9)


@pytest.fixture(scope="module")
def teacher(tmp_path_factory):
    """An export whose embedding is the mean colours of the four quarters."""
    return str(write_tiny_saved_model(tmp_path_factory.mktemp("export") / "tiny" / "1"))


def similarities(workdir, records, checkpoint):
    """Cosines of all pairs of the training images by a checkpoint of a run."""
    config, facts = read_model(workdir)
    model = config.build(facts["num_classes"])
    load_weights(model, workdir, checkpoint)
    batches = evaluation_dataset(read_manifest(records / "train"), image_size=32, batch_size=16)
    embeddings = np.concatenate([model(images, training=False)["embedding"].numpy() for images, _ in batches])
    return (embeddings @ embeddings.T)[np.triu_indices(len(embeddings), 1)]


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["embedding", "similarity"])
def test_a_student_comes_nearer_to_its_teacher(train_only, model_config, config, teacher, tmp_path, kind):
    """By the correlation of their cosines; the teacher's 12 dimensions are projected to the student's 8. BatchNorm stays as
    it is: its running statistics would follow within hundreds of steps only."""
    network = ResNet18(include_top=False, weights=None, input_shape=(None, None, 3), alpha=model_config.alpha)
    network.save_weights(tmp_path / "resnet18.weights.h5")
    config = dataclasses.replace(config, epochs=8, learning_rate=2e-3, freeze_batchnorm=True)
    objective = ObjectiveConfig(distillation=kind, distillation_weight=1.0)
    run_training(model_config, config, train_only, tmp_path, str(tmp_path / "resnet18.weights.h5"), "pca",
                 objective=objective, sampling=SamplingConfig(augmentation="none"), teacher=teacher)
    embeddings = TeacherEmbeddings(None, read_manifest(train_only / "train"), 8, tmp_path).first_rows(48)
    wanted = (embeddings @ embeddings.T)[np.triu_indices(48, 1)]
    start, end = (np.corrcoef(similarities(tmp_path, train_only, name), wanted)[0, 1] for name in ("initial", "latest"))
    losses = [line["loss"] for line in read_history(tmp_path / "history.jsonl")]
    assert end > start + 0.1
    assert end > 0.75
    assert np.mean(losses[-6:]) < 0.2 * np.mean(losses[:6])
    assert read_json(tmp_path / "model.json")["teacher"]["name"] == "tiny"


@pytest.mark.slow
def test_killed_in_the_middle_of_an_epoch_a_student_goes_on_without_its_teacher(train_only, model_config, config, teacher,
                                                                                tmp_path, monkeypatch):
    config, step = dataclasses.replace(config, checkpoint_steps=1), TrainStep.__call__
    exported = tmp_path / "export"
    shutil.copytree(teacher, exported / "1")
    recipe = {"objective": DISTILLED, "initial_embedding": "pca", "teacher": str(exported)}
    run_training(model_config, config, train_only, tmp_path / "whole", **recipe)

    def killed_in_the_fourth(self, *batch):
        if self.run_step == 3:
            raise KeyboardInterrupt
        return step(self, *batch)
    monkeypatch.setattr(TrainStep, "__call__", killed_in_the_fourth)
    with pytest.raises(KeyboardInterrupt):
        run_training(model_config, config, train_only, tmp_path / "killed", **recipe)
    monkeypatch.undo()
    shutil.rmtree(exported)
    run_training(model_config, config, train_only, tmp_path / "killed", **recipe)
    whole, killed = (read_history(tmp_path / name / "history.jsonl") for name in ("whole", "killed"))
    np.testing.assert_allclose([line["loss"] for line in killed], [line["loss"] for line in whole], rtol=1e-3)
    for left, right in zip(weights(tmp_path / "whole"), weights(tmp_path / "killed"), strict=True):
        np.testing.assert_allclose(left, right, atol=2e-4)


@pytest.mark.parametrize(("objective", "settings", "given", "said"), [
    (ObjectiveConfig(), {}, True, "--distillation=embedding, similarity or both with --teacher; received none"),
    (DISTILLED, {}, False, "--teacher, an exported model from which --distillation learns; received none"),
    (DISTILLED, {"accumulate": 4}, True, "three images or more in a batch for --distillation=both; received 2"),
    (DISTILLED, {"cached_views": 2, "head_epochs": 1}, True, "--cached_views=0 for --distillation=both; received 2")])
def test_teachers_that_do_not_fit(train_only, model_config, config, teacher, tmp_path, objective, settings, given, said):
    with pytest.raises(UserError, match=said):
        run_training(model_config, dataclasses.replace(config, **settings), train_only, tmp_path, objective=objective,
                     teacher=teacher if given else None)
    assert not (tmp_path / "model.json").exists()


def test_a_student_of_lowered_dimension_has_targets_of_it_and_none_in_the_trial_of_its_precision(
        train_only, model_config, config, teacher, tmp_path, tried):
    """The 48 images span 47 of the 512 dimensions."""
    model_config = dataclasses.replace(model_config, embedding_dim=512)
    config = dataclasses.replace(config, epochs=1, precision="auto")
    run = functools.partial(run_training, model_config, config, train_only, tmp_path, initial_embedding="pca",
                            objective=DISTILLED)
    run(teacher=teacher)
    assert len(tried) == 1
    assert np.load(tmp_path / "teacher" / "embeddings.npy").shape == (48, 47)
    assert len(read_history(tmp_path / "history.jsonl")) == 6
    run()
    assert len(tried) == 1


@pytest.fixture(scope="module")
def make_setup(records, model_config, config, tmp_path_factory):
    """Makes the setup of a run; the same settings give the same object."""
    @functools.cache
    def make(objective=ObjectiveConfig(), sampling=SamplingConfig(), model=(), **settings):  # noqa: B008 (frozen)
        return TrainingSetup(dataclasses.replace(model_config, **dict(model)), dataclasses.replace(config, **settings),
                             objective, sampling, read_manifest(records / "train"), None, tmp_path_factory.mktemp("setup"))
    return make


CONTRASTIVE, SMOOTHED = ObjectiveConfig("contrastive"), ObjectiveConfig(label_smoothing=0.1)


def test_a_head_only_where_it_is_needed(make_setup):
    assert make_setup().head.num_classes == 4
    without = make_setup(CONTRASTIVE, PAIRS)
    assert without.head is None
    assert without.model_config.head == "none"
    assert "logits" not in without.model.output_shape
    both = make_setup(ObjectiveConfig("contrastive", classification_weight=0.5), PAIRS)
    assert isinstance(both.objective, EmbeddingPairs)
    assert both.head.num_classes == 4


def test_first_batch_is_full(make_setup):
    images, labels = make_setup(SMOOTHED, batch_size=40).first_batch()
    assert (images.shape, labels.shape) == ((40, 32, 32, 3), (40,))


def test_micro_batches_hold_whole_groups(make_setup):
    with pytest.raises(UserError, match="a --batch_size of 4 n for --sampler=classes_by_images, n >= 2; received 4"):
        make_setup(CONTRASTIVE, PAIRS, accumulate=2)


def test_a_batch_that_the_devices_do_not_divide(make_setup, monkeypatch):
    monkeypatch.setattr(WorkerInfo, "current", lambda: WorkerInfo(num_replicas=3))
    with pytest.raises(UserError, match="a --batch_size that 3 devices and --accumulate=2 divide; received 16"):
        make_setup(batch_size=16, accumulate=2)


def test_pairs_of_a_whole_batch_on_several_devices(make_setup, monkeypatch):
    monkeypatch.setattr(WorkerInfo, "current", lambda: WorkerInfo(num_replicas=2))
    with pytest.raises(UserError, match="--accumulate=1 for --objective=contrastive on 2 devices; received 2"):
        make_setup(CONTRASTIVE, PAIRS, batch_size=16, accumulate=2)
    with pytest.raises(UserError, match="--accumulate=1 for --distillation=both on 2 devices; received 2"):
        make_setup(DISTILLED, batch_size=16, accumulate=2)


def test_pca_without_a_head(make_setup):
    setup = make_setup(CONTRASTIVE, PAIRS)
    before = setup.model.get_layer("embedding").get_weights()
    setup.initialize("pca", None)
    assert not np.array_equal(before[0], setup.model.get_layer("embedding").get_weights()[0])


def test_more_dimensions_than_images(make_setup):
    with pytest.raises(UserError, match=r"--embedding_dim <= 48 .*; received 100"):
        make_setup(model=(("embedding_dim", 100),)).initialize("pca", None)


def test_attention_branch_network_learns_from_both_losses(make_setup):
    setup = make_setup(model=(("model", "resnet18_abn"), ("embedding_dim", 0), ("head", "softmax")))
    variables = [variable for name in ("attention_branch", "softmax")
                 for variable in setup.model.get_layer(name).trainable_variables]
    with tf.GradientTape() as tape:
        losses, _ = setup.objective(*setup.first_batch(), training=True)
        loss = tf.reduce_mean(losses)
    assert loss > 1.5 * np.log(4), "the sum of two cross-entropies"
    assert all(gradient is not None for gradient in tape.gradient(loss, variables))


@pytest.mark.slow
def test_blocks_inside_a_frozen_backbone_learn(make_setup):
    """Inserted blocks have the head's learning rate, and freezing the backbone's BatchNorm leaves theirs alone."""
    setup = make_setup(model=(("model", "resnet18_bam"), ("placement", "stages")), backbone_multiplier=0.0,
                       freeze_batchnorm=True)
    layers, (images, labels) = setup.model.get_layer("resnet18").layers, setup.first_batch()
    initial = [layer.get_weights() for layer in layers]
    optimizer = GroupedOptimizer(setup.groups, TrainingConfig(learning_rate=1e-2), 10, tf.Variable(0))
    active = optimizer.active(0)
    for _ in range(2):
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(setup.objective(images, labels, training=True)[0])
        optimizer.apply(tape.gradient(loss, optimizer.trained(active)), active)
    blocks = 0
    for layer, before in zip(layers, initial, strict=True):
        moved = [not np.array_equal(left, right) for left, right in zip(before, layer.get_weights(), strict=True)]
        if isinstance(layer, Attention):
            blocks += 1
            assert sum(moved) > len(moved) / 2
            assert any(flag for flag, weight in zip(moved, layer.weights, strict=True) if "moving_mean" in weight.name)
        else:
            assert not any(moved)
    assert blocks


def test_who_starts_at_chance(make_setup):
    assert make_setup().starts_at_chance("random", None)
    assert not make_setup().starts_at_chance("pca", None)
    assert not make_setup().starts_at_chance("random", "another")
    assert not make_setup(SMOOTHED, batch_size=40).starts_at_chance("random", None)


@pytest.mark.parametrize(("embedding", "run", "said"), [
    ("lda", None, "--initial_embedding among random, pca, whitening, clusters; received 'lda'"),
    ("pca", "another", "--initial_embedding=random with --initial_run")])
def test_refused_starts(embedding, run, said):
    with pytest.raises(UserError, match=said):
        check_start(embedding, run)


def test_a_network_that_is_not_trained(records, config, tmp_path):
    with pytest.raises(UserError, match="a model that is trained; received xfeat, which has its authors' weights"):
        run_training(ModelConfig("xfeat", head="none"), config, records, tmp_path)


@pytest.mark.slow
def test_weights_of_a_published_name_bring_their_backbone(train_only, config, tmp_path, monkeypatch):
    """model.json names it, so that the run can be built again."""
    network = ResNet50V15(alpha=1 / 16)
    file = written(tmp_path / "narrow.pth", random_tensors(network, resnet_names(network, ())))
    row = Checkpoint("project/narrow", "torchvision", "resnet50v15", file.name, "https://example.org")
    monkeypatch.setenv("LANDMARK_ZOO_WEIGHTS", str(tmp_path))
    for module in ("registry", "published.build"):
        monkeypatch.setattr(f"landmark_zoo.models.{module}.CHECKPOINTS", {row.name: row})
    asked = ModelConfig("resnet50_gem", embedding_dim=8, alpha=1 / 16)
    run_training(asked, dataclasses.replace(config, epochs=0), train_only, tmp_path / "run", weights=row.name)
    file.rename(tmp_path / "away.pth")
    found, facts = read_model(tmp_path / "run")
    assert found == dataclasses.replace(asked, model="resnet50v15_gem")
    assert (facts["pretrained"], facts["pretrained_checkpoint"]) == ("narrow.pth", "project/narrow")
    np.testing.assert_array_equal(weights(tmp_path / "run")[0].transpose(3, 2, 0, 1), read_state_dict(
        tmp_path / "away.pth")["conv1.weight"])


@pytest.mark.slow
def test_a_published_network_goes_on_learning(train_only, config, tmp_path):
    file = written(tmp_path / "narrow.pth", tensors_of("cosplace/resnet18-64"))
    model = ModelConfig("cosplace/resnet18-64", embedding_dim=8, alpha=1 / 16)
    run_training(model, dataclasses.replace(config, epochs=1), train_only, tmp_path / "run", weights=str(file))
    assert read_model(tmp_path / "run")[0] == model
    start, end = model.build(4), model.build(4)
    assert load_weights(start, tmp_path / "run", "initial") == 0 < load_weights(end, tmp_path / "run")
    projection = read_state_dict(file)["aggregation.3.weight"].T
    np.testing.assert_array_equal(start.get_layer("projection").kernel, projection)
    assert not np.array_equal(end.get_layer("projection").kernel, projection)
