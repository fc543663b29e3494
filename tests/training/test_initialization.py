import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.cluster import KMeans
from sklearn.decomposition import PCA

from landmark_zoo.core.errors import UserError
from landmark_zoo.data.input_pipeline import evaluation_dataset
from landmark_zoo.data.manifest import read_manifest
from landmark_zoo.models import build_model, create_model
from landmark_zoo.models.registry import ModelConfig
from landmark_zoo.training.initialization import (
    align_embedding,
    build_for_pca,
    default_embedding,
    init_kmeans,
    init_pca,
    init_whitening,
    initialize_embedding,
    sample_vectors,
    scaling_variances,
)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "model", "fitted"), [
    ("random", "resnet18_gem", set()), ("pca", "resnet18_gem", {"embedding", "arcface"}),
    ("whitening", "resnet18_how", {"whitening"}), ("clusters", "resnet18_netvlad", {"netvlad"})])
def test_only_that_part_moves(records, name, model, fitted):
    model = ModelConfig(model, embedding_dim=8, alpha=0.125).build(4)
    before = {layer.name: layer.get_weights() for layer in model.layers}
    batches = evaluation_dataset(read_manifest(records / "train"), image_size=64, batch_size=16)
    initialize_embedding(name, model, model.get_layer("arcface"), batches, seed=0)
    moved = {layer.name for layer in model.layers
             if not all(map(np.array_equal, before[layer.name], layer.get_weights()))}
    assert moved == fitted


@pytest.fixture
def batches():
    random = np.random.default_rng(0)
    images = random.integers(0, 256, (60, 32, 32, 3)).astype(np.uint8)
    return [(tf.constant(images[i:i + 20]), tf.constant([0, 1, 2, 3] * 5)) for i in range(0, 60, 20)]


def built(embedding_dim=6):
    tf.keras.utils.set_random_seed(0)
    model = build_model("mobilenet", alpha=0.25, embedding_dim=embedding_dim, num_classes=5)
    for variable in model.get_layer("mobilenet").trainable_variables:  # untrained activations would fade to nothing
        if "kernel" in variable.name:
            variable.assign(2.5 * variable)
    return model


def test_an_aligned_embedding_has_the_same_similarities_and_logits_and_lies_nearer_to_the_targets(batches):
    model = built()
    head = model.get_layer("arcface")
    init_pca(model, head, batches)

    def outputs():
        found = [model(images) for images, _ in batches]
        return [np.concatenate([output[name].numpy() for output in found]) for name in ("embedding", "logits")]
    embeddings, logits = outputs()
    rotation = np.linalg.qr(np.random.default_rng(1).standard_normal((6, 6)))[0]
    align_embedding(model, head, batches, embeddings[:50] @ rotation)
    aligned, same_logits = outputs()
    np.testing.assert_allclose(aligned, embeddings @ rotation, atol=1e-3)
    assert not np.allclose(aligned, embeddings, atol=0.1)
    np.testing.assert_allclose(same_logits, logits, atol=0.02)


def test_nothing_to_align_without_an_embedding_layer(batches):
    model = built(embedding_dim=None)
    before = model.get_weights()
    align_embedding(model, model.get_layer("arcface"), batches, np.zeros([60, 64]))
    for left, right in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(left, right)


def test_embedding_is_the_whitened_pca_and_the_head_its_class_means(batches):
    model = built()
    head = model.get_layer("arcface")
    unused = head.kernel.numpy()[4]
    pooled = tf.keras.Model(model.input, model.get_layer("gem").output)
    features = np.concatenate([pooled(images).numpy() for images, _ in batches]).astype(np.float64)
    features /= np.linalg.norm(features, axis=1, keepdims=True)
    pca = PCA(6).fit(features)
    expected = pca.transform(features) / pca.explained_variance_**0.25
    expected /= np.linalg.norm(expected, axis=1, keepdims=True)
    kept = init_pca(model, head, batches, power=0.25)
    np.testing.assert_allclose(kept, pca.explained_variance_ratio_.sum(), rtol=1e-4)
    embeddings = np.concatenate([model(images)["embedding"].numpy() for images, _ in batches])
    np.testing.assert_allclose(np.abs(embeddings), np.abs(expected), atol=5e-3)
    means = np.stack([embeddings[np.arange(60) % 4 == label].sum(0) for label in range(4)])
    np.testing.assert_allclose(head.kernel.numpy()[:4], means / np.linalg.norm(means, axis=1, keepdims=True), atol=1e-5)
    np.testing.assert_array_equal(head.kernel.numpy()[4], unused)


