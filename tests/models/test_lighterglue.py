"""LighterGlue: matches against what the authors' code gave, batches against pairs alone, no points."""

import numpy as np
import pytest
import tensorflow as tf

from landmark_zoo.core.errors import UserError
from landmark_zoo.models.lighterglue import (
    LIGHTERGLUE,
    assign,
    attend,
    build_lighterglue,
    centred,
    put_back,
    query_key_value,
)
from tests.models.record_xfeat import RECORD, live, pictures

SIZES = [(image.shape[1], image.shape[0]) for image in pictures()]


@pytest.fixture(scope="module")
def weights():
    """The authors' file, which make setup installs."""
    try:
        return LIGHTERGLUE.find()
    except UserError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="module")
def built(weights):
    return build_lighterglue("published")


@pytest.fixture(params=[0.95, 0])
def matcher(request, built, monkeypatch):
    """With the authors' pruning, and without."""
    monkeypatch.setattr(built, "pruning", request.param)
    return built


@pytest.fixture(scope="module")
def recorded():
    return np.load(RECORD)


def side(recorded, number, rows=slice(None), into=0, count=None):
    """Inputs of one side of one pair: some rows of a recorded picture, filled up with zeros to `count`."""
    inputs = {}
    for name in ("keypoints", "descriptors"):
        values = recorded[f"{name}{number}"][rows]
        inputs[f"{name}{into}"] = np.pad(values, [(0, (count or len(values)) - len(values)), (0, 0)])[None]
    return inputs | {f"size{into}": np.array([SIZES[number]], np.float32)}


def run(matcher, *sides):
    inputs = {name: tf.constant(values) for each in sides for name, values in each.items()}
    return {name: values.numpy() for name, values in matcher(inputs).items()}


def test_equals_the_authors_code_as_recorded(matcher, recorded):
    found = run(matcher, side(recorded, 0), side(recorded, 1, into=1))
    matches, scores = (recorded[f"{name}_{matcher.pruning}"] for name in ("matches", "scores"))
    assert np.count_nonzero(matches >= 0) > 30
    np.testing.assert_array_equal(found["matches"][0], matches)
    np.testing.assert_allclose(found["scores"][0], np.where(matches < 0, 0, scores), atol=1e-3)


@pytest.mark.slow
def test_equals_the_authors_code_live(matcher, recorded, tmp_path):
    """In both directions, and with fewer points."""
    pairs, asked = ((0, 1, slice(None)), (1, 0, slice(60)), (0, 0, slice(5, 50, 2)), (1, 1, slice(1))), {}
    for number, (first, second, rows) in enumerate(pairs):
        for name in ("keypoints", "descriptors"):
            asked |= {f"pair/{number}/{name}0": recorded[f"{name}{first}"][rows],
                      f"pair/{number}/{name}1": recorded[f"{name}{second}"]}
        asked[f"pair/{number}/sizes"] = np.array([SIZES[first], SIZES[second]])
    twin = live(tmp_path, pruning=matcher.pruning, **asked)
    for number, (first, second, rows) in enumerate(pairs):
        found = run(matcher, side(recorded, first, rows), side(recorded, second, into=1))
        np.testing.assert_array_equal(found["matches"][0], twin[str(number)])


def test_the_matches_are_those_of_the_drawing(matcher, recorded):
    """The second picture shows a part of the first, 9/8 as large."""
    matches = run(matcher, side(recorded, 0), side(recorded, 1, into=1))["matches"][0]
    first, second = recorded["keypoints0"][matches >= 0], recorded["keypoints1"][matches[matches >= 0]]
    missed = np.abs((first - (50, 30)) * 9 / 8 - second).max(axis=1)
    assert np.median(missed) < 2
    assert np.mean(missed < 7) > 0.95


def test_a_padded_batch_gives_each_pair_what_it_gets_alone(matcher, recorded):
    """Other counts on each side, rows between that are no points, a side without points, both without."""
    rows = [(slice(None), slice(None)), (slice(40), slice(70)), (slice(0), slice(50)), (slice(30), slice(0)),
            (slice(0), slice(0)), (slice(20, 90), slice(None))]
    alone = [run(matcher, side(recorded, 0, first), side(recorded, 1, second, into=1)) for first, second in rows]
    padded = [{**side(recorded, 0, first, count=110), **side(recorded, 1, second, into=1, count=105)}
              for first, second in rows]
    together = run(matcher, {name: np.concatenate([pair[name] for pair in padded]) for name in padded[0]})
    assert together["matches"].shape == (6, 110)
    for row, pair in enumerate(alone):
        count = pair["matches"].shape[1]
        np.testing.assert_array_equal(together["matches"][row, :count], pair["matches"][0])
        np.testing.assert_allclose(together["scores"][row, :count], pair["scores"][0], atol=1e-3)
        assert np.all(together["matches"][row, count:] == -1)
        assert not np.any(together["scores"][row, count:])
    assert [np.count_nonzero(pair["matches"] >= 0) > 0 for pair in alone] == [True, True, False, False, False, True]


