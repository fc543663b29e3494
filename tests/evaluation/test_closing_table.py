"""The closing lines of a quickstart."""

from landmark_zoo.core.files import write_json
from landmark_zoo.evaluation.closing_table import closing_table


def test_per_cent_with_the_interval(tmp_path):
    value = {"value": 0.3272, "low": 0.2753, "high": 0.379}
    write_json(tmp_path / "metrics.json", {"name": "trained", "metrics": {"mAP@100": value, "P@1": value, "P@10": value}})
    lines = closing_table([tmp_path]).splitlines()
    assert lines[0].split() == ["mAP@100", "95", "%", "interval", "P@1", "P@10"]
    assert lines[1].split() == ["trained", "32.7", "[27.5,", "37.9]", "32.7", "32.7"]
