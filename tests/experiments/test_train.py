"""Mistakes at the training script; whole runs are in tests/training/test_run.py."""

import numpy as np
import pytest
from PIL import Image

from landmark_zoo.core.files import read_json
from landmark_zoo.saved_model import SavedModel
from tests.run_script import run_script


@pytest.mark.parametrize(("change", "said"), [
    ({}, "finished records with a manifest.json"), ({"optimizer": "lion"}, "--optimizer among"),
    ({"initial_embedding": "none"}, "pca"), ({"epochs": -1}, "--epochs >= 0; received -1"),
    ({"objective": "delgg"}, "a known objective"), ({"sampler": "sorted"}, "--sampler among shuffled"),
    ({"initial_run": "runs/e2", "initial_embedding": "pca"}, "--initial_embedding=random with --initial_run")])
def test_one_line(tmp_path, change, said):
    done = run_script("experiments.train", records=tmp_path, workdir=tmp_path / "run", **change)
    assert done.code == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr


@pytest.fixture
def asked(monkeypatch):
    """What the script asks the library for; nothing is trained."""
    calls = []
    for module, name in (("run", "run_training"), ("dry_runs", "overfit_run")):
        monkeypatch.setattr(f"landmark_zoo.training.{module}.{name}",
                            lambda *words, name=name, **settings: calls.append((name, words, settings)))
    return calls


def test_smoke(tmp_path, asked):
    """The smallest run, and the flags that are stored say so."""
    recipe = {"model": "resnet18_gem", "objective": "contrastive", "sampler": "classes_by_images", "epochs": 20,
              "batch_size": 64}
    done = run_script("experiments.train", records=tmp_path, workdir=tmp_path / "run", smoke=True, **recipe)
    assert done.code == 0
    (name, (model, config, *_), settings), = asked
    assert (name, model.alpha, model.embedding_dim) == ("run_training", 0.25, 64)
    assert (config.epochs, config.image_size, config.batch_size) == (1, 96, 8)
    assert settings["objective"].objective == "contrastive"
    assert settings["sampling"].steps_per_epoch == 4
    assert settings["dry_run"]


def test_teacher(tmp_path, asked):
    """A run has it, its smallest run and one batch alone have none."""
    flags = {"teacher": "export/ensemble", "distillation": "similarity", "distillation_weight": 0.25}
    assert run_script("experiments.train", records=tmp_path, workdir=tmp_path / "run", **flags).code == 0
    assert run_script("experiments.train", records=tmp_path, workdir=tmp_path / "run", smoke=True, **flags).code == 0
    (_, _, whole), (_, _, smoke) = asked
    assert (whole["teacher"], smoke["teacher"]) == ("export/ensemble", None)
    assert (whole["objective"].distillation, whole["objective"].distillation_weight) == ("similarity", 0.25)
    assert smoke["objective"].distillation == "none"


def test_overfit_one_batch(tmp_path, asked):
    done = run_script("experiments.train", records=tmp_path, workdir=tmp_path / "run", overfit_one_batch=True,
                      initial_run="runs/e2")
    assert done.code == 0
    (name, words, settings), = asked
    assert name == "overfit_run"
    assert words[2] == str(tmp_path)
    assert settings["initial_run"] == "runs/e2"


@pytest.mark.parametrize(("given", "asked_for"), [("", None), ("imagenet", "imagenet")])
def test_empty_weights_are_random_ones(tmp_path, asked, given, asked_for):
    flags = {"weights": given, "head": "softmax"}  # for which nothing follows from the records
    assert run_script("experiments.train", records=tmp_path, workdir=tmp_path / "run", **flags).code == 0
    (_, words, settings), = asked
    assert (words[4], settings["dry_run"]) == (asked_for, False)


def noise(folder, landmarks, per_landmark):
    """Writes photographs of noise, one folder per landmark."""
    random = np.random.default_rng(0)
    for landmark in range(landmarks):
        (folder / f"place{landmark}").mkdir(parents=True)
        for number in range(per_landmark):
            pixels = random.integers(0, 256, (40, 48, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(folder / f"place{landmark}" / f"{landmark}_{number}.jpg")


@pytest.mark.parametrize(("given", "settings", "embedding"), [
    ({"weights": "imagenet"}, (8, 60, 1e-3, 0.1, "auto"), "pca"),
    ({"weights": "imagenet", "learning_rate": 5e-4, "epochs": 4, "initial_embedding": "random"}, (8, 4, 5e-4, 0.1, "auto"),
     "random"),
    ({"weights": "imagenet", "objective": "contrastive", "sampler": "classes_by_images"}, (32, 3, 2e-5, 1.0, "1"), "pca"),
    ({"weights": "imagenet", "embedding_dim": 0, "head": "softmax"}, (32, 3, 2e-5, 1.0, "1"), "random"),
    ({"initial_run": "runs/e2", "weights": "imagenet"}, (32, 3, 2e-5, 1.0, "1"), "random"),
    ({"freeze_batchnorm": False}, (32, 3, 2e-5, 1.0, "1"), "random")])
def test_what_is_not_given_follows_from_the_number_of_images(tmp_path, asked, given, settings, embedding):
    noise(tmp_path / "photos", landmarks=2, per_landmark=4)
    done = run_script("experiments.prepare", photos=tmp_path / "photos", output=tmp_path / "records", validation_fraction=0)
    assert done.code == 0, done.stderr
    manifest = tmp_path / "records" / "train" / "manifest.json"
    assert read_json(manifest)["num_examples"] == 8
    done = run_script("experiments.train", records=tmp_path / "records", workdir=tmp_path / "run", **given)
    assert done.code == 0, done.stderr
    (_, (_, config, *_, initial), _), = asked
    found = (config.batch_size, config.epochs, config.learning_rate, config.backbone_multiplier, config.weight_interpolation)
    assert (found, initial) == (settings, embedding)


@pytest.mark.slow
@pytest.mark.parametrize(("landmarks", "per_landmark", "dimension", "trains"), [
    (2, 4, 7, False), (3, 3, 8, False), (5, 4, 19, False), (10, 10, 64, True)])
def test_from_few_photographs_to_an_export(tmp_path, caplog, landmarks, per_landmark, dimension, trains):
    """8, 9, 20 and 100 photographs, of which 20 are kept out, with the default dimension; the network has 64 channels."""
    noise(tmp_path / "photos", landmarks, per_landmark)
    done = run_script("experiments.prepare", photos=tmp_path / "photos", output=tmp_path / "records", validation_fraction=0)
    assert done.code == 0, done.stderr
    done = run_script("experiments.train", records=tmp_path / "records", workdir=tmp_path / "run", model="resnet18_gem",
                      alpha=0.125, initial_embedding="pca", freeze_batchnorm=False, image_size=32, epochs=1)
    assert done.code == 0, done.stderr
    assert ("Not trained; the export is the start: too few landmarks" in caplog.text) == (not trains)
    done = run_script("export.savedmodel", workdir=tmp_path / "run", output=tmp_path / "model", side=64)
    assert done.code == 0, done.stderr
    card = (tmp_path / "model" / "1" / "README.md").read_text()
    assert ("too few landmarks" in card) == (not trains)
    model = SavedModel(tmp_path / "model")
    images = [path.read_bytes() for path in sorted((tmp_path / "photos").rglob("*.jpg"))]
    embeddings = model.embed_bytes(images)
    assert embeddings.shape == (landmarks * per_landmark, dimension)
    np.testing.assert_allclose(np.linalg.norm(embeddings, axis=1), 1, atol=1e-4)
