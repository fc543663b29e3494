"""A whitening from its folder."""

import pytest

from landmark_zoo.core.errors import UserError
from landmark_zoo.retrieval.whitening.learnt_whitening import LearntWhitening
from landmark_zoo.retrieval.whitening.load_whitening import load_whitening
from landmark_zoo.retrieval.whitening.pca_whitening import PcaWhitening
from tests.retrieval.made_up import made_up


def test_either_kind(tmp_path):
    train = made_up(50)
    PcaWhitening(3, 0.5).fit(train).save(tmp_path / "pca")
    LearntWhitening(3).fit(train, [(f"i{n}", f"i{n + 5}") for n in range(45)]).save(tmp_path / "learnt")
    assert load_whitening(tmp_path / "pca").settings == {"dimension": 3, "power": 0.5}
    assert isinstance(load_whitening(tmp_path / "learnt"), LearntWhitening)


@pytest.mark.parametrize("text", [None, "[]", "{}", '{"kind": "tea"}'])
def test_something_else(tmp_path, text):
    if text is not None:
        (tmp_path / "whitening.json").write_text(text)
    with pytest.raises(UserError, match="Expected"):
        load_whitening(tmp_path)
