import re

import cv2
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from landmark_zoo.core.errors import UserError
from landmark_zoo.data.datasets.image_refs import ImageLocator
from landmark_zoo.data.image_ops import resize_long_side
from landmark_zoo.models.registry import create_model
from landmark_zoo.retrieval.rerank.base import image_reader
from landmark_zoo.retrieval.rerank.geometric import GeometricReranker
from landmark_zoo.retrieval.rerank.local_features import SIFT, Keypoints, LocalFeatures, cell_centers, strongest
from landmark_zoo.serving.network import Network


def patchwork(seed, rows=6, columns=8, cell=32):
    colors = np.random.default_rng(seed).integers(0, 256, (rows, columns, 3), np.uint8)
    return colors.repeat(cell, 0).repeat(cell, 1)


def test_points_are_the_centers_of_the_cells(local_model):
    image = patchwork(0)
    found = LocalFeatures(local_model, side=256)(image)
    assert len(found) == 48
    assert sorted({x for x, _ in found.points.tolist()}) == [16 + 32 * n for n in range(8)]
    for (x, y), vector in zip(found.points, found.vectors, strict=True):
        color = image[int(y), int(x)].astype(float)
        np.testing.assert_allclose(vector, color / np.linalg.norm(color), atol=1e-3)


def test_the_brightest_come_first_and_the_count_bounds(local_model):
    image = patchwork(1)
    every, few = LocalFeatures(local_model, side=256), LocalFeatures(local_model, side=256, count=5)
    np.testing.assert_array_equal(few(image).points, every(image).points[:5])
    brightness = [image[int(y), int(x)].sum() for x, y in every(image).points]
    assert brightness == sorted(brightness, reverse=True)


def test_points_are_in_pixels_of_the_image_whatever_the_scale(local_model):
    found = LocalFeatures(local_model, side=128, scales=(1.0, 2.0))(patchwork(0))
    assert found.points.max() <= 256
    assert len(found) == 48 + 12


def test_a_shifted_image_is_found_with_its_shift(local_model):
    image, other = patchwork(2, columns=12), patchwork(3, columns=12)
    images = {"other": other[:, 96:], "shifted": image[:, 96:]}
    reranker = GeometricReranker(LocalFeatures(local_model, side=288), tolerance=8.0)
    done = reranker.rerank(image[:, :288], list(images), images.__getitem__)
    assert done.ids[0] == "shifted"
    assert done.scores[0] >= 15
    shift = done.geometry[0].query_points - done.geometry[0].candidate_points
    np.testing.assert_allclose(shift, np.tile([96, 0], (len(shift), 1)), atol=8)


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 200), st.integers(1, 15), st.sampled_from([-1.0, 0.0, 1.0, 3.0]))
def test_strongest(seed, count, radius):
    random = np.random.default_rng(seed)
    points, scores = random.integers(0, 8, (25, 2)).astype(np.float32), random.integers(0, 5, 25).astype(np.float32)
    kept = strongest(points, scores, count, radius)
    expected = []
    for row in sorted(range(25), key=lambda row: -scores[row]):
        if len(expected) < count and all(np.linalg.norm(points[row] - points[other]) > radius for other in expected):
            expected.append(row)
    assert kept.tolist() == expected


class Exported:
    """What `LocalFeatures` asks of a SavedModel, without saving one."""

    fingerprint = "f"

    finds_points = False

    def __init__(self, network):
        self.network, self.info = network, network.facts

    def check_local(self):
        pass

    def local(self, images):
        found = self.network.local(tf.constant(images, tf.float32))
        return found["features"].numpy(), found["scores"].numpy()


def test_how_chooses_and_describes_as_its_authors_do():
    """One maximum over all scales, no suppression, vectors at their lengths."""
    model = create_model("resnet18_how", alpha=0.25, embedding_dim=16)
    backbone, reduction = model.get_layer("resnet18"), model.get_layer("whitening").get_weights()
    image, scales = patchwork(4), (0.5, 1.0, 1.5)
    lengths, vectors = [], []
    for scale in scales:
        pixels = model.get_layer("preprocessing")(resize_long_side(image, round(256 * scale))[None])
        features = backbone(pixels)["C5"][0].numpy()
        rows, columns = features.shape[:2]
        for y in range(rows):
            for x in range(columns):
                lengths.append(np.sqrt(sum(value**2 for value in features[y, x]) + 1e-10))
                near = [features[i, j] for i in range(max(y - 1, 0), min(y + 2, rows))
                        for j in range(max(x - 1, 0), min(x + 2, columns))]
                vectors.append(np.mean(near, axis=0) @ reduction[0] + reduction[1])
    chosen = np.argsort(-np.array(lengths) / max(lengths), kind="stable")[:40]
    network = Exported(Network(model, 256))
    found = LocalFeatures(network, side=256, count=40, scales=scales, radius=-1, unit=False)(image)
    np.testing.assert_allclose(found.vectors, np.array(vectors)[chosen], rtol=1e-3, atol=1e-3)
    unit = LocalFeatures(network, side=256, count=40, scales=scales, radius=-1)
    np.testing.assert_allclose(np.linalg.norm(unit(image).vectors, axis=1), 1, rtol=1e-5)
    assert unit.kind == "f"
    assert LocalFeatures(network, unit=False).kind == "f, at their lengths"


