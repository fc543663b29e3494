"""Published networks without torch: files written by hand, what is wrong in them, weights by published names."""

import logging

import numpy as np
import pytest
import tensorflow as tf

from landmark_zoo.backbones.registry import BACKBONES
from landmark_zoo.backbones.resnet_v15 import ResNet50V15
from landmark_zoo.backbones.weight_files.assign import weights_by_path
from landmark_zoo.core.errors import UserError
from landmark_zoo.core.files import sha256
from landmark_zoo.models.published.build import (
    backbone_for,
    create_published,
    describe_published,
    fitted_whitening,
    published_file,
    with_floors,
)
from landmark_zoo.models.published.checkpoints import CHECKPOINTS, Checkpoint
from landmark_zoo.models.published.name_maps import names_in
from landmark_zoo.models.registry import ModelConfig, create_model, describe_model_weights, model_for
from tests.backbones.weight_files.torch_writer import FORMS, Call, Name, tensor

HOW, COSPLACE = "how/r18", "cosplace/resnet18-64"
NARROW = {"alpha": 1 / 16, "embedding_dim": 8}
IMAGES = np.random.default_rng(0).integers(0, 256, (2, 65, 97, 3)).astype(np.uint8)
PARTS = {"kernel": "weight", "gamma": "weight", "beta": "bias", "moving_mean": "running_mean",
         "moving_variance": "running_var"}
STEM = "backbone.0.weight"


def tensors_of(name):
    """Random tensors for a network, by the names of its project."""
    row, random, found = CHECKPOINTS[name], np.random.default_rng(0), {}
    model = create_published(name, **NARROW)
    names = names_in(row.project, model, BACKBONES[row.backbone], [STEM])
    for path, weights in weights_by_path(model):
        for weight in weights:
            own = weight.name.split("/")[-1].split(":")[0]
            shape = tuple(weight.shape) or (1,)
            shape = (*shape[:1:-1], *shape[:2]) if len(shape) == 4 else shape[::-1]
            spread = np.prod(shape[1:]) ** -0.5
            values = random.normal(0, spread, shape) if len(shape) > 1 else random.uniform(0.5, 1, shape)
            if names[path] is not None:
                found[f"{names[path]}.{PARTS.get(own, own)}"] = values.astype(np.float32)
    return found


def written(path, tensors, **beside):
    numbered = {name: tensor(values, str(number)) for number, (name, values) in enumerate(tensors.items())}
    path.write_bytes(FORMS["legacy"]({"state_dict": numbered, **beside} if beside else numbered))
    return path


@pytest.fixture(scope="module")
def cosplace(tmp_path_factory):
    """Tensors, and a file of them."""
    tensors = tensors_of(COSPLACE)
    return tensors, written(tmp_path_factory.mktemp("cosplace") / "narrow.pth", tensors)


def test_every_tensor_is_in_its_place(cosplace, caplog):
    tensors, file = cosplace
    with caplog.at_level(logging.INFO, logger="absl"):
        model = create_published(COSPLACE, file, **NARROW)
    assert f"narrow.pth for {COSPLACE}: {len(tensors)} tensors used; left out: none." in caplog.text
    assert model.get_layer("gem").power.numpy() == tensors["aggregation.1.p"]
    np.testing.assert_array_equal(model.get_layer("projection").kernel, tensors["aggregation.3.weight"].T)
    assert model.get_layer("gem").trainable_weights


def test_by_hand(cosplace):
    tensors, file = cosplace
    outputs = create_published(COSPLACE, file, **NARROW)(IMAGES)
    features = outputs["feature_map"] / np.linalg.norm(outputs["feature_map"], axis=-1, keepdims=True)
    p = tensors["aggregation.1.p"]
    pooled = np.mean(np.maximum(features, 1e-6) ** p, axis=(1, 2)) ** (1 / p)
    vectors = pooled @ tensors["aggregation.3.weight"].T + tensors["aggregation.3.bias"]
    np.testing.assert_allclose(outputs["embedding"], vectors / np.linalg.norm(vectors, axis=1, keepdims=True), atol=1e-5)


