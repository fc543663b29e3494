import importlib
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from landmark_zoo.layers.attention import registry
from landmark_zoo.layers.attention.base import GATE, SHARE, SIGNED, Attention
from landmark_zoo.layers.attention.registry import ATTENTION, Method, taxonomy_table
from landmark_zoo.layers.attention.san import SelfAttentionModule
from landmark_zoo.layers.attention.se import SqueezeExcitation
from tests.contracts.layer import check_half_precision_at_scale, layers_below


@pytest.fixture
def features():
    """A map of odd, unequal sides, non-negative as after a ReLU, with zeros in it."""
    return np.maximum(np.random.default_rng(0).standard_normal((2, 7, 5, 64)), 0).astype(np.float32)


@pytest.mark.parametrize("name", ATTENTION)
def test_contract(check_layer, name, features, tmp_path):
    check_layer(ATTENTION[name].create, features, tmp_path)


@pytest.mark.parametrize("name", ATTENTION)
def test_shape_is_kept_and_maps_broadcast(name, features):
    attended, maps = ATTENTION[name].create(return_maps=True)(features)
    assert attended.shape == features.shape
    assert maps, "no attention map"
    for attention_map in maps.values():
        assert np.broadcast_shapes(attention_map.shape, features.shape) == features.shape
        assert np.isfinite(attention_map).all()
    check_kinds(name, maps)


def check_kinds(name, maps):
    """Holds that the table names the kind of every map and that its values are of that kind."""
    kinds = ATTENTION[name].maps
    assert set(maps) <= set(kinds)
    for key, values in maps.items():
        if kinds[key] == GATE:
            assert 0 <= values.numpy().min() <= values.numpy().max() <= 1
        elif kinds[key] != SIGNED:
            assert values.numpy().min() >= 0
        if kinds[key] == SHARE and not name.startswith("san"):  # which loses what lies beyond the border
            np.testing.assert_allclose(np.mean(values), 1, rtol=0.2)


@pytest.mark.parametrize("name", ATTENTION)
def test_other_sizes_after_building(name, features):
    layer = ATTENTION[name].create()
    layer(features)
    for height, width in ((4, 9), (12, 8)):
        assert layer(np.ones((1, height, width, 64), np.float32)).shape == (1, height, width, 64)


@pytest.mark.parametrize("name", ATTENTION)
def test_constant_map_stays_finite(name):
    layer = ATTENTION[name].create()
    for value in (0.0, 1.0, 100.0):
        assert np.isfinite(layer(np.full((1, 7, 5, 64), value, np.float32))).all()


CUBIC = {"glam_global", "glam"}  # their outputs pass 65504, the end of float16


@pytest.mark.parametrize(("name", "policy"), [
    *((name, "mixed_float16") for name in ATTENTION if name not in CUBIC),
    *(pytest.param(name, "mixed_bfloat16", marks=pytest.mark.slow) for name in ATTENTION)])
def test_activations_up_to_a_hundred_in_half_precision(name, policy):
    check_half_precision_at_scale(ATTENTION[name].create, policy)


@pytest.mark.slow
@pytest.mark.parametrize("precision", ["bfloat16", "float16"])
@pytest.mark.parametrize("name", ATTENTION)
def test_half_precision_at_the_magnitudes_of_a_resnet(name, precision):
    features = np.maximum(np.random.default_rng(0).normal(-0.5, 1, (1, 32, 32, 256)), 0).astype(np.float32)
    check_half_precision(name, precision, features * (100 / features.max()))


@pytest.mark.parametrize("precision", ["bfloat16", "float16"])
@pytest.mark.parametrize("name", ["glam_local_channel", "glam_global_channel"])
def test_means_over_locations_are_taken_in_float32(name, precision):
    features = np.random.default_rng(0).uniform(40, 100, (1, 32, 32, 64))  # their sum is past float16
    check_half_precision(name, precision, features.astype(np.float32))


