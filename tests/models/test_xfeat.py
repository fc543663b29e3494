"""XFeat: its parts against loops, all of it against what the authors' code gave for two pictures."""

import numpy as np
import pytest
import tensorflow as tf

from landmark_zoo.core.errors import UserError
from landmark_zoo.data.datasets.images import read_image
from landmark_zoo.data.image_ops import decode_image
from landmark_zoo.models.registry import ModelConfig, create_model, describe_model_weights, list_models, load_keras_file
from landmark_zoo.models.xfeat import (
    XFEAT,
    at_every_pixel,
    build_xfeat,
    detect,
    sample_bicubic,
    torch_names,
)
from tests.models.record_xfeat import COUNT, FEATURES, RECORD, live, pictures


@pytest.fixture(scope="module")
def weights():
    """The authors' file, which make setup installs."""
    try:
        return XFEAT.find()
    except UserError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="module")
def network(weights):
    return build_xfeat(weights="published")


@pytest.fixture(scope="module")
def recorded():
    return np.load(RECORD)


def found_in(network, image, count):
    batch = tf.constant(image[None], tf.float32)
    return {name: value[0].numpy() for name, value in detect(network(batch), tf.shape(batch)[1:3], count).items()}


def assert_equal_features(found, expected):
    """Equal points, whatever the order of almost equal scores, and descriptors to 1e-5."""
    rows = [np.lexsort(np.round(features["keypoints"], 2).T) for features in (found, expected)]
    for name, tolerance in (("keypoints", 1e-4), ("scores", 1e-4), ("descriptors", 1e-5)):
        np.testing.assert_allclose(found[name][rows[0]], expected[name][rows[1]], rtol=0, atol=tolerance, err_msg=name)


@pytest.mark.parametrize("number", [0, 1])
def test_equals_the_authors_code_as_recorded(network, recorded, number):
    """Sides that are no multiples of 32; equal points, descriptors to 1e-5."""
    found = found_in(network, pictures()[number], COUNT)
    assert_equal_features(found, {name: recorded[f"{name}{number}"] for name in FEATURES})


def assert_equal_to_the_twin(network, images, count, folder):
    twin = live(folder, count=count, **{f"image/{number}": image for number, image in enumerate(images)})
    for number, image in enumerate(images):
        assert_equal_features(found_in(network, image, count), {name: twin[f"{number}/{name}"] for name in FEATURES})
        outputs = network(tf.constant(image[None], tf.float32))
        for name, tolerance in (("local_features", 1e-5), ("attention/score", 1e-5), ("keypoint_heat", 1e-4)):
            np.testing.assert_allclose(np.squeeze(outputs[name][0]), twin[f"{number}/{name}"], atol=tolerance)


@pytest.mark.slow
def test_equals_the_authors_code_live(network, tmp_path):
    """On all points and the whole maps."""
    assert_equal_to_the_twin(network, pictures(), 4096, tmp_path)


@pytest.mark.slow
@pytest.mark.photographs
def test_equals_the_authors_code_on_photographs(network, shared_data, tmp_path):
    paths = sorted((shared_data / "phototourism").glob("*.jpg"))[::4]
    images = [decode_image(read_image(path, max_side=640).encoded).numpy() for path in paths]
    assert_equal_to_the_twin(network, images, 2048, tmp_path)


def test_outputs(network):
    outputs = network(tf.constant(pictures()[0][None]))
    assert {name: value.shape for name, value in outputs.items()} == {
        "local_features": (1, 24, 28, 64), "attention/score": (1, 24, 28, 1), "keypoint_heat": (1, 192, 224, 1),
        "feature_map": (1, 24, 28, 64), "embedding": (1, 64)}
    np.testing.assert_allclose(np.linalg.norm(outputs["local_features"], axis=-1), 1, atol=1e-5)
    mean = np.mean(outputs["local_features"] * outputs["attention/score"], axis=(1, 2))
    np.testing.assert_allclose(outputs["embedding"], mean / np.linalg.norm(mean), atol=1e-5)
    assert network.count_params() == 660_654


def test_every_layer_with_weights_has_a_name_of_its_own(network):
    names = torch_names()
    assert len(set(names.values())) == len(names)
    assert set(names) == {layer.name for layer in network.layers if layer.weights}


def test_a_batch_is_padded_with_zeros_and_equals_its_images(network):
    """Beside a picture a flat one, which has no points, and one that has fewer."""
    image = pictures()[0][:160, :192]
    half = np.where(np.arange(192)[:, None] < 96, image, 128).astype(np.uint8)
    batch = np.stack([image, np.full_like(image, 77), half]).astype(np.float32)
    found = detect(network(batch), [160, 192], 300)
    counts = np.count_nonzero(found["scores"], axis=1)
    assert counts[0] > counts[2] > counts[1] == 0
    assert found["keypoints"].shape == (3, counts[0], 2)
    for row, count in enumerate(counts):
        alone = found_in(network, batch[row], 300)
        assert len(alone["scores"]) == count
        for name, values in alone.items():
            np.testing.assert_allclose(found[name][row, :count], values, atol=1e-4)
            assert not np.any(found[name][row, count:])


@pytest.mark.parametrize("size", [(32, 32), (33, 95), (40, 300)])
def test_small_and_thin_images(network, size):
    found = found_in(network, pictures()[0][:size[0], :min(size[1], 250)], 50)
    assert all(np.isfinite(values).all() for values in found.values())