@pytest.mark.parametrize(("change", "said"), [
    ({"aggregation.3.weight": np.zeros((9, 32), np.float32)}, r"aggregation\.3\.weight float32 \[9, 32\]"),
    ({"backbone.4.0.conv1.weight": None}, r"none named backbone\.4\.0\.conv1\.weight"),
    ({"classifier.weight": np.zeros(3, np.float32)}, r"1 tensors that it has no layer for, classifier\.weight"),
    ({"aggregation.1.p": np.full(1, np.nan, np.float32)}, "aggregation.1.p, which is not finite")])
def test_a_wrong_tensor_is_named(cosplace, tmp_path, change, said):
    tensors = {name: values for name, values in {**cosplace[0], **change}.items() if values is not None}
    with pytest.raises(UserError, match=said):
        create_published(COSPLACE, written(tmp_path / "a.pth", tensors), **NARROW)


def test_a_head_starts_anew_and_learns(cosplace, caplog):
    with caplog.at_level(logging.INFO, logger="absl"):
        model = create_published(COSPLACE, cosplace[1], num_classes=3, **NARROW)
    assert "as they were: arcface" in caplog.text
    with tf.GradientTape() as tape:
        logits = model(IMAGES, training=True)["logits"]
        loss = tf.reduce_sum(tf.nn.sparse_softmax_cross_entropy_with_logits([0, 2], logits))
    assert all(gradient is not None for gradient in tape.gradient(loss, model.trainable_weights))


SFM, NAVER = "cirtorch/retrievalsfm120k-resnet101-gem", "naver/resnet50-ap-gem"


def test_whitening_of_cirtorch(tmp_path):
    random = np.random.default_rng(0)
    fitted = {scales: {"m": random.normal(size=(8, 1)), "P": random.normal(size=(8, 8))} for scales in ("ss", "ms")}
    file = written(tmp_path / "a.pth", {"pool.p": np.ones(1, np.float32)}, meta={"Lw": {"retrieval-SfM-120k": {
        scales: dict(each) for scales, each in fitted.items()}}})
    for scales, each in fitted.items():
        mean, projection = fitted_whitening(CHECKPOINTS[SFM], file, scales)
        x = random.normal(size=8)
        np.testing.assert_allclose((x - mean) @ projection, (each["P"] @ (x[:, None] - each["m"]))[:, 0])
    with pytest.raises(UserError, match="a whitening under meta / Lw / retrieval-SfM-120k / ss in"):
        fitted_whitening(CHECKPOINTS[SFM], written(tmp_path / "b.pth", {}, meta={}))


def test_pca_of_naver_without_scikit_learn(tmp_path):
    random = np.random.default_rng(0)
    state = {"mean_": random.normal(size=4), "components_": random.normal(size=(3, 4)),
             "explained_variance_": random.uniform(1, 2, 3), "whiten": True}
    kind = Name("sklearn.decomposition.pca", "PCA")
    pca = Call(Name("copy_reg", "_reconstructor"), (kind, Name("builtins", "object"), None), state)
    file = written(tmp_path / "a.pt", {"conv1.weight": np.ones(1, np.float32)}, pca={"Landmarks_clean": pca})
    mean, projection = fitted_whitening(CHECKPOINTS[NAVER], file)
    x = random.normal(size=4)
    expected = state["components_"] @ (x - state["mean_"]) / state["explained_variance_"] ** 0.25
    np.testing.assert_allclose((x - mean) @ projection, expected)
    wrong = written(tmp_path / "b.pt", {"conv1.weight": np.ones(1, np.float32)}, pca={"Landmarks_clean": {"mean_": 3}})
    with pytest.raises(UserError, match=r"finite numbers under mean_ in .*received int"):
        fitted_whitening(CHECKPOINTS[NAVER], wrong)


def test_networks_without_a_fitted_whitening():
    assert fitted_whitening(CHECKPOINTS[COSPLACE], "absent.pth") is None


