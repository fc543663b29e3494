import numpy as np
import pytest

from landmark_zoo.layers.attention.crow import CroW, crow_channel_weights
from landmark_zoo.layers.pooling.crow import ClassWeighted, CroWPooling, class_vectors, crow
from landmark_zoo.layers.pooling.global_pooling import SPoC

BY_HAND = np.array([[[1, 0], [2, 0]], [[0, 3], [4, 0]]], np.float32)[None]


@pytest.fixture
def features():
    return np.maximum(np.random.default_rng(0).standard_normal((2, 7, 5, 6)), 0).astype(np.float32)


def by_loops(features):
    vectors = np.zeros((len(features), features.shape[-1]))
    for b, image in enumerate(features):
        height, width, channels = image.shape
        norm = sum(sum(image[i, j]) ** 2 for i in range(height) for j in range(width)) ** 0.5
        share = [np.count_nonzero(image[..., c]) / (height * width) for c in range(channels)]
        for c in range(channels):
            for i in range(height):
                for j in range(width):
                    vectors[b, c] += (sum(image[i, j]) / norm) ** 0.5 * image[i, j, c]
            vectors[b, c] *= np.log(sum(share) / share[c]) if share[c] else 0
    return vectors


def test_worked_out_by_hand():
    np.testing.assert_allclose(crow(BY_HAND), [[1.453984, 3.077918]], atol=1e-6)


def test_equals_loops(features):
    features[0, ..., 3] = 0
    np.testing.assert_allclose(CroWPooling()(features), by_loops(features), rtol=1e-5)


def test_is_the_sum_of_the_attended_map(features):
    np.testing.assert_allclose(CroWPooling()(features), SPoC()(CroW()(features)), rtol=1e-5)


def test_without_true_zeros_channels_weigh_the_same(features):
    swished = features + 0.01
    total = swished.sum(axis=-1, keepdims=True)
    spatial = np.sqrt(total / np.sqrt((total**2).sum(axis=(1, 2), keepdims=True)))
    np.testing.assert_allclose(crow(swished), np.log(6) * (spatial * swished).sum(axis=(1, 2)), rtol=1e-5)


@pytest.fixture
def maps():
    return np.maximum(np.random.default_rng(0).standard_normal((2, 7, 5, 8)), 0).astype(np.float32)


def with_classifier(num_classes=20, top=6, **arguments):
    random = np.random.default_rng(1)
    layer = ClassWeighted(num_classes, top, **arguments)
    layer.build([None, None, None, 8])
    layer.set_classifier(random.standard_normal((8, num_classes)), random.standard_normal(num_classes))
    return layer


def class_loops(maps, kernel, bias, top, scaling):
    vectors = []
    for image in maps:
        height, width, channels = image.shape
        share = [np.count_nonzero(image[..., k]) / (height * width) for k in range(channels)]
        rarity = [np.log(sum(share) / s) if s else 0 for s in share]
        logits = image.mean(axis=(0, 1)) @ kernel + bias
        total = 0
        for c in np.argsort(logits)[::-1][:top]:
            cam = np.array([[x @ kernel[:, c] for x in row] for row in image])
            if scaling == "min_max":
                cam = cam - cam.min()
            elif cam.max() <= 0:
                continue
            cam = np.maximum(cam / cam.max(), 0)
            vector = np.array([rarity[k] * (image[..., k] * cam).sum() for k in range(channels)])
            total = total + vector / np.linalg.norm(vector)
        vectors.append(total)
    return vectors


@pytest.mark.parametrize("scaling", ["maximum", "min_max"])
def test_class_weighted_equals_loops(maps, scaling):
    maps[0, ..., 3] = 0
    layer = with_classifier(scaling=scaling)
    kernel, bias = layer.classifier.get_weights()
    np.testing.assert_allclose(layer(maps), class_loops(maps, kernel, bias, 6, scaling), rtol=1e-4, atol=1e-5)


def test_a_configuration_without_a_scaling_is_the_older_one():
    config = ClassWeighted().get_config()
    assert ClassWeighted.from_config(config).classifier.scaling == "maximum"
    del config["scaling"]
    assert ClassWeighted.from_config(config).classifier.scaling == "min_max"


def test_class_seen_everywhere_leaves_the_channel_weights_of_crow(maps):
    expected = np.squeeze(crow_channel_weights(maps)) * maps.sum(axis=(1, 2))
    np.testing.assert_allclose(class_vectors(maps, np.ones((2, 7, 5, 3))), np.repeat(expected[:, None], 3, axis=1),
                               rtol=1e-5)


def test_each_class_counts_the_same(maps):
    """A class that is seen in one location weighs as much as one that is seen everywhere."""
    layer = with_classifier(top=1)
    np.testing.assert_allclose(np.linalg.norm(layer(maps), axis=1), 1, rtol=1e-5)
    assert (np.linalg.norm(with_classifier(top=6)(maps), axis=1) > 3).all()


def test_whitens_each_class_vector(maps):
    layer = with_classifier(whitening_dim=4)
    layer.fit([maps, maps[:, :5]])
    units = np.array(layer.vectors(maps))
    units /= np.linalg.norm(units, axis=-1, keepdims=True)
    whitened = layer.whitening(units).numpy()
    whitened /= np.linalg.norm(whitened, axis=-1, keepdims=True)
    np.testing.assert_allclose(layer(maps), whitened.sum(axis=1), rtol=1e-4, atol=1e-5)


def test_more_top_classes_than_classes():
    with pytest.raises(ValueError, match="received top=64, num_classes=10"):
        ClassWeighted(10)


def test_contract_with_whitening(check_layer, maps, tmp_path):
    check_layer(lambda **keras: ClassWeighted(num_classes=30, top=5, whitening_dim=4, **keras), maps, tmp_path)


def test_learns_nothing_itself():
    layer = ClassWeighted()
    layer.build([None, None, None, 2048])
    assert layer.trainable_weights == []
    assert layer.count_params() == 2048 * 1000 + 1000