@pytest.mark.parametrize(("images", "wanted", "dimension"), [(8, 512, 7), (9, 6, 6), (20, 19, 19), (20, 20, 19),
                                                             (100, 512, 64)])
def test_as_many_dimensions_as_the_images_span(images, wanted, dimension, caplog):
    """The narrow ResNet-18 has 64 channels."""
    caplog.set_level("INFO", logger="absl")
    wide = ModelConfig("resnet18_gem", embedding_dim=wanted, alpha=0.125)
    config, model = build_for_pca(wide, 4, None, images)
    assert config.embedding_dim == model.output_shape["embedding"][-1] == dimension
    assert ("in place of" in caplog.text) == (dimension < wanted)


def test_fewer_than_eight_images():
    with pytest.raises(UserError, match=r"at least 8 training images for --initial_embedding=pca; received 7\. Add images"):
        build_for_pca(ModelConfig("resnet18_gem", embedding_dim=4, alpha=0.125), 4, None, 7)


def test_variances_that_are_rounding_errors_are_no_scale():
    np.testing.assert_array_equal(scaling_variances(np.array([4.0, 2.0, 1.0, 3e-7, 0.0])), [4, 2, 1, 1, 1])
    np.testing.assert_array_equal(scaling_variances(np.array([4.0, 1e-3, 1e-12])), [4, 1e-3, 0.04])
    np.testing.assert_array_equal(scaling_variances(np.array([4.0, 1e-3])), [4, 1e-3])


def test_copies_enlarge_nothing(batches):
    """15 of 20 images are copies: other images are as far apart as by the PCA without its fourth component and on."""
    model, few = built(19), tf.concat([images for images, _ in batches], 0)
    copied = [(tf.concat([few[:5], *[few[:1]] * 10, *[few[1:2]] * 5], 0), tf.constant([0, 1, 2, 3] * 5))]
    init_pca(model, model.get_layer("arcface"), copied)
    kernel = np.linalg.norm(model.get_layer("embedding").get_weights()[0], axis=0)
    assert kernel.max() <= 1.001 * max(kernel[3], kernel[0] * 100**0.25)
    np.testing.assert_allclose(kernel[4:], min(kernel[3], kernel[0] * 100**0.25), rtol=1e-3)
    embeddings = model(few[20:])["embedding"].numpy()
    assert np.isfinite(embeddings).all()
    np.testing.assert_allclose(np.linalg.norm(embeddings, axis=1), 1, atol=1e-5)


def test_copies_of_one_image_alone(batches):
    model, image = built(6), batches[0][0][:1]
    with pytest.raises(UserError, match=r"unlike images for --initial_embedding=pca; received 20 that look the same"):
        init_pca(model, None, [(tf.concat([image] * 20, 0), tf.zeros(20, tf.int32))])


def test_no_embedding_layer(batches):
    model = built(embedding_dim=None)
    with pytest.raises(UserError, match="an embedding layer"):
        init_pca(model, model.get_layer("arcface"), batches)


@pytest.fixture(scope="module")
def batches_cluster_start():
    images = np.random.default_rng(0).integers(0, 256, (8, 96, 96, 3)).astype(np.uint8)
    return [(tf.constant(images[i:i + 4]), tf.constant([0, 1, 2, 3])) for i in range(0, 8, 4)]


def built_cluster_start(pooling="netvlad", clusters=4):
    tf.keras.utils.set_random_seed(0)
    return build_model("resnet18", pooling=pooling, alpha=0.25, embedding_dim=None, pooling_arguments={"clusters": clusters})


@pytest.mark.parametrize("pooling", ["netvlad", "netvlad_crn"])
def test_centers_are_those_of_k_means(pooling, batches_cluster_start):
    model = built_cluster_start(pooling)
    init_kmeans(model, batches_cluster_start, seed=3)
    features = np.concatenate([model(images)["feature_map"].numpy().reshape(-1, 128) for images, _ in batches_cluster_start])
    expected = KMeans(4, n_init=1, random_state=3).fit(features / np.linalg.norm(features, axis=1, keepdims=True))
    np.testing.assert_allclose(model.get_layer(pooling).centres, expected.cluster_centers_, atol=1e-5)
    assert np.isfinite(model(batches_cluster_start[0][0])["embedding"]).all()


def test_too_few_locations(batches_cluster_start):
    with pytest.raises(UserError, match=r"at least 500 unlike locations, .*; received 72\. Use more images"):
        init_kmeans(built_cluster_start(clusters=500), batches_cluster_start)
    alike = [(tf.zeros([4, 32, 32, 3]), tf.zeros(4, tf.int32))]
    with pytest.raises(UserError, match="received 1"):
        init_kmeans(built_cluster_start(), alike)


