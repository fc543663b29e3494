
import dataclasses
import inspect
import json
import math
import zipfile

import numpy as np
import pytest
import tensorflow as tf

from landmark_zoo.core.errors import UserError
from landmark_zoo.layers.attention.registry import ATTENTION
from landmark_zoo.layers.registry import POOLING
from landmark_zoo.models.build import build_model
from landmark_zoo.models.inspection import on_features
from landmark_zoo.models.registry import (
    CONFIG,
    MODELS,
    NETWORKS,
    ModelConfig,
    as_keras_2_15,
    create_model,
    list_models,
    load_keras_file,
)
from tests.serving.conftest import little


def test_lists_by_pattern():
    assert {"resnet50_se", "resnet101_se", "vgg16_se"} <= set(list_models("*_se"))
    assert list_models("resnet*_se").index("resnet50_se") < list_models("resnet*_se").index("resnet101_se")


def test_unknown_name_gets_near_ones():
    with pytest.raises(UserError, match="mobilenetv2_se"):
        create_model("mobilenetv2_es")


def test_none_leaves_the_default_in_force():
    model = create_model("mobilenet_gem", alpha=0.25, embedding_dim=None)
    assert model.output_shape["embedding"] == (None, 512)
    assert create_model("mobilenet_gem", alpha=0.25, embedding_dim=0).output_shape["embedding"] == (None, 256)


def test_every_backbone_has_a_plain_and_an_attended_model():
    for name in MODELS:
        if "builder" in MODELS[name]:
            continue
        block = MODELS[name].get("attention") or MODELS[name]["pooling"]
        assert name.removesuffix("_block") in (MODELS[name]["backbone"], f"{MODELS[name]['backbone']}_{block}")


@pytest.mark.parametrize("block", ["delf", "delg", "how", "solar"])
def test_a_block_whose_name_is_that_of_a_network_has_one_of_its_own(block):
    model = create_model(f"resnet18_{block}_block", embedding_dim=8, alpha=0.25, num_classes=3)
    assert [layer.name for layer in on_features(model)[1].layers[1:]] == [block, "gem", "embedding", "arcface"]
    assert model.name == f"resnet18_{block}_block"
    assert f"resnet18_{block}" in list_models()


def test_a_backbone_by_itself_is_pooled_by_its_mean():
    images = np.random.default_rng(0).integers(0, 256, (1, 64, 64, 3)).astype(np.uint8)
    model = create_model("resnet18", alpha=0.25, embedding_dim=0)
    assert model.name == "resnet18"
    outputs = model(images)
    mean = np.mean(outputs["feature_map"], axis=(1, 2))
    np.testing.assert_allclose(outputs["embedding"], mean / np.linalg.norm(mean), atol=1e-5)
    assert {"efficientnetb0", "resnet18", "resnet50"} <= set(list_models())


@pytest.mark.slow
@pytest.mark.parametrize(("name", "output"), [
    ("mobilenet_delf", "local_features"), ("mobilenet_delg", "reconstruction_error"), ("mobilenet_how", "local_features"),
    ("mobilenet_solar", "attention/solar_c4/solar"), ("mobilenet_abn", "attention_logits")])
def test_names_of_papers_are_their_networks(name, output):
    model = create_model(name, alpha=0.25, embedding_dim=16, num_classes=3, head="cosface", head_arguments={"margin": 0.2})
    assert model.name == name
    assert output in model.output_shape
    assert model.output_shape["embedding"] == (None, 16)
    assert model.get_layer("cosface").margin == 0.2
    with pytest.raises(UserError, match=f"placement 'end' for {name}"):
        create_model(name, placement="stages", num_classes=3)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "dimension"), [("mobilenet_delg", 2048), ("mobilenet_how", 128), ("mobilenet_solar", 2048),
                                                 ("mobilenet_delf", 128)])
