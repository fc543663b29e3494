"""What provenance says for the card."""

import numpy as np

from landmark_zoo.evaluation.card_facts import NOT_STATED, card_facts


def test_model_and_pictures():
    model = {"name": "resnet101_glam", "side": 352, "scales": [1.0], "resize": "longer side", "training_data": "GLDv2"}
    facts = card_facts({"apply_exif": False, "photographs_sha256": "q", "cropped": 3},
                       {"apply_exif": False, "photographs_sha256": "i", "model": model}, "f")
    assert (facts["model_name"], facts["side"], facts["scales"]) == ("resnet101_glam", 352, [1.0])
    assert (facts["query_photographs_sha256"], facts["index_photographs_sha256"]) == ("q", "i")
    assert (facts["exif"], facts["model_fingerprint"]) == ("as stored", "f")
    assert facts["crop"].startswith("queries cut to their boxes")
    assert facts["whitening"] == NOT_STATED


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
