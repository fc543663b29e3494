"""The card as a page."""

from landmark_zoo.serving.card_page import card_page

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


def test_without_scores():
    assert "## Scores\n\nNone were given." in card_page({**CARD, "scores": []})
