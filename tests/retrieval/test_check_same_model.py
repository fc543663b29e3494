"""Embeddings of two models are never compared."""

import pytest

from landmark_zoo.core.errors import UserError
from landmark_zoo.retrieval.check_same_model import check_same_model


def test_same_model_passes():
    assert check_same_model(8, "aa", 8, "aa") is None


@pytest.mark.parametrize(("other", "message"), [
    ((16, "aa"), "dimension 8; received dimension 16"), ((8, "bb"), "fingerprint aa; received fingerprint bb"),
])
def test_unlike_models_are_refused(other, message):
    with pytest.raises(UserError, match=message):
        check_same_model(8, "aa", *other)