def made_outputs(peaks, size=(32, 64)):
    """Outputs with heat at x, y of `peaks` alone, reliability 1/2 and random descriptors."""
    heat = np.zeros((1, *size, 1), np.float32)
    for x, y, value in peaks:
        heat[0, y, x] = value
    vectors = np.random.default_rng(0).standard_normal((1, size[0] // 8, size[1] // 8, 64)).astype(np.float32)
    return {"keypoint_heat": tf.constant(heat), "local_features": tf.constant(vectors),
            "attention/score": tf.fill([1, size[0] // 8, size[1] // 8, 1], 0.5)}


def test_points_are_maxima_above_the_threshold_best_first_in_pixels_of_the_image():
    peaks = [(20, 10, 0.5), (22, 11, 0.4), (30, 20, 0.9), (40, 20, 0.05), (50, 20, 0.06),
             (0, 0, 0.9), (63, 15, 0.9), (20, 31, 0.9)]  # within two pixels of a larger one; too low; outside
    found = detect(made_outputs(peaks), [40, 80], 10)
    np.testing.assert_allclose(found["keypoints"][0], np.array([(30, 20), (20, 10), (50, 20)]) * 1.25)
    np.testing.assert_allclose(found["scores"][0], [0.45, 0.25, 0.03], rtol=1e-5)
    assert detect(made_outputs(peaks), [40, 80], 2)["keypoints"].shape == (1, 2, 2)
    assert detect(made_outputs([]), [40, 80], 2)["descriptors"].shape == (1, 0, 64)


def place(pixel, length, cells):
    return pixel * cells / (length - 1) - 0.5


def test_a_coarse_map_at_every_pixel_against_loops():
    values = np.random.default_rng(1).standard_normal((1, 3, 5)).astype(np.float32)
    padded = np.pad(values[0], 2)
    found = at_every_pixel(values, 24, 40)[0].numpy()
    for y, x in ((0, 0), (3, 5), (12, 20), (23, 39), (23, 0)):
        rows, columns = place(y, 24, 3) + 2, place(x, 40, 5) + 2
        i, j = int(np.floor(rows)), int(np.floor(columns))
        a, b = rows - i, columns - j
        expected = ((1 - a) * ((1 - b) * padded[i, j] + b * padded[i, j + 1])
                    + a * ((1 - b) * padded[i + 1, j] + b * padded[i + 1, j + 1]))
        np.testing.assert_allclose(found[y, x], expected, atol=1e-5)


def cubic(distance, a=-0.75):
    if distance <= 1:
        return (a + 2) * distance ** 3 - (a + 3) * distance ** 2 + 1
    return a * distance ** 3 - 5 * a * distance ** 2 + 8 * a * distance - 4 * a if distance < 2 else 0


def test_bicubic_sampling_against_loops():
    values = np.random.default_rng(2).standard_normal((1, 3, 5, 2)).astype(np.float32)
    points = np.array([[(0, 0), (7, 11), (20, 12), (39, 23)]], np.float32)
    found = sample_bicubic(values, points, [40, 24])[0]
    for (x, y), vector in zip(points[0], found, strict=True):
        expected = sum(values[0, i, j] * cubic(abs(place(y, 24, 3) - i)) * cubic(abs(place(x, 40, 5) - j))
                       for i in range(3) for j in range(5))
        np.testing.assert_allclose(vector, expected, atol=1e-5)


def test_is_a_named_model(weights):
    assert "xfeat" in list_models("x*")
    model = ModelConfig("xfeat", embedding_dim=0).build(weights=str(weights))
    assert model.name == "xfeat"
    assert model.output_shape["embedding"] == (None, 64)
    facts = describe_model_weights("xfeat", "published")
    assert facts == describe_model_weights("xfeat", weights)
    assert (facts["pretrained"], facts["pretrained_license"]) == ("xfeat.pt", "Apache-2.0")
    assert describe_model_weights("xfeat", None) == {"pretrained": "none"}


@pytest.mark.slow
def test_a_keras_file_gives_the_same(network, tmp_path):
    network.save(tmp_path / "xfeat.keras")
    images = pictures()[1][None]
    expected = network(images)
    for name, values in load_keras_file(tmp_path / "xfeat.keras")(images).items():
        np.testing.assert_allclose(values, expected[name], atol=1e-6)


def test_random_weights_and_an_embedding_layer():
    assert create_model("xfeat", embedding_dim=16).output_shape["embedding"] == (None, 16)


@pytest.mark.parametrize(("arguments", "message"), [
    ({"num_classes": 5}, "no landmarks and no alpha for xfeat.*num_classes=5"), ({"alpha": 0.5}, "alpha=0.5"),
    ({"weights": "imagenet"}, 'Expected "published", or a file .* xfeat.pt; received imagenet, which does not exist'),
    ({"weights": "absent.pt"}, "absent.pt, which does not exist")])
def test_mistakes(arguments, message):
    with pytest.raises(UserError, match=message):
        create_model("xfeat", **arguments)


def test_another_file(tmp_path):
    (tmp_path / "xfeat.pt").write_bytes(b"no file of torch")
    with pytest.raises(UserError, match="a weight file of torch or safetensors"):
        build_xfeat(weights=tmp_path / "xfeat.pt")
