import logging

import pytest

from landmark_zoo.training.card_precision import card_precision, policy_for


@pytest.mark.parametrize(("cards", "policy"), [
    ([], "float32"), ([(6, 0)], "float32"), ([(7, 0)], "float32"), ([(7, 5), (7, 5)], "float32"),
    ([(8, 0)], "mixed_bfloat16"), ([(8, 6)] * 4, "mixed_bfloat16"), ([(9, 0)], "mixed_bfloat16"),
    ([(8, 0), (6, 0)], "float32"), ([None], "float32")],
    ids=["CPU", "P100", "V100", "T4", "A100", "A10", "H100", "mixed", "unknown"])
def test_by_compute_capability(cards, policy):
    assert policy_for(cards) == policy


def test_what_was_asked_for_is_kept_and_auto_is_printed(caplog, monkeypatch):
    assert card_precision("mixed_float16") == "mixed_float16"
    with caplog.at_level(logging.INFO, logger="absl"):
        assert card_precision("auto") == "float32"
        config = "landmark_zoo.training.card_precision.tf.config"
        monkeypatch.setattr(f"{config}.get_visible_devices", lambda _: ["card"])
        monkeypatch.setattr(f"{config}.experimental.get_device_details",
                            lambda _: {"device_name": "A100", "compute_capability": (8, 0)})
        assert card_precision("auto") == "mixed_bfloat16"
    assert [record.getMessage() for record in caplog.records] == [
        "--precision=auto: float32 on the CPU.",
        "--precision=auto: mixed_bfloat16 on A100 (compute capability 8.0)."]
