"""Table of the zoo that needs no TensorFlow."""

import subprocess
import sys
import time
from pathlib import Path

import pytest

from experiments.benchmarks.zoo import COLUMNS, published_weights, write_table
from landmark_zoo.backbones.registry import BACKBONES
from landmark_zoo.core.errors import UserError
from landmark_zoo.core.files import read_csv
from landmark_zoo.layers.attention.registry import ATTENTION
from landmark_zoo.models.registry import NETWORKS, WHOLE, list_models
from landmark_zoo.models.zoo_table import KINDS, Part, listing, named_models, read_parts

ROOT = Path(__file__).parents[2]


def test_the_packaged_table_is_that_of_the_registries():
    parts, remedy = read_parts(), "python -m experiments.summary --table=docs/models.csv writes it anew"
    assert {name for name, _, _ in named_models(parts)} == set(list_models()), remedy
    papers = {kind: {part.name: part.text for part in parts if part.kind == kind} for kind in KINDS}
    assert papers["backbone"] == {name: BACKBONES[name].paper for name in BACKBONES}, remedy
    assert papers["network"] == {name: NETWORKS[name].paper for name in NETWORKS}, remedy
    assert papers["attention"] == {
        name: f"{ATTENTION[name].quadrant}; {ATTENTION[name].paper}" for name in ATTENTION}, remedy


def test_rows_of_the_docs_are_those_of_the_registries():
    rows = {row["name"]: row for row in read_csv(ROOT / "docs" / "models.csv", COLUMNS)}
    assert set(rows) <= set(BACKBONES) | set(WHOLE) | set(list_models())
    parts = {part.name: part for part in read_parts()}
    for name in set(rows) & set(BACKBONES):
        assert (rows[name]["weights"], rows[name]["license"]) == published_weights(BACKBONES[name])
        assert rows[name]["smallest_side"] == str(BACKBONES[name].smallest_side)
        assert rows[name]["parameters"] == str(parts[name].parameters)


def test_numbers_are_those_of_networks_known_otherwise():
    parts = {part.name: part for part in read_parts() if part.kind == "backbone"}
    assert parts["resnet50"].parameters == 23_587_712
    assert parts["mobilenetv2"].width == 1280
    assert parts["vgg16"].macs == pytest.approx(15.3e9, rel=0.01)


def test_names_of_blocks_beside_networks_of_their_name():
    def part(kind, name):
        return Part(kind, name, None, None, None, f"paper of {name}")

    parts = [part("backbone", "r"), part("attention", "solar"), part("pooling", "gem"), part("network", "solar"),
             part("whole", "xfeat")]
    assert {name: text for name, _, text in named_models(parts)} == {
        "r": "paper of r", "r_solar_block": "paper of solar", "r_gem": "paper of r", "r_solar": "paper of solar",
        "xfeat": "paper of xfeat"}


def test_what_is_not_counted_yet():
    parts = [Part("backbone", "new", None, None, None, "a paper"), Part("backbone", "old", 5, 10**9, 3, "b")]
    lines = list(listing("*", parts))
    assert [line.split() for line in lines[1:]] == [["new", "-", "-", "-", "a", "paper"], ["old", "5", "1.00", "3", "b"]]


def test_no_model_of_that_name():
    with pytest.raises(UserError, match=r"'resnet_x\*', which matches none"):
        list(listing("resnet_x*"))


def test_lists_without_tensorflow():
    program = ("import runpy, sys; sys.argv = ['summary', '--list=resnet101_*']\n"
               "try: runpy.run_module('experiments.summary', run_name='__main__')\n"
               "finally: print('tensorflow' in sys.modules)")
    start = time.perf_counter()
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=True, capture_output=True, text=True)
    lines = done.stdout.splitlines()
    assert lines[-1] == "False"
    assert time.perf_counter() - start < 10  # a fifth of a second where nothing else runs
    assert any(line.startswith("resnet101_se ") and "local channel; Hu et al." in line for line in lines)


@pytest.mark.slow
def test_an_interrupted_table_continues(tmp_path, monkeypatch):
    monkeypatch.setattr("experiments.benchmarks.zoo._wanted", lambda: iter([("regnetx002", "backbone"), ("xfeat", "whole")]))
    monkeypatch.setattr("experiments.benchmarks.zoo._parts", lambda rows: iter([]))
    (tmp_path / "models.csv").write_text(f"{','.join(COLUMNS)}\nregnetx002,backbone,regnet_x,1,2,3.0,32,368,Keras,,paper\n")
    write_table(tmp_path / "models.csv", tmp_path / "packaged.csv")
    kept, new = read_csv(tmp_path / "models.csv", COLUMNS)
    assert (kept["parameters"], kept["milliseconds_224"]) == ("1", "3.0")
    assert (new["name"], new["parameters"], new["embedding"], new["license"]) == ("xfeat", "660654", "64", "Apache-2.0")
    assert float(new["milliseconds_224"]) > 0
    assert (tmp_path / "packaged.csv").exists()
