"""Results as a model card shows them."""

import dataclasses

import pytest

from landmark_zoo.core.errors import UserError
from landmark_zoo.core.files import write_json
from landmark_zoo.evaluation.protocol_card import ProtocolCard
from landmark_zoo.evaluation.results import Results
from landmark_zoo.evaluation.scores_for_card import scores_for_card

FACTS = {field.name: field.name for field in dataclasses.fields(ProtocolCard)}
CARD = ProtocolCard(**FACTS | {"queries_used": 2, "queries_ignored": 1, "versions": {}, "scales": [0.7071, 1.0], "side": 64})
METRICS = {"mAP@100": {"value": 0.5, "low": 0.4, "high": 0.6, "queries": 2}}
INFO = {"side": 64, "scales": [0.7071, 1.0], "aggregation": "aggregation", "whitening": "whitening",
        "training_data": "training_data", "dimension": 6}


@pytest.fixture
def folder(tmp_path):
    row = {"query_id": "q1", "average_precision": 0.25, "positives": 3}
    Results("tiny", CARD, METRICS, [row], []).write(tmp_path / "out", {})
    return tmp_path / "out"


def test_metrics_with_their_card(folder):
    score = scores_for_card(folder, INFO)
    assert (score["benchmark"], score["metrics"]) == ("benchmark", METRICS)
    assert score["card"]["model_fingerprint"] == "model_fingerprint"


@pytest.mark.parametrize(("key", "value"), [("side", 96), ("scales", [1.0]), ("whitening", "none")])
def test_results_of_other_settings(folder, key, value):
    with pytest.raises(UserError, match=f"results of a model with {key}"):
        scores_for_card(folder, {**INFO, key: value})


def test_no_results(tmp_path):
    with pytest.raises(UserError, match="a JSON file at"):
        scores_for_card(tmp_path, INFO)
    write_json(tmp_path / "metrics.json", {"name": "x"})
    with pytest.raises(UserError, match=r"results of experiments\.evaluate"):
        scores_for_card(tmp_path, INFO)
