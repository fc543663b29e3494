import json

import pytest

from experiments.benchmarks.build import build_once, draw_tiny, measure_build


def test_one_build(tmp_path, capsys):
    build_once(draw_tiny(tmp_path / "tiny"), "150", "1", str(tmp_path / "records"))
    facts = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert facts["pictures"] == 150
    assert facts["speed"] > 0
    assert facts["memory"] > 50


@pytest.mark.slow
@pytest.mark.nightly
@pytest.mark.timeout(1800)
def test_memory_does_not_grow_with_the_images():
    lines = measure_build(None, tiny=(2_000, 20_000)).splitlines()
    few, many = (float(line.split("|")[6]) for line in lines[2:])
    assert many - few < 50  # their 32 x 32 pictures would be as much again
