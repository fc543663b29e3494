"""Every Keras application as a backbone: the smallest of each family always, all of them among the slow tests."""

import dataclasses
import functools

import numpy as np
import pytest
import tensorflow as tf

from landmark_zoo.backbones.build import build_backbone, preprocess
from landmark_zoo.backbones.keras_applications import ROWS
from landmark_zoo.backbones.registry import BACKBONES
from landmark_zoo.models.build import build_model
from landmark_zoo.models.registry import load_keras_file
from landmark_zoo.models.zoo_table import read_parts
from landmark_zoo.saved_model import SavedModel
from landmark_zoo.serving.export import export_saved_model
from landmark_zoo.training.optimizer import backbone_stages, freeze_stages

SMALLEST = {
    "mobilenet": "MobileNet", "mobilenet_v2": "MobileNetV2", "mobilenet_v3": "MobileNetV3Small", "resnet": "ResNet50",
    "resnet_v2": "ResNet50V2", "resnet_rs": "ResNetRS50", "vgg": "VGG16", "efficientnet": "EfficientNetB0",
    "efficientnet_v2": "EfficientNetV2B0", "convnext": "ConvNeXtTiny", "regnet_x": "RegNetX002", "regnet_y": "RegNetY002",
    "densenet": "DenseNet121", "inception": "InceptionV3", "inception_resnet": "InceptionResNetV2", "xception": "Xception",
    "nasnet": "NASNetMobile"}
MODULES = {"resnet": "resnet", "vgg": "vgg16", "regnet_x": "regnet", "regnet_y": "regnet", "inception": "inception_v3",
           "inception_resnet": "inception_resnet_v2", "mobilenet": "mobilenet"}
NAMES = [row["name"] for row in ROWS]
LIGHT = ("mobilenet", "mobilenet_v3", "convnext", "regnet_y")  # families whose slow tests .ci/run has time for
LARGEST = ("resnetrs", "convnextl", "convnextx", "regnetx160", "regnetx320", "regnety160", "regnety320", "efficientnetb6",
           "efficientnetb7", "efficientnetv2m", "efficientnetv2l", "nasnetlarge", "densenet2", "inceptionresnet")
UNPADDED = ("inception", "inception_resnet", "xception", "nasnet", "convnext")  # sides of maps are rounded otherwise
ODD = np.random.default_rng(0).uniform(0, 255, [1, 97, 65, 3]).astype(np.float32)


@pytest.fixture(params=SMALLEST)
def family(request):
    """Name of a family; layers of one test do not burden the next."""
    yield request.param
    tf.keras.backend.clear_session()


def test_rows_are_all_applications_of_keras():
    constructors = {name.lower() for name in dir(tf.keras.applications) if name[0].isupper()}
    assert constructors == set(NAMES)
    assert len(NAMES) == 71
    assert {row["family"] for row in ROWS} == set(SMALLEST)
    assert all(row["keras_license"] for row in ROWS)


def check_taps(model, images):
    """Compares the sides of each tap with its stride; returns the outputs."""
    spec, outputs = BACKBONES[model.name], model(images)
    for tap, stride in spec.strides.items():
        sides, expected = np.array(outputs[tap].shape[1:3]), np.array(images.shape[1:3]) / stride
        assert (abs(sides - expected) < (3.5 if spec.family in UNPADDED else 0.01)).all(), (tap, sides)
    return outputs


def keras_network(name, side):
    """Returns what Keras builds, with drawn biases and statistics, and its own preprocessing."""
    family = BACKBONES[name.lower()].family
    built_for = side if family == "nasnet" else None
    network = getattr(tf.keras.applications, name)(include_top=False, weights=None, input_shape=(built_for, built_for, 3))
    drawn = np.random.default_rng(2)
    network.set_weights([drawn.uniform(0.5, 1.5, weight.shape) if weight.ndim == 1 else weight
                         for weight in network.get_weights()])
    return network, getattr(tf.keras.applications, MODULES.get(family, family)).preprocess_input


