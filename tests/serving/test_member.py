"""What may be a member of an ensemble."""

import runpy

import numpy as np
import pytest
import tensorflow as tf

from landmark_zoo.core.errors import UserError
from landmark_zoo.serving.member import Member


@pytest.fixture(scope="module")
def write(root):
    return runpy.run_path(str(root / "tests/retrieval/tiny_saved_model.py"))["write_tiny_saved_model"]


def test_embeds_and_knows_itself(members, batch):
    member = Member(members[0].parent)
    assert (member.side, member.dimension, member.facts["training_data"]) == (64, 6, "set a")
    np.testing.assert_allclose(np.linalg.norm(member(batch), axis=1), 1, atol=1e-5)
    assert member.parameters == 8 * 8 * 3 * 8 + 8 + 8 * 6 + 6
    assert member.card == {}


def test_embeddings_of_another_length(write, tmp_path):
    with pytest.raises(UserError, match=r"embeddings have length 1 at .*; received length 2.0000"):
        Member(write(tmp_path / "long" / "1", scale=2.0))


def test_a_missing_signature(write, tmp_path):
    with pytest.raises(UserError, match=r"the signature info at .*; received signatures images, serving_default"):
        Member(write(tmp_path / "m" / "1", signatures=("serving_default", "images")))


def test_not_ours(tmp_path):
    module = tf.Module()
    tf.saved_model.save(module, str(tmp_path / "other"))
    with pytest.raises(UserError, match=r"the signature serving_default at .*; received signatures \(none\)"):
        Member(tmp_path / "other")


def test_no_model_or_a_broken_one(tmp_path):
    with pytest.raises(UserError, match=r"a SavedModel at .*; received no such folder"):
        Member(tmp_path / "absent")
    (tmp_path / "saved_model.pb").write_bytes(b"not a model")
    with pytest.raises(UserError, match="a readable SavedModel"):
        Member(tmp_path)
