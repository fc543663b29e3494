"""Number formats."""

import numpy as np
import pytest
import tensorflow as tf

from landmark_zoo.backbones.build import build_backbone
from landmark_zoo.models import create_model
from landmark_zoo.training.precision import precision


def built(policy, name="mobilenet_se"):
    tf.keras.utils.set_random_seed(0)
    with precision(policy):
        return create_model(name, alpha=0.25, embedding_dim=8, num_classes=3)


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
def test_backbone_and_block_compute_short_and_the_rest_long(policy):
    model = built(policy)
    outputs = model(np.random.default_rng(0).integers(0, 256, (2, 32, 32, 3)).astype(np.uint8))
    assert outputs["feature_map"].dtype == policy.removeprefix("mixed_")
    assert outputs["embedding"].dtype == outputs["logits"].dtype == tf.float32
    assert {model.get_layer(name).compute_dtype for name in ("preprocessing", "gem", "embedding", "arcface")} == {"float32"}
    assert all(weight.dtype == tf.float32 for weight in model.weights)
    np.testing.assert_allclose(np.linalg.norm(outputs["embedding"], axis=1), 1, rtol=1e-5)
    assert tf.keras.mixed_precision.global_policy().name == "float32"


def test_the_policy_before_comes_back_after_an_error():
    with pytest.raises(KeyError), precision("mixed_bfloat16"):
        raise KeyError
    assert tf.keras.mixed_precision.global_policy().name == "float32"


def test_a_checkpoint_is_the_same_without_the_policy(tmp_path):
    half, full = built("mixed_float16"), built("float32")
    half.set_weights([weight + 0.01 for weight in half.get_weights()])
    path = tf.train.Checkpoint(model=half).write(str(tmp_path / "weights"))
    tf.train.Checkpoint(model=full).read(path).assert_consumed()
    for left, right in zip(half.get_weights(), full.get_weights(), strict=True):
        np.testing.assert_array_equal(left, right)


def test_the_normalisation_inside_efficientnet_is_float32_too():
    with precision("mixed_bfloat16"):
        network = build_backbone("efficientnetb0", taps=("C3",))
    assert {weight.dtype for weight in network.weights} == {tf.float32, tf.int64}
    assert {layer.compute_dtype for layer in network.layers if layer.name.startswith("normalization")} == {"float32"}
    assert network.get_layer("stem_conv").compute_dtype == "bfloat16"
    assert network(np.full((1, 64, 64, 3), 128, np.float32))["C3"].dtype == tf.bfloat16
