"""What the check refuses, on signatures made by hand."""

import json
from types import SimpleNamespace

import numpy as np
import pytest
import tensorflow as tf

from landmark_zoo.serving import isolated_program
from landmark_zoo.serving.check import write_check_images


def unit(vectors):
    return vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-9)


def mean_of(image):
    return np.asarray(tf.reduce_mean(tf.cast(image, tf.float32), [0, 1]))


def good_bytes(image_bytes):
    rows = np.zeros((0, 3), np.float32)
    for position, data in enumerate(image_bytes.numpy()):
        try:
            image = tf.io.decode_image(data, channels=3, expand_animations=False)
        except tf.errors.InvalidArgumentError as error:
            raise tf.errors.InvalidArgumentError(None, None, f"no picture at position {position}") from error
        rows = np.concatenate([rows, mean_of(image)[None]])
    return {"embedding": tf.constant(unit(rows), tf.float32)}


@pytest.fixture(scope="module")
def encoded(tmp_path_factory):
    return [path.read_bytes() for path in write_check_images(tmp_path_factory.mktemp("pictures"))[:2]]


def loaded(**signatures):
    return SimpleNamespace(signatures=signatures)


def test_good_ones_pass(encoded):
    found = isolated_program.check_bytes(loaded(serving_default=good_bytes), encoded, 3)
    assert found.shape == (2, 3)


@pytest.mark.parametrize(("change", "said"), [
    (lambda found: {"embedding": 2 * found["embedding"]}, "lengths .*, not 1"),
    (lambda found: {"embedding": found["embedding"][:, :2]}, "serving_default gives"),
    (lambda found: {"embedding": tf.reverse(found["embedding"], [0])}, "of one after another differ by"),
])
def test_wrong_embeddings(encoded, change, said):
    with pytest.raises(SystemExit, match=said):
        isolated_program.check_bytes(loaded(serving_default=lambda image_bytes: change(good_bytes(image_bytes))), encoded, 3)


def test_bad_bytes_without_their_position(encoded):
    def careless(image_bytes):
        try:
            return good_bytes(image_bytes)
        except tf.errors.InvalidArgumentError as error:
            raise tf.errors.InvalidArgumentError(None, None, "what is this") from error
    with pytest.raises(SystemExit, match="without its position: what is this"):
        isolated_program.check_bytes(loaded(serving_default=careless), encoded, 3)


def test_images_that_are_something_else(encoded):
    expected = isolated_program.check_bytes(loaded(serving_default=good_bytes), encoded, 3)

    def images(images):
        return {"embedding": tf.constant(unit(np.roll(np.asarray(tf.reduce_mean(images, [1, 2])), 1, axis=1)))}
    with pytest.raises(SystemExit, match="images and serving_default differ by"):
        isolated_program.check_images(loaded(images=images), encoded, expected, 64)


def test_info_without_a_fact():
    facts = {"name": tf.constant("x"), "dimension": tf.constant(3)}
    with pytest.raises(SystemExit, match=r"info\(\) without scales, side"):
        isolated_program.check_info(loaded(info=lambda: facts))


def test_crop_that_takes_any_box(encoded):
    expected = isolated_program.check_bytes(loaded(serving_default=good_bytes), encoded, 3)

    def crop(image_bytes, box):
        return good_bytes(image_bytes)
    with pytest.raises(SystemExit, match="crop accepts a bad picture or box at position 1"):
        isolated_program.check_crop(loaded(crop=crop), encoded, expected)


def test_local_features_of_another_length():
    def local(images):
        return {"features": tf.fill([2, 3, 2, 4], 2.0), "scores": tf.zeros([2, 3, 2])}
    with pytest.raises(SystemExit, match="local gives features"):
        isolated_program.check_local(loaded(local=local))


@pytest.mark.parametrize(("change", "kind", "said"), [
    (lambda maps: maps, "gate", None), (lambda maps: {}, "gate", r"attention gives , but info\(\) states m; gate"),
    (lambda maps: {"m": maps["m"] - 1}, "gate", "attention gives m, whose kind is gate, values down to -1"),
    (lambda maps: {"m": maps["m"] - 1}, "signed", None), (lambda maps: {"m": maps["m"] / 0}, "gate", "not finite"),
    (lambda maps: {"m": maps["m"][..., 0]}, "gate", "attention gives m as float32"),
    (lambda maps: {"m": tf.cast(maps["m"], tf.float16)}, "gate", "attention gives m as float16"),
    (lambda maps: {"m": tf.pad(maps["m"], [[0, 1], [0, 0], [0, 0], [0, 0]])[:2]}, "gate", "maps without images")])
def test_maps_that_are_none(change, kind, said):
    def attention(images):
        return change({"m": tf.zeros([len(images), 3, 2, 1])})
    facts = {"attention_maps": ["m"], "attention_kinds": [kind]}
    if said is None:
        isolated_program.check_attention(loaded(attention=attention), facts)
    else:
        with pytest.raises(SystemExit, match=said):
            isolated_program.check_attention(loaded(attention=attention), facts)


@pytest.mark.parametrize("dtype", [tf.float32, tf.bfloat16, tf.float16])
def test_notices_sixteen_bits(dtype):
    @tf.function(input_signature=[tf.TensorSpec([None, 3])])
    def images(rows):
        return tf.cast(tf.cast(rows, dtype) * tf.constant(2, dtype), tf.float32)
    found = isolated_program.computes_in_16_bits(loaded(images=images.get_concrete_function()))
    assert found == (dtype != tf.float32)


def test_the_whole_check_of_an_exported_model(exported, encoded_images, expected, tmp_path):
    files = []
    for number, image in enumerate(encoded_images):
        files.append(tmp_path / str(number))
        files[-1].write_bytes(image)
    isolated_program.main(str(exported), str(tmp_path), files)
    np.testing.assert_allclose(np.load(tmp_path / "embedding.npy"), expected, atol=1e-4)
    report = json.loads((tmp_path / "report.json").read_text())
    assert report["tolerance"] == isolated_program.EQUAL
    assert report["info"]["side"] == 64
    assert report["signatures"]["serving_default"]["inputs"].keys() == {"image_bytes"}


def test_a_model_without_signatures(tmp_path):
    tf.saved_model.save(tf.Module(), str(tmp_path / "bare"))
    with pytest.raises(SystemExit, match="no signature serving_default, images, info"):
        isolated_program.main(str(tmp_path / "bare"), str(tmp_path), [])
