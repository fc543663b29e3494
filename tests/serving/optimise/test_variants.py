"""Variants of an export: same signatures, same embeddings."""

import numpy as np
import pytest
import tensorflow as tf

from landmark_zoo.core.errors import UserError
from landmark_zoo.serving.optimise.variants import VARIANTS, write_variant


@pytest.fixture(scope="module", params=[pytest.param("frozen", marks=pytest.mark.slow), "folded", "folded_bfloat16",
                                        pytest.param("folded_float16", marks=pytest.mark.slow)])
def variant(request, small_export, tmp_path_factory):
    """Name, what was counted, the original and the variant."""
    folder = tmp_path_factory.mktemp("variants") / request.param
    counts = write_variant(small_export, folder, {**VARIANTS["cpu"], **VARIANTS["gpu"]}[request.param])
    return request.param, counts, tf.saved_model.load(str(small_export)), tf.saved_model.load(str(folder))


def test_signatures_and_facts_stay(variant):
    _, _, original, other = variant
    assert set(other.signatures) == set(original.signatures)
    for name, signature in original.signatures.items():
        assert other.signatures[name].structured_input_signature == signature.structured_input_signature
        assert other.signatures[name].structured_outputs == signature.structured_outputs
    expected, found = original.signatures["info"](), other.signatures["info"]()
    for key in expected:
        np.testing.assert_array_equal(found[key], expected[key])


def test_embeddings_stay(variant, photographs):
    name, _, original, other = variant
    def embedding(model):
        return model.signatures["serving_default"](image_bytes=tf.constant(photographs))["embedding"].numpy()
    expected, found = embedding(original), embedding(other)
    assert np.linalg.norm(expected[0] - expected[1]) > 0.01, "the test's pictures are too alike to tell anything"
    if name.endswith("16"):
        assert (expected * found).sum(1).min() > 0.999
    else:
        np.testing.assert_allclose(found, expected, atol=2e-5)
    images = tf.random.stateless_uniform([2, 40, 64, 3], [1, 2], maxval=255.0)
    expected, found = (model.signatures["images"](images=images)["embedding"].numpy() for model in (original, other))
    assert (expected * found).sum(1).min() > 0.999


def test_other_signatures_stay(variant, photographs):
    _, _, original, other = variant
    box = tf.constant([[0, 0, 40.0, 40]])
    crops = [model.signatures["crop"](image_bytes=tf.constant(photographs[:1]), box=box)["embedding"].numpy()
             for model in (original, other)]
    assert (crops[0] * crops[1]).sum() > 0.999
    images = tf.random.stateless_uniform([1, 64, 64, 3], [1, 2], maxval=255.0)
    features = [model.signatures["local"](images=images)["features"].numpy() for model in (original, other)]
    assert (features[0] * features[1]).sum(-1).min() > 0.99
    assert features[1].dtype == np.float32


def test_bad_bytes_are_still_named_by_position(variant, photographs):
    _, _, _, other = variant
    with pytest.raises(tf.errors.InvalidArgumentError, match="at position 1"):
        other.signatures["serving_default"](image_bytes=tf.constant([photographs[0], b"no picture"]))


def test_what_was_done_is_counted(variant):
    name, counts, _, other = variant
    graphs = [function.node_def for function in other.signatures["images"].graph.as_graph_def().library.function]
    operations = [node.op for nodes in graphs for node in nodes]
    assert counts["normalisations_folded"] == (0 if name == "frozen" else 27)  # the signatures share one network
    assert counts["convolutions_in_16_bits"] == (27 if name.endswith("16") else 0)
    assert ("FusedBatchNormV3" in operations) == (name == "frozen")
    assert "ReadVariableOp" not in operations


def test_a_weight_is_written_once(small_export, tmp_path):
    write_variant(small_export, tmp_path / "frozen", VARIANTS["cpu"]["frozen"])
    variables = sum(file.stat().st_size for file in (small_export / "variables").iterdir())
    assert (tmp_path / "frozen/saved_model.pb").stat().st_size < 2.5 * variables
    assert sum(file.stat().st_size for file in (tmp_path / "frozen/variables").iterdir()) < 0.1 * variables


def test_no_saved_model(tmp_path):
    with pytest.raises(UserError, match="a readable SavedModel at"):
        write_variant(tmp_path, tmp_path / "out", VARIANTS["cpu"]["folded"])
    assert not (tmp_path / "out").exists()
