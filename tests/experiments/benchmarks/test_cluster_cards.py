"""Facts of a node, and the verdict on its cards, driver and kernels."""

import copy

import pytest

from experiments.benchmarks.cluster_cards import (
    MACHINE,
    cards_given,
    check_machines,
    code_for,
    examine_machine,
    first_driver,
    parse_nvidia_smi,
)
from landmark_zoo.core.files import read_json

BUILD_2_15 = ["sm_50", "sm_60", "sm_70", "sm_75", "compute_80"]


def machine(number=4, **changes):
    """Facts of a node with A100s, all as it should be."""
    return {"versions": {"tensorflow": "2.15.1"}, "cuda": "12.2", "cudnn": "8", "build": BUILD_2_15, "given": number,
            "cards": [{"name": "NVIDIA A100", "capability": "8.0"}] * number, "right": [True] * number,
            "smi": [{"driver": "535.183.01", "memory_mib": 40960, "name": "NVIDIA A100"}] * number, "seconds": 9.5,
            "cores": 28, "memory_gib": 250.0, "interface": "ib0"} | copy.deepcopy(changes)


def lines(*machines):
    return [str(check) for check in check_machines(machines)]


def test_all_is_well():
    said = lines(machine(), machine())
    assert len(said) == 4
    assert all(line.startswith("ok ") for line in said)
    assert "4 of 4: NVIDIA A100; driver 535.183.01, CUDA 12.2" in said[0]
    assert "compiled at the first start" in said[1], "2.15 has only intermediate code for an A100"


def test_no_cards_are_no_failure():
    said = lines(machine(0, smi=[]), machine(0, smi=[]))
    assert said == ["ok     cards: none on 2 nodes: driver, CUDA, NCCL and the gain of mixed precision are not checked"]


SMI = {"driver": "470.57.02", "memory_mib": 16280, "name": "Tesla P100"}


@pytest.mark.parametrize(("changes", "said"), [
    ({"cards": []}, "received 0 (driver 535.183.01). Install TensorFlow's CUDA libraries"),
    ({"cards": [], "smi": []}, "received 0 (driver unknown). nvidia-smi shows no card there"),
    ({"cards": [], "cuda": ""}, "built without CUDA"),
    ({"cards": [], "smi": [SMI]}, "Ask for nodes with driver 525 or newer, which CUDA 12.2 needs."),
    ({"given": 8}, "Expected 8 cards, as given, in TensorFlow; received 4"),
    ({"right": [True, False, True, True]}, "wrong numbers on card 1"),
    ({"cards": [{"name": "K80", "capability": "3.7"}] * 4},
     "a TensorFlow with code for compute capability 3.7; received one for sm_50"),
    ({"cards": [{"name": "\x1b[2K", "capability": "?"}] * 4}, "compute capability ?")])
def test_one_line_says_what_is_wrong_and_what_to_do(changes, said):
    bad = [line for line in lines(machine(**changes)) if line.startswith("NOT OK")]
    assert len(bad) == 1
    assert said in bad[0]


def test_nodes_of_two_kinds_and_a_node_without_facts():
    other = machine(versions={"tensorflow": "2.21.0"})
    said = [line for line in lines(machine(), None, other) if line.startswith("NOT OK")]
    assert len(said) == 2
    assert "node 1: Expected facts of this node; received none." in said[0]
    assert "others on node 2" in said[1]
    line, = lines(None)
    assert line.endswith("received none. Read the lines of part machine in the log above.")


@pytest.mark.parametrize(("card", "build", "found"), [
    ("6.0", BUILD_2_15, "own"), ("7.2", BUILD_2_15, "own"), ("8.0", BUILD_2_15, "compiled"), ("9.0", BUILD_2_15, "compiled"),
    ("10.0", BUILD_2_15, "compiled"), ("3.5", BUILD_2_15, "none"), ("?", BUILD_2_15, "none"), ("8.0", [], "none"),
    ("8.6", ["sm_80"], "own"), ("8.0", ["sm_86"], "none"), ("9.0", ["sm_80"], "none"), ("10.0", ["sm_100"], "own"),
    ("8.0", ["sm_", "compute_", "nonsense", ""], "none"), ("9.0", ["compute_90", "sm_90"], "own")])
def test_where_a_cards_code_comes_from(card, build, found):
    assert code_for(card, build) == found


def test_first_driver():
    found = {text: first_driver(text) for text in ("11.8", "12.2", "12.5.1", "13.0", "99", "", "x")}
    assert list(found.values()) == [450, 525, 525, 580, None, None, None]


@pytest.mark.parametrize(("environ", "number"), [
    ({"SLURM_GPUS_ON_NODE": "4", "CUDA_VISIBLE_DEVICES": "0"}, 4), ({"CUDA_VISIBLE_DEVICES": "0,3"}, 2), ({}, 8),
    ({"CUDA_VISIBLE_DEVICES": ""}, 0), ({"CUDA_VISIBLE_DEVICES": "-1"}, 0), ({"CUDA_VISIBLE_DEVICES": "NoDevFiles"}, 0),
    ({"CUDA_VISIBLE_DEVICES": "GPU-8932f937,"}, 1), ({"SLURM_JOB_ID": "7"}, 0), ({"SLURM_GPUS_ON_NODE": "a100:4"}, 8)])
def test_cards_given(environ, number):
    assert cards_given(environ, 8) == number


def test_nvidia_smi():
    text = ("535.183.01, 40960, NVIDIA A100, 40 GB\r\n\n[N/A], [N/A], broken\nNo devices were found\n"
            "470.57.02,16280,Tesla P100\n")
    assert parse_nvidia_smi(text) == [{"driver": "535.183.01", "memory_mib": 40960, "name": "NVIDIA A100, 40 GB"}, SMI]


def test_this_machine(tmp_path, monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "-1")
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.delenv("TF_CONFIG", raising=False)
    examine_machine(tmp_path)
    facts = read_json(tmp_path / "facts" / "machine-0.json", MACHINE)
    assert facts["versions"]["tensorflow"]
    assert (facts["given"], facts["smi"]) == (0, [])