def test_dimensions_of_the_papers(name, dimension):
    assert create_model(name, alpha=0.25).output_shape["embedding"] == (None, dimension)


def test_the_block_of_a_network_by_itself():
    assert "attention/how" in build_model("mobilenet", "how", alpha=0.25).output_shape


@pytest.mark.parametrize("name", list(NETWORKS))
def test_builders_know_the_common_arguments(name):
    row = NETWORKS[name]
    known = set(inspect.signature(row.builder).parameters)
    common = {"backbone", "num_classes", "weights", "alpha", "embedding_dim", "head", "head_arguments", "name"}
    assert common <= known & set(inspect.signature(build_model).parameters)
    assert set(row.arguments) <= known
    assert row.paper


def test_builds_what_it_says():
    model = ModelConfig("mobilenet_se", embedding_dim=16, alpha=0.25, margin=0.1, scale=12.0).build(7)
    head = model.get_layer("arcface")
    assert (head.margin, head.scale, head.num_classes) == (0.1, 12.0, 7)
    assert model.output_shape["embedding"] == (None, 16)
    assert "logits" not in ModelConfig("mobilenet_gem", alpha=0.25).build().output_shape


def test_round_trip_with_a_placement():
    config = ModelConfig("mobilenet_se", alpha=0.25, placement="stages")
    again = ModelConfig(**json.loads(json.dumps(dataclasses.asdict(config))))
    assert again == config
    assert "attention/se_c3/se" in again.build().output_shape
    assert "attention/se" in ModelConfig("mobilenet_se", alpha=0.25).build().output_shape


@pytest.mark.parametrize(("name", "values"), [
    ("embedding_dim", (-1, 1, 10**9)), ("alpha", (-1.0, 0.0, 0.001, math.inf, math.nan)),
    ("margin", (-1.0, 10.0, math.inf, math.nan)), ("scale", (-1.0, 0.0, math.inf, math.nan, 1e30)),
    ("bottleneck", (-1, 0, 10**12)), ("dense_units", (-1, 0, 10**12)),
    ("revision", (-1, 0, 3)), ("score_form", ("2019", ""))])
def test_impossible_values(name, values):
    for value in values:
        with pytest.raises(UserError, match=f"--{name}"):
            ModelConfig("resnet18_se", **{name: value})


@pytest.mark.parametrize(("config", "kind", "name", "setting", "values"), [
    (ModelConfig("mobilenet_san_pairwise"), "attention", "san_pairwise", "sharing", ("block", "modulo")),
    (ModelConfig("mobilenet_san_patchwise"), "attention", "san_patchwise", "sharing", ("block", "modulo")),
    (ModelConfig("mobilenet_gsop_position"), "attention", "gsop_position", "rectify", (False, True)),
    (ModelConfig("mobilenet_ona"), "attention", "ona", "scaling", ("min_max", "maximum")),
    (ModelConfig("mobilenet_class_weighted"), "pooling", "class_weighted", "scaling", ("min_max", "maximum")),
    (ModelConfig("mobilenet_se", pooling="netvlad_crn"), "pooling", "netvlad_crn", "version", ("v2", "v1"))])
def test_revisions(config, kind, name, setting, values, monkeypatch):
    built = []
    monkeypatch.setattr("landmark_zoo.models.registry.create_model", lambda _, **settings: built.append(settings))
    for revision in (1, 2):
        dataclasses.replace(config, revision=revision).build()
    make = ATTENTION[name].create if kind == "attention" else POOLING[name]
    assert tuple(getattr(make(**settings.get(f"{kind}_arguments", {})), setting) for settings in built) == values
    entries = {key: value for key, value in vars(config).items() if key != "revision"}
    assert ModelConfig.read(entries).revision == 1
    assert ModelConfig.read(vars(config)) == config


@pytest.mark.slow
def test_revision_1_of_a_replacement():
    model = ModelConfig("resnet18_san_patchwise", alpha=0.25, placement="convolutions", revision=1).build()
    assert {layer.sharing for layer in model.get_layer("resnet18").layers if hasattr(layer, "sharing")} == {"block"}