def test_an_older_export_of_how_is_refused_at_several_scales(local_model, monkeypatch):
    monkeypatch.setattr(local_model, "info", {**local_model.info, "model": "resnet18_how"})
    assert len(LocalFeatures(local_model, side=64)(patchwork(0))) > 0
    with pytest.raises(UserError, match=r"each scale's own maximum\. Export the run again"):
        LocalFeatures(local_model, scales=(0.5, 1.0))


def test_centers_of_cells():
    np.testing.assert_allclose(cell_centers((1, 2), (32, 64), {}), [[0.25, 0.5], [0.75, 0.5]])
    stated = {"local_stride": 32, "local_offset": 8.0}
    np.testing.assert_allclose(cell_centers((1, 2), (32, 64), stated), [[8 / 64, 0.25], [40 / 64, 0.25]])
    even = {**stated, "local_even": True}
    np.testing.assert_allclose(cell_centers((1, 2), (32, 64), even), [[0.25, 0.5], [0.75, 0.5]])


def test_a_model_without_local_features(tiny_model):
    with pytest.raises(UserError, match="with the signature local at"):
        LocalFeatures(tiny_model)


def test_length():
    assert len(Keypoints(np.zeros((3, 2), np.float32), np.zeros((3, 8), np.float32))) == 3


@pytest.mark.parametrize(("points", "vectors"), [((3, 2), (4, 8)), ((3, 3), (3, 8)), ((3, 2), (3,))])
def test_shapes_that_do_not_fit(points, vectors):
    with pytest.raises(ValueError, match=r"points \[N, 2\] and vectors \[N, D\]"):
        Keypoints(np.zeros(points, np.float32), np.zeros(vectors, np.float32))


FRONT = ["sacre_coeur_02928139_3448003521", "sacre_coeur_17295357_9106075285", "sacre_coeur_44120379_8371960244",
         "sacre_coeur_51091044_3486849416", "sacre_coeur_71295362_4051449754", "sacre_coeur_93341989_396310999"]
SIDE = ["sacre_coeur_10265353_3838484249", "sacre_coeur_32809961_8274055477", "sacre_coeur_60584745_2207571072"]
BRIDGE = ["london_bridge_19481797_2295892421", "london_bridge_49190386_5209386933"]


def test_vectors_have_length_one(walls):
    found = SIFT()(walls[0])
    assert len(found) > 100
    assert found.vectors.shape[1] == 128
    np.testing.assert_allclose(np.linalg.norm(found.vectors, axis=1), 1, atol=1e-4)
    assert (found.points >= 0).all()
    assert (found.points < [320, 240]).all()


def test_the_count_bounds(walls):
    assert len(SIFT(count=20)(walls[0])) == 20


def test_red_and_blue_are_not_mixed_up():
    image = np.zeros((64, 64, 3), np.uint8)
    image[20:40, 20:40] = [255, 0, 0]
    gray = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    np.testing.assert_array_equal(SIFT()(image).vectors, SIFT()(np.repeat(gray[..., None], 3, 2)).vectors)


def test_a_flat_image_has_none():
    assert len(SIFT()(np.full((64, 64, 3), 128, np.uint8))) == 0


def test_threshold_zero_finds_faint_corners():
    faint = np.full((64, 64, 3), 128, np.uint8)
    faint[20:40, 20:40] = 131
    assert len(SIFT(contrast_threshold=0)(faint)) > len(SIFT()(faint)) == 0


@pytest.fixture(scope="module")
def described(shared_data):
    folder = shared_data / "phototourism"
    read, sift = image_reader(ImageLocator(folder), 1024), SIFT()
    return {path.stem: sift(read(path.stem)) for path in sorted(folder.glob("*.jpg"))}


@pytest.mark.slow
@pytest.mark.photographs
def test_images_from_one_side_have_more_than_30_inliers(described):
    compare = GeometricReranker(SIFT()).compare
    for names in (FRONT, SIDE, BRIDGE):
        for query in names:
            for candidate in set(names) - {query}:
                assert compare(described[query], described[candidate])[0] > 30, (query, candidate)


@pytest.mark.photographs
@pytest.mark.slow
def test_images_of_other_landmarks_have_fewer_than_12(described):
    compare = GeometricReranker(SIFT()).compare
    landmark = {name: re.split(r"_\d", name)[0] for name in described}
    pairs = [(a, b) for a in described for b in described if a < b and landmark[a] != landmark[b]]
    assert len(pairs) == 190
    assert max(compare(described[a], described[b])[0] for a, b in pairs) < 12
