"""The model card."""

import json

import pytest

from landmark_zoo.serving.card_notes import CardNotes
from landmark_zoo.serving.embedders.network import Network
from landmark_zoo.serving.model_card import model_card, signature_line, write_card
from landmark_zoo.serving.signatures import Signatures


@pytest.fixture(scope="module")
def card(little_model):
    notes = CardNotes(data={"photographs": 9}, recipe={"epochs": 3}, licence="MIT", scores=[
        {"benchmark": "toy", "protocol": "gldv2_retrieval", "card": {"side": 64},
         "metrics": {"mAP@100": {"value": 0.5, "low": 0.4, "high": 0.6, "queries": 7}}}])
    return model_card(Signatures(Network(little_model, 64), {"name": "m"}), {"name": "m"}, "3", 1.234, notes)


def test_says_what_it_is_and_what_it_costs(card, little_model):
    head = little_model.get_layer("head").count_params()
    assert card["parameters"] == little_model.count_params() - head
    assert card["picture"] == [48, 64]
    assert card["multiply_accumulates"] == 48 * 64 * 3 * 8 + 8 * 6
    assert card["speed"]["milliseconds_per_picture"] > 0
    assert (card["data"], card["recipe"]["epochs"], card["megabytes"]) == ({"photographs": 9}, 3, 1.23)
    assert card["signatures"]["crop"] == "image_bytes: string[N], box: float32[N, 4] -> embedding: float32[N, 6]"


def test_lines(little_model):
    functions = Signatures(Network(little_model, 64), {}).functions()
    assert signature_line(functions["info"]) == "() -> constants"
    assert signature_line(functions["images"]) == "images: float32[N, ?, ?, 3] -> embedding: float32[N, 6]"


def test_files(card, tmp_path):
    write_card(tmp_path, card)
    assert json.loads((tmp_path / "card.json").read_text()) == card
    assert (tmp_path / "README.md").read_text().startswith("# m, version 3\n")