def test_a_model_without_netvlad(batches_cluster_start):
    with pytest.raises(UserError, match="pools with NetVLAD; received mobilenet_gem"):
        init_kmeans(create_model("mobilenet_gem", alpha=0.25), batches_cluster_start)


@pytest.fixture(scope="module")
def batches_whitening_start():
    images = np.random.default_rng(0).integers(0, 256, (12, 64, 64, 3)).astype(np.uint8)
    return [(tf.constant(images[i:i + 4]), tf.constant([0, 1, 2, 3])) for i in range(0, 12, 4)]


def built_whitening_start(**arguments):
    tf.keras.utils.set_random_seed(0)
    return create_model("resnet18_how", alpha=0.25, **arguments)


def test_reduced_features_are_white(batches_whitening_start):
    model = built_whitening_start(embedding_dim=6)
    init_whitening(model, batches_whitening_start)
    reduced = tf.keras.Model(model.input, model.get_layer("whitening").output)
    vectors = np.concatenate([reduced(images).numpy().reshape(-1, 6) for images, _ in batches_whitening_start])
    np.testing.assert_allclose(vectors.mean(axis=0), 0, atol=1e-3)
    np.testing.assert_allclose(np.cov(vectors, rowvar=False, bias=True), np.eye(6), atol=1e-2)


def test_a_sample_of_the_locations_is_enough(batches_whitening_start):
    model = built_whitening_start(embedding_dim=6)
    before = model(batches_whitening_start[0][0])["embedding"].numpy()
    init_whitening(model, batches_whitening_start, num_vectors=20)
    assert not np.allclose(model(batches_whitening_start[0][0])["embedding"], before)


def test_too_few_images(batches_whitening_start):
    model = built_whitening_start(embedding_dim=100)
    before = model.get_layer("whitening").get_weights()
    with pytest.raises(UserError, match=r"span 100 directions, .* resnet18_how; received 48 .* Use more images"):
        init_whitening(model, batches_whitening_start)
    np.testing.assert_array_equal(before[0], model.get_layer("whitening").get_weights()[0])
    with pytest.raises(UserError, match="received 0 locations"):
        init_whitening(model, [])


def test_a_model_without_reduction(batches_whitening_start):
    with pytest.raises(UserError, match="local features are reduced; received resnet18_how"):
        init_whitening(built_whitening_start(embedding_dim=0), batches_whitening_start)


@settings(deadline=None, max_examples=50)
@given(sizes=st.lists(st.tuples(*[st.integers(1, 4)] * 3), min_size=1, max_size=5), wanted=st.integers(1, 100),
       seed=st.integers(0, 9))
def test_draws_without_replacement(sizes, wanted, seed):
    numbers = iter(range(1000))
    maps = [np.array([[next(numbers), 7.0] for _ in range(np.prod(size))]).reshape(*size, 2) for size in sizes]
    total = sum(map(np.prod, sizes))
    vectors = sample_vectors(maps, wanted, seed)
    assert vectors.shape == (min(wanted, total), 2)
    assert len(set(vectors[:, 0])) == len(vectors)
    assert set(vectors[:, 0]) <= set(range(total))
    np.testing.assert_array_equal(vectors, sample_vectors(maps, wanted, seed))


def test_early_and_late_maps_have_the_same_chance():
    maps = [np.full((1, 10, 10, 1), number, np.float32) for number in range(10)]
    vectors = np.concatenate([sample_vectors(maps, 20, seed) for seed in range(100)])
    counts = np.bincount(vectors[:, 0].astype(int), minlength=10)
    assert counts.sum() == 2000
    assert counts.min() > 150
    assert counts.max() < 250


@pytest.mark.parametrize("maps", [[], iter(())])
def test_nothing_to_draw_from(maps):
    assert sample_vectors(maps, 5).shape == (0, 0)


@pytest.mark.parametrize(("config", "expected"), [
    (ModelConfig("mobilenetv2_gem"), "pca"), (ModelConfig("resnet18_gc_add", embedding_dim=64), "pca"),
    (ModelConfig("mobilenetv2_gem", embedding_dim=0), "random"), (ModelConfig("resnet50_how"), "whitening"),
    (ModelConfig("resnet50_how", embedding_dim=0), "random"), (ModelConfig("mobilenet_netvlad"), "clusters"),
    (ModelConfig("mobilenet_gem", pooling="netvlad"), "clusters"), (ModelConfig("resnet50_delg"), "random"),
    (ModelConfig("resnet50_abn", embedding_dim=0), "random")])
def test_start_by_model(config, expected):
    assert default_embedding(config) == expected
