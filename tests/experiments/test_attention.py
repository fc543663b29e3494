"""The attention script."""

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from landmark_zoo.core.files import read_json
from landmark_zoo.data.manifest import LabelMap
from landmark_zoo.models.registry import ModelConfig
from landmark_zoo.report.attention import attention_overlays
from landmark_zoo.saved_model import SavedModel
from landmark_zoo.serving.ensemble import Ensemble
from landmark_zoo.serving.export import export_saved_model, write_saved_model
from landmark_zoo.training.checkpoints import Checkpoints
from landmark_zoo.training.history import create_or_check_run
from tests.run_script import run_script


def test_channels_have_no_place(tmp_path):
    path = tmp_path / "a.jpg"
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (80, 120, 3)).astype(np.uint8)).save(path)
    done = run_script("experiments.attention", model="mobilenet_channel", alpha=0.25, image=path, side=96,
                      output=tmp_path / "out")
    assert done.code == 0, done.stderr
    maps = {entry["name"]: entry for entry in read_json(tmp_path / "out" / "overlays.json")[0]["maps"]}
    assert set(maps) == {"attention/channel", "feature_norm"}
    assert np.load(tmp_path / "out" / maps["attention/channel"]["file"]).shape == (256,)
    assert attention_overlays(tmp_path / "out").count("<figure") == 3


@pytest.fixture(scope="module")
def run_and_export(tmp_path_factory):
    """Folder of a run of three landmarks, and the SavedModel of its checkpoint, side 96."""
    folder = tmp_path_factory.mktemp("run")
    config = ModelConfig("resnet18_cbam", embedding_dim=8, alpha=0.125)
    model = config.build(3)
    random = np.random.default_rng(0)
    model.get_layer("cbam").set_weights([random.uniform(0.05, 0.5, each.shape) for each in model.get_layer("cbam").weights])
    create_or_check_run(folder / "run", config, LabelMap(["a", "b", "c"]), {"source": "test", "photographs": 9})
    checkpoints = Checkpoints(folder / "run", model, step=tf.Variable(5, dtype=tf.int64))
    checkpoints.save_initial()
    checkpoints.save(5)
    return folder / "run", export_saved_model(model, folder / "model", side=96, info={})


@pytest.fixture
def photo(tmp_path):
    path = tmp_path / "a.jpg"
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (80, 120, 3)).astype(np.uint8)).save(path)
    return path


def test_a_saved_model_and_its_run_show_the_same(run_and_export, photo, tmp_path):
    run, export = run_and_export
    for name, values in {"run": {"workdir": run, "side": 96}, "export": {"savedmodel": export}}.items():
        done = run_script("experiments.attention", image=photo, output=tmp_path / name, **values)
        assert done.code == 0, done.stderr
    listed = [read_json(tmp_path / name / "overlays.json")[0]["maps"] for name in ("run", "export")]
    assert [entry["name"] for entry in listed[1]] == [
        "attention/channel", "attention/spatial", "class_activation", "feature_norm"]
    for one, other in zip(*listed, strict=True):
        assert other == {key: one[key] for key in ("name", "file", "kind")}
        maps = [np.load(tmp_path / name / one["file"]) for name in ("run", "export")]
        np.testing.assert_allclose(maps[1], maps[0], atol=1e-5, rtol=1e-5)
        pictures = [np.asarray(Image.open((tmp_path / name / one["file"]).with_suffix(".jpg"))).astype(int)
                    for name in ("run", "export")]
        if "features" not in one:  # feature maps of channels are not in a SavedModel
            assert np.abs(pictures[1] - pictures[0]).max() <= 8
        if one["name"] != "attention/channel":
            assert maps[0].shape == (2, 3)
            assert pictures[0].shape[1] == 96
            assert pictures[0].shape[0] > 64, "the range below it"
    assert [entry["title"] for entry in read_json(tmp_path / "export" / "overlays.json")] == ["a"]
    assert attention_overlays(tmp_path / "export").count("<figure") == 5


@pytest.mark.slow
def test_an_ensemble_shows_what_all_members_look_at(run_and_export, photo, tmp_path):
    config = ModelConfig("resnet18_gem", embedding_dim=8, alpha=0.125)
    other = export_saved_model(config.build(), tmp_path / "other", side=64, info={})
    path = write_saved_model(Ensemble([SavedModel(run_and_export[1]), SavedModel(other)]), tmp_path / "both", {})
    done = run_script("experiments.attention", image=photo, output=tmp_path / "out", savedmodel=path)
    assert done.code == 0, done.stderr
    maps = {entry["name"]: np.load(tmp_path / "out" / entry["file"])
            for entry in read_json(tmp_path / "out" / "overlays.json")[0]["maps"]}
    assert set(maps) == {f"model/{name}" for name in ("attention/channel", "attention/spatial", "class_activation",
                                                      "feature_norm")} | {"other/feature_norm"}
    assert maps["model/attention/spatial"].shape == (2, 3)


@pytest.mark.parametrize(("values", "said"), [
    ({"workdir": "run"}, "--savedmodel, --workdir or --weights; received two of them"),
    ({"weights": "imagenet"}, "received two of them"), ({"savedmodel": "absent"}, "a SavedModel at absent"),
    ({}, "a SavedModel with the signature attention at"), ({"side": 96}, "--side=64, the SavedModel's own; received 96")])
def test_mistakes_with_a_saved_model_are_one_line(tiny_path, photo, tmp_path, values, said):
    done = run_script("experiments.attention", image=photo, output=tmp_path / "out", **{"savedmodel": tiny_path, **values})
    assert done.code == 2
    assert said in done.stderr
    assert not (tmp_path / "out").exists()


def test_no_image(tiny_path, tmp_path):
    (tmp_path / "a.jpg").write_bytes(b"")
    done = run_script("experiments.attention", savedmodel=tiny_path, image=tmp_path / "a.jpg", output=tmp_path / "out")
    assert done.code == 2
    assert "a.jpg" in done.stderr
