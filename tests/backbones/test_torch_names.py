"""Names of the tensors in files of PyTorch projects: each project's, written down by hand, and what a wrong file says."""

import re

import numpy as np
import pytest

from landmark_zoo.backbones.build import build_backbone, load_weights
from landmark_zoo.backbones.registry import BACKBONES
from landmark_zoo.backbones.resnet_v15 import ResNet18, ResNet50V15
from landmark_zoo.backbones.torch_names import RESNETS, resnet_names, vgg16_names
from landmark_zoo.core.errors import UserError
from tests.backbones.weight_files.torch_writer import FORMS, tensor

EXPECTED = {
    "torchvision": ("conv1", "bn1", "layer1.0.downsample.0", "layer1.0.downsample.1", "layer3.5.conv2", "layer4.2.bn3"),
    "features": ("0", "1", "4.0.downsample.0", "4.0.downsample.1", "6.5.conv2", "7.2.bn3"),
    "cirtorch": ("features.0", "features.1", "features.4.0.downsample.0", "features.4.0.downsample.1",
                 "features.6.5.conv2", "features.7.2.bn3"),
    "cosplace": ("backbone.0", "backbone.1", "backbone.4.0.downsample.0", "backbone.4.0.downsample.1",
                 "backbone.6.5.conv2", "backbone.7.2.bn3"),
    "solar": ("features.conv1.0", "features.conv1.1", "features.conv2_x.2.0.downsample.0",
              "features.conv2_x.2.0.downsample.1", "features.conv4_x.5.conv2", "features.conv5_x.2.bn3"),
    "pycls": ("stem.conv", "stem.bn", "s1.b1.proj", "s1.b1.bn", "s3.b6.f.b", "s4.b3.f.c_bn"),
    "cvnet": ("encoder_q.stem.conv", "encoder_q.stem.bn", "encoder_q.s1.b1.proj", "encoder_q.s1.b1.bn",
              "encoder_q.s3.b6.f.b", "encoder_q.s4.b3.f.c_bn"),
    "delg": ("globalmodel.stem.conv", "globalmodel.stem.bn", "globalmodel.s1.b1.proj", "globalmodel.s1.b1.bn",
             "globalmodel.s3.b6.f.b", "globalmodel.s4.b3.f.c_bn")}
LAYERS = ("conv1_conv", "conv1_bn", "conv2_block1_0_conv", "conv2_block1_0_bn", "conv4_block6_2_conv", "conv5_block3_3_bn")
PARTS = ("weight", "bias", "running_mean", "running_var")


@pytest.fixture(scope="module")
def network():
    return ResNet50V15(alpha=1 / 16)


def random_tensors(network, names):
    """Tensors for every layer of a network of convolutions without bias and BatchNorm, as a file of torch has them."""
    random, tensors = np.random.default_rng(0), {}
    for layer in network.layers:
        for weight, part in zip(layer.weights, PARTS, strict=False):
            shape = tuple(weight.shape)
            shape = (*shape[:1:-1], *shape[:2]) if len(shape) == 4 else shape
            tensors[f"{names[layer.name]}.{part}"] = random.uniform(0.5, 1, shape).astype(np.float32)
    return tensors


def written(path, tensors, form="zip"):
    numbered = enumerate(tensors.items())
    path.write_bytes(FORMS[form]({name: tensor(values, str(number)) for number, (name, values) in numbered}))
    return path


def test_every_project_has_its_names():
    assert set(EXPECTED) == set(RESNETS)


@pytest.mark.parametrize("project", EXPECTED)
def test_names_and_the_project_by_its_stem(network, project):
    names = resnet_names(network, [f"{EXPECTED[project][0]}.weight"])
    assert tuple(names[layer] for layer in LAYERS) == EXPECTED[project]
    assert len(set(names.values())) == len(names) == 106


def test_a_file_of_none_of_the_projects_is_read_as_torchvisions(network):
    assert resnet_names(network, ["strange.weight"])["conv1_conv"] == "conv1"


@pytest.mark.parametrize("project", EXPECTED)
def test_a_file_of_each_project_fills_the_backbone(network, project, tmp_path):
    tensors = random_tensors(network, {layer: RESNETS[project].of(layer) for layer in resnet_names(network, ())})
    behind = {"fc.weight": np.zeros((10, 128), np.float32), "bn1.num_batches_tracked": np.int64(3)}
    load_weights(network, BACKBONES["resnet50v15"], written(tmp_path / "a.pth", {**tensors, **behind}))
    first, last = f"{EXPECTED[project][0]}.weight", f"{EXPECTED[project][5]}.running_var"
    np.testing.assert_array_equal(network.get_layer("conv1_conv").kernel, tensors[first].transpose(2, 3, 1, 0))
    np.testing.assert_array_equal(network.get_layer("conv5_block3_3_bn").moving_variance, tensors[last])


def test_basic_blocks():
    names = resnet_names(ResNet18(alpha=1 / 16), ["conv1.weight"])
    assert names["conv3_block1_0_conv"] == "layer2.0.downsample.0"
    assert names["conv5_block2_2_bn"] == "layer4.1.bn2"


def test_a_deeper_network_in_the_file_and_a_shallower_one(network, tmp_path):
    tensors = random_tensors(network, resnet_names(network, ()))
    deeper = {**tensors, "layer3.6.conv1.weight": np.zeros((16, 64, 1, 1), np.float32)}
    with pytest.raises(UserError, match=r"1 tensors that it has no layer for, layer3\.6\.conv1\.weight"):
        load_weights(network, BACKBONES["resnet50v15"], written(tmp_path / "deeper.pth", deeper))
    shallower = {name: values for name, values in tensors.items() if not name.startswith("layer3.5")}
    with pytest.raises(UserError, match=r"none named layer3\.5"):
        load_weights(network, BACKBONES["resnet50v15"], written(tmp_path / "shallower.pth", shallower))
    wider = {**tensors, "conv1.weight": np.zeros((64, 3, 7, 7), np.float32)}
    with pytest.raises(UserError, match=re.escape("conv1.weight float32 [64, 3, 7, 7]")):
        load_weights(network, BACKBONES["resnet50v15"], written(tmp_path / "wider.pth", wider))


def test_vgg16():
    network = BACKBONES["vgg16torch"].application(include_top=False, weights=None, input_shape=(None, None, 3))
    names = vgg16_names(network, ["features.0.weight"])
    assert list(names.values()) == [f"features.{i}" for i in (0, 2, 5, 7, 10, 12, 14, 17, 19, 21, 24, 26, 28)]
    assert [*names][::12] == ["block1_conv1", "block5_conv3"]
    assert vgg16_names(network, ["0.weight"])["block2_conv1"] == "5"


def test_a_torchvision_file_by_the_names_of_the_zoo(network, tmp_path, caplog):
    """As in `create_model("resnet50v15_se", weights="resnet50.pth")`; one line says what is left out."""
    tensors = random_tensors(network, resnet_names(network, ()))
    file = written(tmp_path / "resnet50.pth", {**tensors, "fc.weight": np.zeros((3, 128), np.float32),
                                               "fc.bias": np.zeros(3, np.float32)})
    with caplog.at_level("INFO", logger="absl"):
        backbone = build_backbone("resnet50v15", file, alpha=1 / 16)
    np.testing.assert_array_equal(backbone.get_layer("conv1_bn").gamma, tensors["bn1.weight"])
    assert "resnet50.pth for resnet50v15: 265 tensors used; left out: fc (2)." in caplog.text
