"""Names behind the backbone, on networks of a sixteenth of the width."""

import pytest
import tensorflow as tf

from landmark_zoo.backbones.registry import BACKBONES
from landmark_zoo.backbones.torch_names import RESNETS
from landmark_zoo.models.build import build_model
from landmark_zoo.models.published.build import create_published
from landmark_zoo.models.published.checkpoints import CHECKPOINTS
from landmark_zoo.models.published.name_maps import NAME_MAPS, NameMap, names_in

EXPECTED = {
    "cosplace/resnet18-64": ("cosplace", ["aggregation.1.p"], {"gem": "aggregation.1", "projection": "aggregation.3"}),
    "how/r18": ("cirtorch", ["dim_reduction.weight"], {"whitening": "dim_reduction"}),
    "cirtorch/gl18-resnet50-gem-w": ("cirtorch", [], {"gem": "pool", "embedding": "whiten"}),
    "naver/resnet50-ap-gem": ("torchvision", [], {"gem": "adpool", "projection": "fc", "embedding": None}),
    "cvnet/resnet50": ("cvnet", [], {"gem": "encoder_q.head.pool", "projection": "encoder_q.head.fc"}),
    "superglobal/resnet50": ("cvnet", [], {"regional_gem": None, "embedding": "encoder_q.head.fc"}),
    "delg-pytorch/resnet50": ("delg", [], {"gem": "globalmodel.head.pool", "projection": "globalmodel.head.fc"})}


@pytest.mark.parametrize("name", EXPECTED, ids=[name.split("/")[0] for name in EXPECTED])
def test_names_behind_the_backbone(name):
    row, (resnet, tensors, behind) = CHECKPOINTS[name], EXPECTED[name]
    model = create_published(name, alpha=1 / 16, embedding_dim=8, num_classes=3)
    tensors = [f"{RESNETS[resnet].stem[0]}.weight", *tensors]
    names = names_in(row.project, model, BACKBONES[row.backbone], tensors)
    assert {path: prefix for path, prefix in names.items() if not path.startswith("conv")} == {**behind, "arcface": None}
    assert names["conv4_block1_0_bn"] == RESNETS[resnet].of("conv4_block1_0_bn")


@pytest.mark.parametrize(("path", "prefix"), [
    ("gem", "pool"), ("embedding", "whiten"), ("solar_c4/f", "features.soa4.f.0"), ("solar_c5/g", "features.soa5.g.0"),
    ("solar_c5/g_normalise", "features.soa5.g.1"), ("solar_c4/h", "features.soa4.h"), ("solar_c4/v", "features.soa4.v")])
def test_solar(path, prefix):
    assert NAME_MAPS["solar"].prefix(path, []) == prefix


def test_of_two_rules_that_whose_tensors_are_there():
    assert NAME_MAPS["how"].prefix("whitening", ["whiten.weight"]) == "whiten"
    assert NAME_MAPS["how"].prefix("whitening", ["dim_reduction.bias"]) == "dim_reduction"
    assert NAME_MAPS["how"].prefix("whitening", ["whitening.bias"]) == "whiten"


def test_a_layer_without_a_rule():
    with pytest.raises(KeyError, match="no rule for the layer se"):
        NameMap().prefix("se", [])
    model = build_model("resnet18", "se", embedding_dim=8, alpha=1 / 16)
    assert isinstance(model, tf.keras.Model)
    with pytest.raises(KeyError, match="no rule for the layer se"):
        names_in("cirtorch", model, BACKBONES["resnet18"], ["features.0.weight"])