def test_equals_keras_and_its_preprocessing(family, monkeypatch):
    """The weights of a network as Keras has it, behind Keras' own preprocessing; taps, and an odd size."""
    name = SMALLEST[family]
    images = np.random.default_rng(1).uniform(0, 255, [1, 96, 96, 3]).astype(np.float32)
    network, preprocess_input = keras_network(name, 96)
    row = dataclasses.replace(BACKBONES[name.lower()], application=lambda **_: network)
    monkeypatch.setattr("landmark_zoo.backbones.build.BACKBONES", {row.name: row})
    ours = build_backbone(row.name)
    assert (ours.name, ours.input_shape) == (row.name, (None, None, None, 3))
    found = check_taps(ours, preprocess(images, row.preprocessing))["C5"]
    found = tf.nn.max_pool2d(found, 2, 2, "VALID") if family == "vgg" else found
    pixels = preprocess_input(images.copy())
    if family == "efficientnet":  # the stretch that Keras adds with its own weights
        pixels = preprocess(images, "efficientnet")
    expected = network(pixels).numpy()
    np.testing.assert_allclose(found, expected, atol=2e-4 * np.abs(expected).max())
    assert np.isfinite(ours(np.zeros([1, 33, 47, 3], np.float32))["C5"]).all()


def nightly(value, condition):
    """A parameter that is left to `make test-nightly` under a condition."""
    return pytest.param(value, marks=[pytest.mark.nightly] if condition else [])


@pytest.mark.slow
@pytest.mark.parametrize("family", [nightly(name, name not in LIGHT) for name in SMALLEST], indirect=True)
def test_carries_a_block_is_saved_and_exported(family, tmp_path):
    name = SMALLEST[family].lower()
    model = build_model(name, "se", embedding_dim=8, num_classes=3)
    embedding = model(ODD)["embedding"]
    model.save(tmp_path / "model.keras")
    np.testing.assert_allclose(load_keras_file(tmp_path / "model.keras")(ODD)["embedding"], embedding, atol=1e-5)
    exported = SavedModel(export_saved_model(model, tmp_path / "exported", side=97, info={}))
    np.testing.assert_allclose(exported.embed_images(ODD), embedding, atol=1e-4)


@pytest.mark.slow
@pytest.mark.parametrize("family", [nightly(name, name not in LIGHT) for name in SMALLEST], indirect=True)
def test_stages_are_attended_and_frozen(family):
    name = SMALLEST[family].lower()
    model = build_model(name, "se", embedding_dim=8, placement="stages")
    assert {"attention/se_c3/se", "attention/se_c4/se", "attention/se_c5/se"} <= set(model(ODD))
    assert list(backbone_stages([model.get_layer(name)])) == ["c2", "c3", "c4", "c5"]
    assert freeze_stages(model, "c3") > freeze_stages(model, "c2") > 0


@pytest.mark.parametrize("family", ["mobilenet_v3", "convnext", "regnet_y", "efficientnet_v2"])
def test_preprocessing_inside_is_float32_under_every_policy(family):
    tf.keras.mixed_precision.set_global_policy("mixed_bfloat16")
    try:
        model = build_backbone(SMALLEST[family].lower(), taps=("C3", "C4"))
    finally:
        tf.keras.mixed_precision.set_global_policy("float32")
    kinds = tf.keras.layers.Rescaling | tf.keras.layers.Normalization
    of_pixels = [layer for layer in model.layers[1:3] if isinstance(layer, kinds)]
    assert of_pixels
    assert {layer.compute_dtype for layer in of_pixels} == {"float32"}
    assert {weight.dtype for weight in model.weights} == {tf.float32}
    assert model.output["C3"].dtype == tf.bfloat16


@functools.cache
def counted():
    return {part.name: part for part in read_parts() if part.kind == "backbone"}


@pytest.mark.slow
@pytest.mark.parametrize("name", [nightly(name, name.startswith(LARGEST)) for name in NAMES
                                  if name not in map(str.lower, SMALLEST.values())])
def test_every_application(name):
    tf.keras.backend.clear_session()
    model = build_backbone(name)
    check_taps(model, np.zeros([1, 96, 96, 3], np.float32))
    if counted()[name].parameters is not None:
        assert (model.count_params(), model.output_shape["C5"][-1]) == (counted()[name].parameters, counted()[name].width)
