import dataclasses
import json

import numpy as np
import pytest

from landmark_zoo.core.errors import UserError
from landmark_zoo.evaluation.protocol_card import NOT_STATED, ProtocolCard, card_facts

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


def test_model_and_images():
    model = {"name": "resnet101_glam", "side": 352, "scales": [1.0], "resize": "longer side", "training_data": "GLDv2"}
    facts = card_facts({"apply_exif": False, "photographs_sha256": "q", "cropped": 3},
                       {"apply_exif": False, "photographs_sha256": "i", "model": model}, "f")
    assert (facts["model_name"], facts["side"], facts["scales"]) == ("resnet101_glam", 352, [1.0])
    assert (facts["query_photographs_sha256"], facts["index_photographs_sha256"]) == ("q", "i")
    assert (facts["exif"], facts["model_fingerprint"]) == ("as stored", "f")
    assert facts["crop"].startswith("queries cut to their boxes")
    assert facts["whitening"] == NOT_STATED


@pytest.mark.parametrize(("rules", "words"), [
    ({}, "queries cut to their boxes, in pixels of the file, before the resize"),
    ({"resize_rule": "bilinear", "crop_rule": "side", "box_rounding": "nearest"},
     "queries cut to their boxes, in pixels of the file, before the resize"),
    ({"crop_rule": "image"},
     "queries cut to their boxes, in pixels of the file, before the resize, which keeps the image's scale"),
    ({"resize_rule": "none", "box_rounding": "floor"},
     "queries cut to their boxes, in pixels of the file, corners rounded down, not resized")])
def test_the_models_rule_for_boxes(rules, words):
    model = {"name": "m", "side": 352, "scales": "[1.0]; [0.5, 1.0]", **rules}
    assert card_facts({"cropped": 3}, {"model": model}, "f")["crop"] == words
    assert card_facts({"cropped": 0}, {"model": model}, "f")["crop"] == "none, whole queries"


def test_silence_is_said():
    facts = card_facts({}, {}, "f")
    assert (facts["exif"], facts["resize"], facts["model_name"], facts["crop"]) == (NOT_STATED,) * 4
    assert facts["versions"]["numpy"] == np.__version__


def test_unlike_turns_are_said():
    assert card_facts({"apply_exif": True}, {"apply_exif": False}, "f")["exif"] == "queries turned, index as stored"


def test_steps_behind_the_embedding():
    facts = card_facts({"steps": ["whitening: PCA", "query expansion: 10 neighbours, alpha 3"]},
                       {"steps": ["database augmentation: 3 neighbours, weights by place", "database augmentation: 5"]}, "f")
    assert facts["query_expansion"] == "10 neighbours, alpha 3"
    assert facts["database_augmentation"] == "3 neighbours, weights by place, then 5"


def test_no_step_and_nothing_known_are_different_things():
    assert card_facts({}, {}, "f")["query_expansion"] == "none"
    unknown = card_facts(None, None, NOT_STATED)
    assert (unknown["query_expansion"], unknown["database_augmentation"]) == (NOT_STATED,) * 2