def test_rows_of_zeros_may_stand_anywhere(matcher, recorded):
    plain = run(matcher, side(recorded, 0), side(recorded, 1, into=1))["matches"][0]
    inputs = side(recorded, 0)
    places = np.sort(np.random.default_rng(0).choice(130, 100, replace=False))
    spread = {name: np.zeros((1, 130, values.shape[-1]), np.float32) for name, values in inputs.items() if name != "size0"}
    for name, values in spread.items():
        values[0, places] = inputs[name][0]
    matches = run(matcher, {**inputs, **spread}, side(recorded, 1, into=1))["matches"][0]
    np.testing.assert_array_equal(matches[places], plain)
    assert np.count_nonzero(matches >= 0) == np.count_nonzero(plain >= 0)


def test_no_pairs(matcher):
    inputs = {f"{name}{number}": tf.zeros([0, 4, width][:3 - (name == "size")]) if name != "size" else tf.zeros([0, 2])
              for number in range(2) for name, width in (("keypoints", 2), ("descriptors", 64), ("size", 2))}
    assert matcher(inputs)["matches"].shape == (0, 4)


def test_a_higher_threshold_keeps_some(built, recorded, monkeypatch):
    sides = side(recorded, 0), side(recorded, 1, into=1)
    low = run(built, *sides)
    monkeypatch.setattr(built, "threshold", 0.8)
    high = run(built, *sides)
    kept = low["scores"] > 0.8
    assert 0 < kept.sum() < np.count_nonzero(low["matches"] >= 0)
    np.testing.assert_array_equal(high["matches"], np.where(kept, low["matches"], -1))


def test_query_key_and_value_lie_in_turns_in_the_file():
    rows = query_key_value(np.arange(288)[:, None])[:, 0]
    for part, start in ((0, 0), (1, 96)):  # queries and keys: even channels, then odd ones
        assert list(rows[start:start + 96]) == [3 * channel + part for channel in (*range(0, 96, 2), *range(1, 96, 2))]
    assert list(rows[192:]) == [3 * channel + 2 for channel in range(96)]


def test_attention_against_loops():
    random = np.random.default_rng(0)
    query, key, value = (random.standard_normal((1, count, 4)).astype(np.float32) for count in (3, 5, 5))
    valid = np.array([[True, False, True, True, False]])
    weights = np.exp(query[0] @ key[0].T) * valid
    np.testing.assert_allclose(attend(query, key, value, valid)[0], weights @ value[0] / weights.sum(1, keepdims=True),
                               rtol=1e-5)


def test_assignment_against_loops():
    random = np.random.default_rng(1)
    first, second = (3 * random.standard_normal((1, count, 96)).astype(np.float32) for count in (4, 5))
    logits = [random.standard_normal((1, count)).astype(np.float32) + 2 for count in (4, 5)]
    products = first[0] @ second[0].T / np.sqrt(96)
    e = np.exp(products.astype(np.float64))
    expected = (e / e.sum(0)) * (e / e.sum(1, keepdims=True)) / np.outer(*(1 + np.exp(-each[0]) for each in logits))
    matches, scores = assign(first, logits[0], tf.ones([1, 4], bool), second, logits[1], tf.ones([1, 5], bool), 0.1)
    best = [int(row.argmax()) if expected[:, row.argmax()].argmax() == number and row.max() > 0.1 else -1
            for number, row in enumerate(expected)]
    assert max(best) >= 0
    assert list(matches[0]) == best
    np.testing.assert_allclose(scores[0], [row.max() if at >= 0 else 0 for row, at in zip(expected, best, strict=True)],
                               rtol=1e-4)


def test_points_from_the_centre():
    points = np.array([[(0, 0), (100, 50), (50, 25), (100, 0)]], np.float32)
    np.testing.assert_allclose(centred(points, np.array([[100, 50]], np.float32))[0], [(-1, -.5), (1, .5), (0, 0), (1, -.5)])


def test_numbers_before_points_were_left_out():
    matches, scores = put_back(tf.constant([[1, -1]]), tf.constant([[0.5, 0.0]]), tf.constant([[2, 4]]),
                               tf.constant([[0, 3]]), 5)
    assert matches.numpy().tolist() == [[-1, -1, 3, -1, -1]]
    assert scores.numpy().tolist() == [[0, 0, 0.5, 0, 0]]


@pytest.mark.parametrize(("arguments", "message"), [
    ({"pruning": 1.5}, "--pruning from 0 to 1"), ({"threshold": -0.1}, "--threshold from 0 to 1"),
    ({"weights": "absent.pt"}, "xfeat-lighterglue.pt; received absent.pt, which does not exist")])
def test_mistakes(arguments, message):
    with pytest.raises(UserError, match=message):
        build_lighterglue(**arguments)


@pytest.mark.slow
def test_a_file_of_another_network(weights):
    with pytest.raises(UserError, match=r"tensors for .* none named input_proj\.weight"):
        build_lighterglue(weights.with_name("xfeat.pt"))