def test_unknown_head():
    with pytest.raises(UserError, match="a known head"):
        ModelConfig(head="tail").build(7)


def test_another_pooling():
    model = ModelConfig("mobilenet_se", alpha=0.25, embedding_dim=16, pooling="mac").build()
    assert model.get_layer("mac").output_shape == (None, 256)


def test_attention_branch_network_with_a_bottleneck():
    model = ModelConfig("mobilenet_abn", alpha=0.25, bottleneck=2, mechanism="product").build(7)
    branch = model.get_layer("attention_branch")
    assert (branch.bottleneck, branch.mechanism) == (2, "product")


def test_local_branch_of_delg_as_in_its_code():
    model = ModelConfig("mobilenet_delg", alpha=0.25, local_stride=32, score_form="2021").build()
    assert model.get_layer("local_branch").attention.score_form == "2021"
    assert "subsampling" in [layer.name for layer in model.layers]


@pytest.mark.parametrize("settings", [
    {"model": "mobilenet_delf", "score_form": "2020"}, {"model": "mobilenet_se", "local_stride": 32},
    {"model": "mobilenet_gem", "pooling": "mac"}, {"model": "mobilenet_se", "bottleneck": 3},
    {"model": "mobilenet_abn", "pooling": "mac"}])
def test_a_setting_that_the_model_does_not_have(settings):
    with pytest.raises(UserError, match=f"no --{list(settings)[1]} for {settings['model']}, whose name or paper settles it"):
        ModelConfig(**settings).build(7)


def test_no_head():
    assert "logits" not in ModelConfig("mobilenet_gem", alpha=0.25, head="none").build(7).output_shape


@pytest.fixture
def written(tmp_path):
    """A network with another one inside, and its file."""
    images, inner = tf.keras.Input([None, None, 3]), little()
    network = tf.keras.Model(images, inner(images)["embedding"])
    network.save(tmp_path / "network.keras")
    return network, tmp_path / "network.keras"


def rewritten(path, change):
    """The file with another configuration."""
    with zipfile.ZipFile(path) as source, zipfile.ZipFile(path.with_name("other.keras"), "w") as target:
        for name in source.namelist():
            data = source.read(name)
            target.writestr(name, json.dumps(change(json.loads(data))) if name == CONFIG else data)
    return path.with_name("other.keras")


def as_newer(config):
    """What TensorFlow 2.21 writes where 2.15 does not."""
    if isinstance(config, list):
        return [as_newer(item) for item in config]
    if not isinstance(config, dict):
        return config
    config = {name: as_newer(value) for name, value in config.items()}
    if str(config.get("module")).startswith("keras.src."):
        config["module"] = f"tf_{config['module']}"
    if config.get("class_name") == "InputLayer":
        config["config"]["optional"] = False
    return config


@pytest.mark.parametrize("change", [lambda config: config, as_newer, as_keras_2_15], ids=["own", "newer", "2.15"])
def test_files_of_either_tensorflow(written, change):
    network, path = written
    images = np.random.default_rng(0).uniform(0, 255, [2, 40, 40, 3]).astype(np.float32)
    np.testing.assert_array_equal(load_keras_file(rewritten(path, change))(images), network(images))


def test_it_names_no_class_of_tf_keras(written):
    with zipfile.ZipFile(written[1]) as file:
        newer = as_newer(json.loads(file.read(CONFIG)))
    assert "tf_keras" in json.dumps(newer)
    mended = json.dumps(as_keras_2_15(newer))
    assert "tf_keras" not in mended
    assert "optional" not in mended


def test_an_input_that_may_be_left_out():
    with pytest.raises(ValueError, match="inputs that are always given; received mask"):
        as_keras_2_15([{"class_name": "InputLayer", "name": "mask", "config": {"optional": True}}])
