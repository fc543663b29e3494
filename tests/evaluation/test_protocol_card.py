"""The protocol card."""

import dataclasses
import json

import pytest

from landmark_zoo.core.errors import UserError
from landmark_zoo.evaluation.protocol_card import ProtocolCard

FACTS = {field.name: field.name for field in dataclasses.fields(ProtocolCard)} | {"scales": [1.0, 0.5], "versions": {}}
CARD = ProtocolCard(**FACTS)


def test_survives_json():
    assert ProtocolCard.from_dict(json.loads(json.dumps(CARD.to_dict()))) == CARD


def test_same_rules_have_no_differences():
    assert CARD.differences(CARD) == {}
    assert CARD.differences(dataclasses.replace(CARD, model_name="other", model_fingerprint="other")) == {}


@pytest.mark.parametrize("name", sorted(set(FACTS) - {"model_name", "model_fingerprint"}))
def test_every_rule_is_compared(name):
    other = dataclasses.replace(CARD, **{name: "another"})
    assert CARD.differences(other) == {name: (FACTS[name], "another")}


def test_a_card_of_another_form_is_refused():
    with pytest.raises(UserError, match="colour, crop missing or unknown"):
        ProtocolCard.from_dict({**{key: value for key, value in FACTS.items() if key != "crop"}, "colour": 1})
