"""`python -m export.savedmodel`, as a user starts it."""

import dataclasses
import json
import shutil
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from landmark_zoo.backbones.registry import BACKBONES
from landmark_zoo.core.files import write_json
from landmark_zoo.data.datasets.image_refs import ImageRef
from landmark_zoo.data.manifest import LabelMap
from landmark_zoo.data.protocol import PUBLISHED
from landmark_zoo.models.registry import ModelConfig, create_model
from landmark_zoo.retrieval.whitening import fit_on_images
from landmark_zoo.saved_model import SavedModel
from landmark_zoo.training.checkpoints import Checkpoints, load_weights
from landmark_zoo.training.history import create_or_check_run


@pytest.fixture(scope="module")
def workdir(tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    config = ModelConfig("resnet18_se", embedding_dim=8, alpha=0.25)
    create_or_check_run(folder, config, LabelMap(["a", "b", "c"]), {"source": "test", "photographs": 9})
    checkpoints = Checkpoints(folder, config.build(3), step=tf.Variable(5, dtype=tf.int64))
    checkpoints.save_initial()
    checkpoints.save(5)
    return folder


def script(root, name, *arguments):
    return subprocess.run([sys.executable, "-m", f"export.{name}", *map(str, arguments)], cwd=root, capture_output=True,
                          text=True, check=False)


@pytest.mark.slow
def test_export_and_check(root, workdir, tmp_path):
    done = script(root, "savedmodel", f"--workdir={workdir}", f"--output={tmp_path / 'small'}", "--side=64")
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == str(tmp_path / "small" / "1")
    (tmp_path / "a.png").write_bytes(tf.io.encode_png(tf.zeros([40, 40, 3], tf.uint8)).numpy())
    checked = script(root, "check", f"--savedmodel={tmp_path / 'small' / '1'}", f"--images={tmp_path / 'a.png'}")
    assert checked.returncode == 0, checked.stderr
    assert "1 images embedded without this project's code" in checked.stdout
    loaded = tf.saved_model.load(str(tmp_path / "small" / "1"))
    assert b"test: 9 photographs of 3 landmarks, step 5" in loaded.signatures["info"]()["training_data"].numpy()
    card = json.loads((tmp_path / "small" / "1" / "card.json").read_text())
    assert (card["data"]["photographs"], card["recipe"]["model"]) == (9, "resnet18_se")


@pytest.mark.slow
def test_a_card_of_an_untrained_export_says_so(run_export, workdir, tmp_path):
    for checkpoint in ("initial", "latest"):
        done = run_export("savedmodel", workdir=workdir, side=64, output=tmp_path / checkpoint, checkpoint=checkpoint,
                          fold="false")
        assert done.code == 0, done.stderr
    cards = [json.loads((tmp_path / name / "1" / "card.json").read_text()) for name in ("initial", "latest")]
    assert cards[0]["recipe"]["training"] == "untrained: no training step was made"
    assert cards[0]["info"]["training_data"] == "untrained: the initial weights of a run on test"
    assert cards[0]["data"] == {"training": "none", "initialized_for": "a run on test"}
    assert cards[0]["recipe"]["model"] == "resnet18_se"
    assert not {"head", "margin", "scale", "epochs"} & cards[0]["recipe"].keys()
    assert "untrained: no training step was made" in (tmp_path / "initial" / "1" / "README.md").read_text()
    assert "training" not in cards[1]["recipe"]
    assert (cards[1]["recipe"]["margin"], cards[1]["data"]["step"]) == (0.3, 5)


def entry(step, value):
    return {"step": step, "epoch": step // 2, "retrieval_map": value, "retrieval_mp5": value, "retrieval_recall1": 1.0,
            "average_precision": [value]}


@pytest.mark.slow
@pytest.mark.parametrize(("kept", "factor", "said"), [
    (2, 1.0, "step 2: the best, after epoch 1; at the start mAP was 50.0 %, the gain is +20.0 [+10.0, +30.0]"),
    (2, 0.5, ("step 2, weights 0.5 of the way from the start: the best, after epoch 1; at the start mAP was 50.0 %, the "
              "gain is +20.0 [+10.0, +30.0]")),
    (0, 0.0, "step 0: the start; training did not help")])
def test_the_best_checkpoint_is_exported_where_the_run_keeps_one(run_export, workdir, tmp_path, kept, factor, said):
    folder = shutil.copytree(workdir, tmp_path / "run")
    model = ModelConfig("resnet18_se", embedding_dim=8, alpha=0.25).build(3)
    Checkpoints(folder, model, step=tf.Variable(5, dtype=tf.int64)).save_best(2)
    write_json(folder / "best" / "selection.json", {
        "keep": "best", "photographs": 40, "landmarks": 2, "labels": [0], "measured_step": 5, "epochs_without_gain": 1,
        "best_map": 0.7, "start": entry(0, 0.5), "kept": entry(kept, 0.7 if kept else 0.5) | {"factor": factor},
        "gain": {"value": 0.2, "low": 0.1, "high": 0.3}})
    done = run_export("savedmodel", workdir=folder, side=64, output=tmp_path / "best", fold="false")
    assert done.code == 0, done.stderr
    card = json.loads((tmp_path / "best" / "1" / "card.json").read_text())
    assert card["info"]["weights"] == "best"
    assert card["data"]["checkpoint"] == said
    assert card["data"]["chosen_by"].startswith("mAP 70.0 %, mP@5 70.0 %, recall@1 100.0 % on 40 photographs" if kept else
                                                "mAP 50.0 %")
    assert card["data"].get("step") == (2 if kept else None)
    assert ("training" in card["recipe"]) == (not kept)
    assert card["info"]["training_data"].endswith({
        1.0: "landmarks, step 2", 0.5: "step 2, weights 0.5 of the way from the start", 0.0: "of a run on test"}[factor])
    start = ModelConfig("resnet18_se", embedding_dim=8, alpha=0.25).build(3)
    load_weights(start, folder, "initial")
    model.set_weights([(1 - factor) * first + factor * last
                       for first, last in zip(start.get_weights(), model.get_weights(), strict=True)])
    images = tf.constant(np.random.default_rng(0).uniform(0, 255, [1, 64, 64, 3]).astype(np.float32))
    exported = tf.saved_model.load(str(tmp_path / "best" / "1"))
    np.testing.assert_allclose(exported.signatures["images"](images=images)["embedding"],
                               model(images, training=False)["embedding"], atol=1e-5)
    latest = run_export("savedmodel", workdir=folder, side=64, output=tmp_path / "latest", fold="false", checkpoint="latest")
    assert latest.code == 0, latest.stderr
    assert json.loads((tmp_path / "latest" / "1" / "card.json").read_text())["data"]["step"] == 5


@pytest.mark.slow
def test_the_latest_checkpoint_is_interpolated_where_the_recipe_gives_a_factor(run_export, workdir, tmp_path):
    """By default; named on the command line it is the one that was trained."""
    folder = shutil.copytree(workdir, tmp_path / "run")
    write_json(folder / "recipe.json", {"weight_interpolation": "0.25"})
    found = {}
    for name, arguments in (("kept", {}), ("latest", {"checkpoint": "latest"})):
        done = run_export("savedmodel", workdir=folder, side=64, output=tmp_path / name, fold="false", **arguments)
        assert done.code == 0, done.stderr
        found[name] = json.loads((tmp_path / name / "1" / "card.json").read_text())
    assert found["kept"]["data"]["checkpoint"] == "step 5, weights 0.25 of the way from the start"
    assert found["kept"]["info"]["weights"] == found["latest"]["info"]["weights"] == "latest"
    assert "checkpoint" not in found["latest"]["data"]


def test_a_best_checkpoint_that_the_run_does_not_keep(run_export, workdir, tmp_path):
    done = run_export("savedmodel", workdir=workdir, side=64, output=tmp_path / "best", checkpoint="best")
    assert done.code == 2
    assert "received a run that keeps none. Take the latest one." in done.stderr


_EMBED = """
import sys
import numpy as np, tensorflow as tf
model = tf.saved_model.load(sys.argv[1])
np.save(sys.argv[3], model.signatures["images"](images=tf.constant(np.load(sys.argv[2])))["embedding"].numpy())
assert not {"landmark_zoo", "torch", "safetensors"} & set(sys.modules)
"""


@pytest.mark.slow
@pytest.mark.parametrize("name", ["efficientnetlite0_gem"])
def test_real_weights_leave_as_they_are(run_export, tmp_path, name):
    """A package's weights give the same embedding in a process that sees neither torch nor this project."""
    published = BACKBONES[name.split("_")[0]].published
    try:
        metadata.distribution(published.package)
    except metadata.PackageNotFoundError:
        pytest.skip(f"no package {published.package} (extra `weights`)")
    done = run_export("savedmodel", model=name, embedding_dim=0, weights="imagenet", side=96, output=tmp_path / "lite")
    assert done.code == 0, done.stderr
    data = json.loads((tmp_path / "lite" / "1" / "card.json").read_text())["data"]
    assert data == {"training": "none", "weights": "imagenet", "pretrained": Path(published.file).name,
                    "pretrained_sha256": published.sha256, "pretrained_package": published.package,
                    "pretrained_license": "Apache-2.0"}
    images = np.random.default_rng(0).uniform(0, 255, [2, 64, 96, 3]).astype(np.float32)
    np.save(tmp_path / "images.npy", images)
    subprocess.run([sys.executable, "-I", "-c", _EMBED, str(tmp_path / "lite" / "1"), str(tmp_path / "images.npy"),
                    str(tmp_path / "found.npy")], check=True, cwd=tmp_path, capture_output=True)
    expected = create_model(name, embedding_dim=0, weights="imagenet")(images)["embedding"]
    np.testing.assert_allclose(np.load(tmp_path / "found.npy"), expected, atol=1e-5)


def facts_and_embedding(path, encoded):
    model = tf.saved_model.load(str(path))
    facts = {key: value.numpy() for key, value in model.signatures["info"]().items()}
    return facts, model.signatures["serving_default"](image_bytes=encoded)["embedding"].numpy()


@pytest.mark.slow
def test_folding_and_bfloat16_keep_weights_fingerprint_and_embedding(run_export, workdir, photos, tmp_path):
    encoded = tf.constant([path.read_bytes() for path in sorted(photos.rglob("*.jpg"))[:3]])
    options = {"plain": {"fold": "false"}, "folded": {"class_activation": "false"}, "short": {"precision": "bfloat16"}}
    found = {}
    for name, values in options.items():
        done = run_export("savedmodel", workdir=workdir, side=64, output=tmp_path / name, **values)
        assert done.code == 0, done.stderr
        found[name] = facts_and_embedding(tmp_path / name / "1", encoded)
    expected = found["plain"][1]
    np.testing.assert_allclose(found["folded"][1], expected, atol=1e-5)
    assert 0.99 < (found["short"][1] * expected).sum(1).min() < 1 - 1e-7
    assert len({facts["weights_sha256"] for facts, _ in found.values()}) == 1
    assert [found[name][0]["precision"] for name in options] == [b"float32", b"float32", b"bfloat16"]
    data = "1/variables/variables.data-00000-of-00001"
    sizes = {name: (tmp_path / name / data).stat().st_size for name in options}
    assert sizes["folded"] < sizes["plain"]
    assert sizes["short"] < 1000
    maps = {name: SavedModel(tmp_path / name).attention(np.full([1, 48, 64, 3], 99.0)) for name in options}
    assert list(maps["plain"]) == list(maps["short"]) == ["attention/se", "class_activation", "feature_norm"]
    assert list(maps["folded"]) == ["attention/se", "feature_norm"]
    assert maps["short"]["attention/se"].dtype == np.float32
    np.testing.assert_allclose(maps["folded"]["attention/se"], maps["plain"]["attention/se"], atol=1e-5)
    np.testing.assert_allclose(maps["short"]["attention/se"], maps["plain"]["attention/se"], atol=0.02)
    checked = run_export("check", savedmodel=tmp_path / "short" / "1")
    assert checked.code == 0, checked.stderr


@pytest.mark.slow
def test_scales_and_whitening_fitted_and_then_read(run_export, workdir, photos, tmp_path):
    flags = {"workdir": workdir, "side": 64, "scales": "0.7071,1"}
    done = run_export("savedmodel", output=tmp_path / "m", pca=4, pca_images=photos, **flags)
    assert done.code == 0, done.stderr
    plain = run_export("savedmodel", output=tmp_path / "plain", **flags)
    assert plain.code == 0, plain.stderr
    images = [ImageRef(path.stem, path) for path in sorted(photos.rglob("*.jpg"))]
    whitening = fit_on_images(tmp_path / "plain", images, 4, 0.25, tmp_path / "embeddings")
    whitening.save(tmp_path / "whitening")
    again = run_export("savedmodel", output=tmp_path / "m", whitening=tmp_path / "whitening", **flags)
    assert again.code == 0, again.stderr
    encoded = tf.constant([image.path.read_bytes() for image in images])
    models = [tf.saved_model.load(str(tmp_path / "m" / version)) for version in ("1", "2")]
    found = [model.signatures["serving_default"](image_bytes=encoded)["embedding"].numpy() for model in models]
    assert found[0].shape == (10, 4)
    np.testing.assert_allclose(found[0], found[1], atol=1e-4)
    assert models[0].signatures["info"]()["scales"].numpy().tolist() == [0.7071, 1.0]

    other = run_export("savedmodel", output=tmp_path / "other", whitening=tmp_path / "whitening", **{**flags, "scales": "1"})
    assert other.code == 2
    assert "a whitening learnt on embeddings with scales [1.0]; received [0.7071, 1.0]" in other.stderr
    assert not (tmp_path / "other").exists()


@pytest.mark.slow
def test_a_published_protocol_travels_in_the_export(run_export, workdir, tmp_path):
    """In constants and card, and in every signature where this project cannot be imported."""
    done = run_export("savedmodel", workdir=workdir, output=tmp_path / "m", protocol="cirtorch", side=64, scales="1,0.75")
    assert done.code == 0, done.stderr
    model = SavedModel(tmp_path / "m")
    scales = dataclasses.replace(PUBLISHED["cirtorch"].scales, factors=(1.0, 0.75))
    assert model.protocol == dataclasses.replace(PUBLISHED["cirtorch"], side=64, scales=scales)
    assert model.protocol.constants.items() <= model.card["info"].items()
    page = (tmp_path / "m" / "1" / "README.md").read_text()
    assert "resizes by itself (longer side to 64 pixels at most, LANCZOS" in page
    assert "| crop rule | image |" in page
    checked = run_export("check", savedmodel=tmp_path / "m" / "1")
    assert checked.code == 0, checked.stderr
    wrong = run_export("savedmodel", workdir=workdir, output=tmp_path / "m", protocol="cirtorch", whitening_l2="false")
    assert (wrong.code, "--whitening, learnt on vectors without L2" in wrong.stderr) == (2, True)


@pytest.mark.parametrize(("arguments", "said"), [
    ({}, "received neither"), ({"workdir": "absent"}, "a JSON file at absent/model.json"),
    ({"scales": "1,x"}, "numbers for --scales"), ({"scales": "0"}, "scales above 0, none twice"),
    ({"scales": "17"}, "scales up to 16"),
    ({"scale_power": 0}, "a power above 0"), ({"protocol": "delf"}, "one of cirtorch, "), ({"side": 16}, "received 16"),
])
def test_mistakes_are_one_line(run_export, tmp_path, arguments, said):
    done = run_export("savedmodel", output=tmp_path / "out", **arguments)
    assert done.code == 2
    assert said in done.stderr
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
def test_a_published_network_leaves_with_the_protocol_of_its_authors(run_export, tmp_path):
    from tests.models.published.test_build import tensors_of, written
    file = written(tmp_path / "narrow.pth", tensors_of("cosplace/resnet18-64"))
    settings = {"weights": file, "alpha": 1 / 16, "embedding_dim": 8}
    done = run_export("savedmodel", model="cosplace/resnet18-64", output=tmp_path / "m", **settings)
    assert done.code == 0, done.stderr
    model = SavedModel(tmp_path / "m")
    assert model.protocol == PUBLISHED["naver"]
    assert model.info["training_data"] == "not trained here: its authors' weights"
    assert model.card["data"]["pretrained_checkpoint"] == "cosplace/resnet18-64"
    assert "| model | code: MIT; weights: not stated" in (tmp_path / "m" / "1" / "README.md").read_text()
    image = np.random.default_rng(0).integers(0, 256, (1, 70, 90, 3)).astype(np.float32)
    network = create_model("cosplace/resnet18-64", **settings)
    np.testing.assert_allclose(model.embed_images(image), network(image)["embedding"], atol=1e-5)
    own = run_export("savedmodel", model="cosplace/resnet18-64", output=tmp_path / "own", protocol="cirtorch", **settings)
    assert own.code == 0, own.stderr
    assert SavedModel(tmp_path / "own").protocol == PUBLISHED["cirtorch"]
