"""What the self-test reads of its folder, however damaged."""

import dataclasses
import json
import math

import numpy as np
import pytest

from experiments.benchmarks.cluster import make_plan
from experiments.benchmarks.cluster_evidence import Run, collect, read_ends, read_run, relative_difference

LINE = {"step": 1, "epoch": 0, "loss": 2.5, "accuracy": 0.0, "learning_rate": 0.1, "images_per_second": 10.0}
FACTS = {"replicas": 1, "precision": "float32", "batch_size": 8, "peak_mib": 512.5, "started_at": None, "saved_at": 12}


def test_an_empty_folder(tmp_path):
    found = collect(tmp_path, make_plan(2, []))
    assert (found.ends, found.facts, found.differences, found.machines) == ({}, {}, {}, [None, None])
    assert set(found.runs) == {"one", "nodes", "mixed", "interrupted", "resumed"}
    assert set(found.runs.values()) == {Run()}


@pytest.mark.parametrize("text", ["", "[]", "{}", "null", "\udcff", pytest.param("[" * 100_000, id="deep"), *(
    json.dumps(FACTS | change) for change in ({"peak_mib": math.nan}, {"replicas": "1"}, {"saved_at": 1.5}))])
def test_damaged_facts_are_absent(tmp_path, text):
    (tmp_path / "facts").mkdir()
    for name in ("one", "machine-0", "all_reduce", "input"):
        (tmp_path / "facts" / f"{name}.json").write_text(text, errors="surrogateescape")
    (tmp_path / "facts" / "mixed.json").mkdir()
    found = collect(tmp_path, make_plan(2, []))
    assert (found.facts, found.machines) == ({}, [None, None])


def test_whole_facts(tmp_path):
    (tmp_path / "facts").mkdir()
    (tmp_path / "facts" / "one.json").write_text(json.dumps(FACTS))
    assert collect(tmp_path, make_plan(2, [])).facts == {"one": FACTS}


def test_ends(tmp_path):
    path = tmp_path / "codes.txt"
    path.write_bytes(b"one 1 5\none 0 17\ninterrupted 42 9\nnodes\nmixed 0\ninput -1 3\nfull 0 1e9\n\xff\xfe 0 0 0\n"
                     b"x 999999999 1\n")
    assert read_ends(path) == {"one": (0, 17.0), "interrupted": (42, 9.0)}
    assert read_ends(tmp_path / "absent") == read_ends(tmp_path) == {}


def test_history_of_anything(tmp_path):
    path = tmp_path / "history.jsonl"
    rows = [LINE, {"step": 1, "validation_loss": 3.0}, LINE | {"step": 2, "loss": "low"}, LINE | {"step": 3, "loss": True},
            LINE | {"step": 4, "loss": 10**400}, LINE | {"step": 5, "loss": math.nan, "images_per_second": math.inf}]
    path.write_text("\n".join(map(json.dumps, rows)) + '\nnonsense\n[1]\n{"step": "6"}\n{"step": 7, "lo')
    run = read_run(path)
    assert run.steps == (1, 4, 5)
    assert run.losses[:2] == (2.5, math.inf)
    assert math.isnan(run.losses[2])
    assert run.speed == 10
    assert read_run(tmp_path) == read_run(tmp_path / "absent") == Run()


def test_speed_is_the_median():
    assert Run(speeds=(1.0, 100.0, 90.0)).speed == 90
    assert Run().speed == 0


def test_relative_difference():
    start, end = [np.zeros(3), np.ones((2, 2))], [np.array([3.0, 0, 0]), np.array([[1.0, 1], [1, 5]])]
    assert relative_difference(end, end, start) == 0
    assert relative_difference(start, end, start) == 1
    assert relative_difference([end[0] + [0.0, 0.5, 0], end[1]], end, start) == pytest.approx(0.1)
    assert relative_difference(end, start, start) == math.inf, "training that moved nothing shows nothing"
    assert relative_difference([end[0] * np.nan, end[1]], end, start) == math.inf


@pytest.mark.parametrize(("cards", "tf32"), [([], False), (["7.5"], False), (["8.0"], True), (["6.0", "9.0"], True)])
def test_tf32(tmp_path, cards, tf32):
    assert dataclasses.replace(collect(tmp_path, make_plan(1, [])), plan=make_plan(1, cards)).tf32 is tf32
