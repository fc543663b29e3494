"""Where blocks stand."""

import pytest
import tensorflow as tf

from landmark_zoo.backbones import BACKBONES
from landmark_zoo.backbones.build import build_backbone
from landmark_zoo.backbones.placement import places
from landmark_zoo.core.errors import UserError


@pytest.mark.parametrize(("backbone", "number", "layer", "place"), [
    ("resnet18", 8, "conv2_block1_2_bn", "conv2_block1"), ("resnet18", 8, "conv4_block1_2_bn", "conv4_block1"),
    ("resnet50", 16, "conv4_block1_3_bn", "conv4_block1"), ("resnet50", 16, "conv5_block3_3_bn", "conv5_block3"),
    ("mobilenetv2", 10, "block_2_project_BN", "block_2"), ("efficientnetb0", 9, "block2b_project_bn", "block2b")])
def test_branches_before_their_additions(backbone, number, layer, place):
    found = places(build_backbone(backbone, taps=("C5",)), BACKBONES[backbone], "blocks")
    assert len(found) == len(set(found.values())) == number
    assert found[layer] == place


@pytest.mark.parametrize("backbone", BACKBONES)
def test_stages_are_the_taps(backbone):
    spec = BACKBONES[backbone]
    assert places(build_backbone(backbone, taps=("C5",)), spec, "stages") == {
        spec.taps["C3"]: "c3", spec.taps["C4"]: "c4", spec.taps["C5"]: "c5"}


@pytest.mark.parametrize(("backbone", "number", "first", "last"), [
    ("resnet18", 9, ("conv3_block1_2_conv", "conv3_block1_2"), ("conv5_block2_2_conv", "conv5_block2_2")),
    ("resnet50", 13, ("conv3_block1_2_conv", "conv3_block1_2"), ("conv5_block3_2_conv", "conv5_block3_2")),
    ("vgg16", 9, ("block3_conv1", "block3_conv1"), ("block5_conv3", "block5_conv3"))])
def test_convolutions_of_the_last_stages(backbone, number, first, last):
    found = list(places(build_backbone(backbone, taps=("C5",)), BACKBONES[backbone], "convolutions").items())
    assert len(found) == number
    assert (found[0], found[-1]) == (first, last)


@pytest.mark.parametrize("backbone", ["mobilenet", "mobilenetv2", "efficientnetb0"])
def test_no_whole_convolutions(backbone):
    with pytest.raises(UserError, match=f"received {backbone}, which has none behind its first stages"):
        places(build_backbone(backbone), BACKBONES[backbone], "convolutions")


def test_only_what_the_network_contains():
    network = build_backbone("resnet18", alpha=0.25, taps=("C3",))
    assert places(network, BACKBONES["resnet18"], "stages") == {"conv3_out": "c3"}
    assert list(places(network, BACKBONES["resnet18"], "blocks").values()) == [
        "conv2_block1", "conv2_block2", "conv3_block1", "conv3_block2"]


@pytest.mark.parametrize("backbone", ["mobilenet", "vgg16"])
def test_no_residual_branches(backbone):
    with pytest.raises(UserError, match=f"received {backbone}, which has none. Use placement 'stages'"):
        places(build_backbone(backbone), BACKBONES[backbone], "blocks")


def test_neither_input_is_the_longer():
    image = tf.keras.Input([4, 4, 2])
    left, right = (tf.keras.layers.Conv2D(2, 1)(image) for _ in range(2))
    network = tf.keras.Model(image, {"C5": tf.keras.layers.Add(name="sum")([left, right])})
    with pytest.raises(ValueError, match="longer than its shortcut; received equal ones at sum"):
        places(network, BACKBONES["resnet18"], "blocks")


def test_the_end_is_not_in_the_backbone():
    with pytest.raises(ValueError, match="received 'end'"):
        places(build_backbone("resnet18", alpha=0.25), BACKBONES["resnet18"], "end")
