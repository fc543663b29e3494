"""From a model to an embedder."""

import pytest

from landmark_zoo.serving.embedders.embedder_of import embedder_of
from landmark_zoo.serving.scales import Scales


@pytest.mark.parametrize("scales", [None, Scales(), Scales((1.0,), unit=False)])
def test_one_scale_is_the_network(little_model, scales):
    assert embedder_of(little_model, 64, scales).facts["aggregation"] == "none"


def test_several_scales(little_model):
    facts = embedder_of(little_model, 64, Scales((1.0, 2.0), unit=False)).facts
    assert facts["aggregation"] == "mean of embeddings before their L2 normalisation, L2"
