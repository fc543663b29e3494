"""The summary script."""

import pytest

from tests.run_script import run_script


@pytest.mark.slow
def test_prints_layers_costs_and_outputs():
    done = run_script("experiments.summary", model="mobilenetv2_se", num_classes=7, height=96, width=128)
    assert done.code == 0
    for text in ("se (SqueezeExcitation)", "Parameters: 3,123,601", "Multiply-accumulates at 96 x 128:",
                 "Output embedding: (1, 512) float32", "Output feature_map: (1, 3, 4, 1280) float32",
                 "Output logits: (1, 7)"):
        assert text in done.stdout, text


def test_a_pattern_that_matches_nothing_is_refused():
    done = run_script("experiments.summary", list="mobilenet_nothing*")
    assert (done.code, done.stdout) == (2, "")
    assert "'mobilenet_nothing*', which matches none" in done.stderr


def test_lists_from_the_table():
    done = run_script("experiments.summary", list="mobilenet_*channel")
    assert done.code == 0
    header, *lines = done.stdout.splitlines()
    assert "the backbone's alone" in header
    assert [line.split()[0] for line in lines] == ["mobilenet_channel", "mobilenet_glam_global_channel",
                                                   "mobilenet_glam_local_channel", "mobilenet_gsop_channel"]
    assert {line.split()[1] for line in lines} == {"3,228,864"}


def test_lists_with_costs():
    done = run_script("experiments.summary", list="mobilenet_*channel", height=64, width=64)
    assert done.code == 0
    lines = done.stdout.splitlines()
    assert any(line.startswith("mobilenet_channel ") and "local channel; Woo et al." in line for line in lines)
    assert any(line.startswith("mobilenet_glam_global_channel ") for line in lines)


def test_lists_a_network_without_a_choice_of_backbones():
    line = run_script("experiments.summary", list="xfeat", height=64, width=64).stdout.splitlines()[1]
    assert line.split()[:4] == ["xfeat", "660,654", "0.02", "64"]
    assert "Potje et al., XFeat" in line


def test_unknown_model():
    done = run_script("experiments.summary", model="resnet101_es")
    assert done.code == 2
    assert "Use one of: resnet101_se" in done.stderr