def test_floors_stand_under_three_stages():
    network = ResNet50V15(alpha=1 / 16)
    taps = {"C2": network.get_layer("conv2_block3_out").output, "C5": network.output}
    floored = with_floors(tf.keras.Model(network.input, taps))
    names = [layer.name for layer in floored.layers if layer.name.endswith("_floor")]
    assert len(names) == 3 + 4 + 6 + 2 * 3
    outputs = floored(np.random.default_rng(0).standard_normal((1, 64, 64, 3)).astype(np.float32))
    assert np.min(outputs["C2"]) >= np.float32(0.014)
    assert np.min(outputs["C5"]) == 0


@pytest.fixture
def weights(monkeypatch, tmp_path, cosplace):
    """A folder of fetched files, with a narrow one of torchvision's ResNet-18 and its row."""
    monkeypatch.setenv("LANDMARK_ZOO_WEIGHTS", str(tmp_path))
    tensors = {name.removeprefix("backbone.").replace("aggregation.3", "fc"): values
               for name, values in cosplace[0].items() if name != "aggregation.1.p"}
    file = written(tmp_path / "narrow.pth", tensors)
    row = Checkpoint("project/narrow", "features", "resnet18", "narrow.pth", "https://example.org",
                     sha256=sha256(file)[:8])
    for module in ("registry", "published.build"):
        monkeypatch.setattr(f"landmark_zoo.models.{module}.CHECKPOINTS", {row.name: row})
    return file


def test_a_block_on_published_weights(weights, cosplace):
    model = create_model("resnet18_se", weights="project/narrow", **NARROW)
    assert model.name == "resnet18_se"
    np.testing.assert_array_equal(model.get_layer("resnet18").get_layer("conv1_conv").kernel,
                                  cosplace[0]["backbone.0.weight"].transpose(2, 3, 1, 0))
    assert describe_model_weights("resnet18_se", "project/narrow") == {
        "pretrained": "narrow.pth", "pretrained_sha256": sha256(weights), "pretrained_checkpoint": "project/narrow",
        "pretrained_license": "code: MIT; weights: not stated apart from the code's"}


def test_a_file_that_is_not_there_or_another(weights):
    weights.write_bytes(weights.read_bytes() + b"x")
    with pytest.raises(UserError, match=r"narrow\.pth with SHA-256"):
        published_file("project/narrow")
    weights.unlink()
    with pytest.raises(UserError, match=r"received none\. Fetch them: python -m experiments.weights --fetch=project/narrow"):
        published_file("project/narrow")


def test_a_file_without_a_name():
    with pytest.raises(UserError, match=r"to which its authors give no name.*--weights=FILE"):
        published_file("delg-pytorch/resnet50")


@pytest.mark.parametrize(("name", "weights", "fitting"), [
    ("resnet101_se", "torchvision/resnet101", "resnet101v15_se"), ("resnet101_se", "imagenet", "resnet101_se"),
    ("resnet50v15_glam", "cvnet/resnet50", "resnet50v15bgr_glam"), ("vgg16", "torchvision/vgg16", "vgg16torch"),
    ("resnet18_solar", "how/r18", "resnet18_solar"), (COSPLACE, "published", COSPLACE), (COSPLACE, COSPLACE, COSPLACE)])
def test_the_model_that_weights_fit(name, weights, fitting):
    assert model_for(name, weights) == fitting
    assert ModelConfig(name).for_weights(weights).model == fitting


def test_weights_of_another_network():
    with pytest.raises(UserError, match="weights of resnet50; received torchvision/resnet101, of resnet101v15"):
        model_for("resnet50_se", "torchvision/resnet101")
    with pytest.raises(UserError, match="weights of mobilenet"):
        backbone_for("mobilenet", "torchvision/resnet101")


def test_settings_of_a_published_network():
    """512, the default, stands for the network's own dimension; another pooling is refused."""
    assert ModelConfig(COSPLACE, alpha=1 / 16).build().output_shape["embedding"] == (None, 64)
    assert ModelConfig(COSPLACE, alpha=1 / 16, embedding_dim=16).build(3).output_shape["logits"] == (None, 3)
    with pytest.raises(UserError, match="no --pooling for"):
        ModelConfig(COSPLACE, pooling="mac").build()
    assert create_model("torchvision/resnet18", alpha=1 / 16).output_shape["embedding"] == (None, 32)
    assert describe_published(COSPLACE, None) == {"pretrained": "none"}
