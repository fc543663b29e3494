import json
import time

import pytest

from landmark_zoo.serving import model_card as module
from landmark_zoo.serving.model_card import CardNotes, card_page, model_card, signature_line, write_card
from landmark_zoo.serving.network import Network
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


CARD = {
    "name": "m", "version": "2", "signatures": {"info": "() -> constants"}, "info": {"dimension": 6, "scales": [0.5, 1.0]},
    "parameters": 12345, "megabytes": 1.5, "picture": [48, 64], "multiply_accumulates": None,
    "speed": {"milliseconds_per_picture": 3.14, "batch": 1, "measured": "once", "machine": "x", "cores": 2, "gpus": 0},
    "data": {}, "recipe": {"epochs": 3, "alpha": None, "odd": "a|b"}, "licence": {"model": "MIT"},
    "versions": {"numpy": "1"},
    "scores": [{"benchmark": "toy", "protocol": "folder", "card": {"side": 64, "versions": {"numpy": "1"}},
                "metrics": {"mAP": {"value": 0.5, "low": 0.4, "high": 0.61, "queries": 7}}}]}


def test_page():
    page = card_page(CARD)
    for line in ('model = tf.saved_model.load("2")', "| scales | 0.5, 1.0 |", "| parameters | 12,345 |",
                 "| multiply-accumulates at 48 x 64 | not counted |", "| epochs | 3 |", "| alpha | – |", "| odd | a/b |",
                 "### toy (folder)", "| mAP | 50.0 | 40.0 | 61.0 | 7 |", "| versions | numpy 1 |", "| model | MIT |"):
        assert line in page, line
    assert "## What it was trained on\n\nNot stated." in page


def test_says_what_it_takes(card):
    page = card_page(card)
    for words in ("JPEG, PNG, GIF", "WebP, TIFF and HEIC", "89,478,485 or fewer", "turns JPEG and PNG as their EXIF",
                  "`images` resizes by itself (longer side to 64 pixels, antialiased)"):
        assert words in page
    assert "must be turned before" in card_page(CARD)


def test_says_what_the_maps_are(attentive_model):
    module = Signatures(Network(attentive_model, 64), {"name": "m"})
    card = model_card(module, {"name": "m"}, "3", 1.234, CardNotes())
    assert card["signatures"]["attention"].startswith("images: float32[N, ?, ?, 3] -> attention/channel: float32[N, ")
    page = card_page(card)
    assert "| attention/spatial | gate | a factor from 0 to 1 |" in page
    assert "| class_activation | norm | a number of 0 or more, which counts beside the largest of its image |" in page
    assert "| attention maps |" not in page
    assert "What `attention` shows" not in card_page(CARD)


def test_without_scores():
    assert "## Scores\n\nNone were given." in card_page({**CARD, "scores": []})


def test_median_without_the_first_call():
    naps = iter([0.3, *[0.01] * 7])
    shapes = []

    def embed(image):
        shapes.append(tuple(image.shape))
        time.sleep(next(naps))
    assert 10 <= module.milliseconds_per_image(embed, 48, 64) < 200
    assert shapes == [(1, 48, 64, 3)] * 8


def test_stops_when_it_takes_long(monkeypatch):
    monkeypatch.setattr(module, "SECONDS", 0.01)
    calls = []
    module.milliseconds_per_image(lambda _: (calls.append(1), time.sleep(0.02)), 32, 32)
    assert len(calls) == 2