def check_half_precision(name, precision, features):
    """Compares a block with itself in float32."""
    full = ATTENTION[name].create()
    half = ATTENTION[name].create(dtype=f"mixed_{precision}")
    expected = full(features).numpy()
    half.build(features.shape)
    half.set_weights(full.get_weights())
    found = half(tf.cast(features, precision)).numpy().astype(np.float32)
    assert np.isfinite(found).all()
    # Queries and keys of the global blocks pass through a softmax that sharpens the rounding of their projections.
    allowed = 0.2 if name.startswith("glam") and "local" not in name else 0.05
    assert np.linalg.norm(found - expected) <= allowed * np.linalg.norm(expected)


@pytest.mark.parametrize("shape", [(2, 7, 5), (2, 7, 5, 64, 1)])
@pytest.mark.parametrize("name", ATTENTION)
def test_wrong_rank_is_refused(name, shape):
    with pytest.raises(ValueError, match="expected"):
        ATTENTION[name].create()(np.ones(shape, np.float32))


@pytest.mark.parametrize("name", ATTENTION)
def test_row_is_complete(name):
    method = ATTENTION[name]
    assert method.quadrant
    assert any(character.isdigit() for character in method.paper), "a year"
    assert name == method.name
    for part in ("Args:", "Input shape"):
        assert part in method.layer.__doc__


def test_every_method_has_a_row():
    folder = Path(registry.__file__).parent
    for path in folder.glob("*.py"):
        importlib.import_module(f"landmark_zoo.layers.attention.{path.stem}")
    methods = {kind for kind in layers_below(Attention) if kind.__module__.startswith("landmark_zoo.")}
    rows = [ATTENTION[name] for name in ATTENTION]
    assert methods == {row.layer for row in rows} | {row.replacement for row in rows if row.replacement}


def test_maps_are_returned_on_request_only(features):
    assert isinstance(ATTENTION["se"].create()(features), tf.Tensor)


def test_quadrant_in_words():
    method = Method("both", SqueezeExcitation, "Nobody, 2000", local_spatial=True, local_channel=True)
    assert method.quadrant == "local spatial + local channel"


def test_create_takes_the_rows_arguments_and_overrides():
    method = Method("narrow", SqueezeExcitation, "Nobody, 2000", arguments={"reduction": 4})
    assert method.create().reduction == 4
    assert method.create(reduction=8, name="x").name == "x"
    assert ATTENTION["se"].create().reduction == 16


def test_what_stands_in_for_a_convolution():
    able = {name for name, method in ATTENTION.items() if method.replacement is not None}
    assert able == {"aa", "san_pairwise", "san_patchwise"}
    layer = ATTENTION["san_patchwise"].create_replacement(24, kernel_size=3, name="x")
    assert isinstance(layer, SelfAttentionModule)
    assert (layer.kind, layer.filters, layer.kernel_size, layer.name) == ("patchwise", 24, 3, "x")
    with pytest.raises(ValueError, match="can replace a convolution; received se"):
        ATTENTION["se"].create_replacement(24)


def test_marks_of_the_printed_table_that_the_code_would_not_suggest():
    marks = {name: (method.quadrant, method.learned) for name, method in ATTENTION.items()}
    assert {marks[name][0] for name in ATTENTION.list("ge*") if not name.startswith("gem")} == {"local spatial"}
    assert marks["how"] == ("local spatial", True)
    assert {marks[name] for name in ATTENTION.list("agem*")} == {("local spatial", False)}


def test_rows():
    table = taxonomy_table([ATTENTION["cbam"]]).splitlines()
    assert table[2].startswith("| [cbam](landmark_zoo/layers/attention/cbam.py) | x | x |  |  | x |  | Woo et al.")


def test_readme_holds_it(root):
    table = taxonomy_table(ATTENTION[name] for name in ATTENTION)
    assert table in (root / "README.md").read_text(encoding="utf-8"), "python -m experiments.summary --taxonomy prints it"


def test_links_lead_to_files(root):
    for name in ATTENTION:
        assert (root / f"{ATTENTION[name].layer.__module__.replace('.', '/')}.py").is_file()
