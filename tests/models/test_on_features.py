import numpy as np
import pytest
import tensorflow as tf

from landmark_zoo.core.errors import UserError
from landmark_zoo.models import build_model
from landmark_zoo.models.attention_branch_network import build_attention_branch_network
from landmark_zoo.models.on_features import on_features

IMAGES = tf.random.stateless_uniform([2, 64, 96, 3], [0, 1], 0, 255)


def build(attention, **arguments):
    tf.keras.utils.set_random_seed(0)
    return build_model("mobilenet", attention, alpha=0.25, embedding_dim=8, num_classes=3, **arguments)


@pytest.mark.parametrize("attention", [None, "se", "glam"])
def test_both_parts_together_are_the_model(attention):
    model = build(attention)
    to_features, from_features = on_features(model)
    whole, parts = model(IMAGES), from_features(to_features(IMAGES))
    assert set(parts) == set(whole) - (set() if attention else {"feature_map"})
    for name, output in parts.items():
        np.testing.assert_array_equal(output, whole[name])
    assert to_features(IMAGES).shape == (2, 2, 3, 256)


def test_the_second_part_has_nothing_of_the_backbone_and_shares_the_rest():
    model = build("se")
    _, from_features = on_features(model)
    assert [layer.name for layer in from_features.layers[1:]] == ["se", "gem", "embedding", "arcface"]
    before = model(IMAGES)["embedding"].numpy()
    from_features.get_layer("embedding").kernel.assign(-from_features.get_layer("embedding").kernel)
    np.testing.assert_allclose(model(IMAGES)["embedding"], -before, atol=1e-6)


def test_it_takes_maps_of_any_size():
    _, from_features = on_features(build("solar"))
    for height, width in ((1, 1), (3, 7)):
        assert from_features(tf.ones([2, height, width, 256]))["embedding"].shape == (2, 8)


@pytest.mark.parametrize("model", [lambda: build("se", placement="stages"),
                                   lambda: build_attention_branch_network("resnet18", alpha=0.25, num_classes=3)])
def test_attention_inside_the_backbone_cannot_be_cut_off(model):
    with pytest.raises(UserError, match="nothing of its backbone but the last feature map"):
        on_features(model())
