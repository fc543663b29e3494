"""Every backbone of the table."""

import numpy as np
import pytest

from landmark_zoo.backbones import BACKBONES
from landmark_zoo.backbones.build import build_backbone
from landmark_zoo.core.errors import UserError

PARAMETERS = {"mobilenet": 3_228_864, "mobilenetv2": 2_257_984, "resnet18": 11_186_112, "resnet50": 23_587_712,
              "resnet101": 42_658_176, "vgg16": 14_714_688, "efficientnetb0": 4_049_571}


@pytest.mark.parametrize("name", BACKBONES)
def test_taps_have_the_stated_strides(name):
    spec = BACKBONES[name]
    model = build_backbone(name)
    assert model.name == name
    assert model.count_params() == PARAMETERS[name]
    outputs = model(np.zeros((1, 64, 96, 3), np.float32))
    assert sorted(outputs) == ["C3", "C4", "C5"]
    for tap, stride in spec.strides.items():
        assert outputs[tap].shape[1:3] == (64 // stride, 96 // stride), tap


def test_every_backbone_has_a_count():
    assert set(PARAMETERS) == set(BACKBONES)


def test_what_lies_behind_the_last_tap_is_left_out():
    assert build_backbone("mobilenet", taps=("C3",)).count_params() < PARAMETERS["mobilenet"] / 10


def test_width_of_a_network_without_widths():
    with pytest.raises(UserError, match="no alpha for vgg16"):
        build_backbone("vgg16", alpha=0.5)
