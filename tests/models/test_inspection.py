import numpy as np
import pytest
import tensorflow as tf

from landmark_zoo.core.errors import UserError
from landmark_zoo.layers.attention.base import GATE
from landmark_zoo.layers.heads.margin import ArcFace
from landmark_zoo.layers.pooling.global_pooling import GeM
from landmark_zoo.layers.pooling.netvlad import NetVLAD
from landmark_zoo.models import build_model
from landmark_zoo.models.attention_branch_network import build_attention_branch_network
from landmark_zoo.models.build import embed_and_classify
from landmark_zoo.models.inspection import (
    LARGEST_CLASSIFIER,
    NORM,
    Classifier,
    attention_kinds,
    attention_maps,
    costs,
    drawable,
    exported_classifier,
    find_classifier,
    gated_features,
    maps_of_images,
    multiply_accumulates,
    on_features,
    weights_fingerprint,
)


@pytest.mark.slow
@pytest.mark.parametrize(("application", "millions"), [
    (tf.keras.applications.MobileNetV2, 300.77), (tf.keras.applications.MobileNet, 568.74)])
def test_published_networks(application, millions):
    model = application(weights=None)
    counted = multiply_accumulates(model, tf.TensorSpec([1, 224, 224, 3]))
    assert abs(counted / 1e6 - millions) < 0.01 * millions


def test_each_operation_by_hand():
    kernel = tf.ones([3, 3, 4, 8])
    cases = (
        (lambda x: tf.nn.conv2d(x, kernel, 1, "SAME"), 10 * 6 * 8 * 9 * 4),
        (lambda x: tf.nn.depthwise_conv2d(x, tf.ones([3, 3, 4, 2]), [1, 1, 1, 1], "SAME"), 10 * 6 * 8 * 9),
        (lambda x: tf.nn.conv2d_transpose(x, tf.ones([3, 3, 2, 4]), [1, 20, 12, 2], 2), 10 * 6 * 4 * 9 * 2),
        (lambda x: tf.reshape(x, [60, 4]) @ tf.ones([4, 5]), 60 * 4 * 5),
        (lambda x: tf.matmul(tf.reshape(x, [2, 30, 4]), tf.reshape(x, [2, 30, 4]), transpose_a=True), 2 * 4 * 4 * 30),
        (lambda x: tf.einsum("bhwc,bijc->bhwij", x, x), 60 * 60 * 4),
        (lambda x: tf.einsum("bhwc->bc", x), 0),
    )
    for function, expected in cases:
        assert multiply_accumulates(function, tf.TensorSpec([1, 10, 6, 4])) == expected


def test_unknown_sizes_are_refused():
    model = tf.keras.layers.Conv2D(2, 3)
    model(np.zeros((1, 5, 5, 3), np.float32))
    with pytest.raises(ValueError, match="expected known shapes; received"):
        multiply_accumulates(model, tf.TensorSpec([1, None, None, 3]))


@pytest.mark.parametrize(("attention", "pooling"), [
    ("se", "gem"), pytest.param(None, "rmac", marks=pytest.mark.slow), pytest.param("solar", "gem", marks=pytest.mark.slow)])
def test_sum_of_the_parts(attention, pooling):
    added = costs("mobilenet", attention, pooling, 64, 96, 128)
    model = build_model("mobilenet", attention, pooling, embedding_dim=64)
    assert added.parameters == model.count_params()
    assert added.macs == multiply_accumulates(model, tf.TensorSpec([1, 96, 128, 3]))
    assert added.embedding == 64


IMAGES = tf.random.stateless_uniform([2, 64, 96, 3], [0, 1], 0, 255)


def build(attention, **arguments):
    tf.keras.utils.set_random_seed(0)
    return build_model("mobilenet", attention, alpha=0.25, embedding_dim=8, num_classes=3, **arguments)


@pytest.mark.parametrize("attention", [
    None, "se", pytest.param("glam", marks=pytest.mark.slow)])
def test_both_parts_together_are_the_model(attention):
    model = build(attention)
    to_features, from_features = on_features(model)
    whole, parts = model(IMAGES), from_features(to_features(IMAGES))
    assert set(parts) == set(whole) - (set() if attention else {"feature_map"})
    for name, output in parts.items():
        np.testing.assert_array_equal(output, whole[name])
    assert to_features(IMAGES).shape == (2, 2, 3, 256)


def test_the_second_part_has_nothing_of_the_backbone_and_shares_the_rest():
    model = build("se")
    _, from_features = on_features(model)
    assert [layer.name for layer in from_features.layers[1:]] == ["se", "gem", "embedding", "arcface"]
    before = model(IMAGES)["embedding"].numpy()
    from_features.get_layer("embedding").kernel.assign(-from_features.get_layer("embedding").kernel)
    np.testing.assert_allclose(model(IMAGES)["embedding"], -before, atol=1e-6)


def test_it_takes_maps_of_any_size():
    _, from_features = on_features(build("solar"))
    for height, width in ((1, 1), (3, 7)):
        assert from_features(tf.ones([2, height, width, 256]))["embedding"].shape == (2, 8)


@pytest.mark.parametrize("model", [lambda: build("se", placement="stages"),
                                   lambda: build_attention_branch_network("resnet18", alpha=0.25, num_classes=3)])
def test_attention_inside_the_backbone_cannot_be_cut_off(model):
    with pytest.raises(UserError, match="nothing of its backbone but the last feature map"):
        on_features(model())


IMAGE = np.random.default_rng(0).integers(0, 256, (96, 64, 3)).astype(np.float32)


def test_maps_are_the_outputs_of_the_model_and_the_norm_of_its_features():
    model = build_model("mobilenet", "cbam", alpha=0.25)
    maps, outputs = maps_of_images(model, IMAGE[None]), model(IMAGE[None])
    assert list(maps) == list(attention_kinds(model)) == ["attention/channel", "attention/spatial", "feature_norm"]
    for name in ("attention/channel", "attention/spatial"):
        np.testing.assert_allclose(maps[name], outputs[name], rtol=1e-5)
    np.testing.assert_allclose(maps["feature_norm"][..., 0], np.linalg.norm(outputs["feature_map"], axis=-1), rtol=1e-5)
    assert {name: values.shape for name, values in maps.items()} == {
        "attention/channel": (1, 1, 1, 256), "attention/spatial": (1, 3, 2, 1), "feature_norm": (1, 3, 2, 1)}
    assert list(attention_kinds(model).values()) == [GATE, GATE, NORM]


@pytest.mark.parametrize(("shape", "drawn"), [
    ((3, 2, 4), (3, 2)), ((3, 2, 1), (3, 2)), ((1, 1, 4), (4,)), ((1, 1, 1), (1, 1)), ((1, 2, 4), (1, 2))])
def test_what_is_drawn_of_a_map(shape, drawn):
    values = np.random.default_rng(0).random(shape)
    found = drawable(values)
    assert found.shape == drawn
    np.testing.assert_allclose(found, values[0, 0] if len(drawn) == 1 else values.mean(-1))


def test_one_image_as_it_is_drawn():
    model = classifier(GeM())
    maps = maps_of_images(model, IMAGE[None])
    for name, values in attention_maps(model, IMAGE).items():
        np.testing.assert_array_equal(values, maps[name][0, ..., 0])


def classifier(pooling, head="arcface", dimension=None, dense=None, classes=5, **arguments):
    """A network of one convolution with features of either sign, a pooling and a head."""
    images = tf.keras.Input([None, None, 3])
    features = tf.keras.layers.Conv2D(6, 8, 8, name="conv")(images)
    vectors = pooling(features)
    if dense:
        vectors = tf.keras.layers.Dense(4, dense, name="dense")(vectors)
    outputs = embed_and_classify(vectors, classes, dimension, head, arguments)
    return tf.keras.Model(images, {"feature_map": features, **outputs})


@pytest.mark.parametrize(("dimension", "dense", "head"), [
    (4, None, "arcface"), (None, None, "softmax"), (None, "linear", "cosface"), (4, None, "adacos")])
def test_class_activation_worked_out_in_numpy(dimension, dense, head):
    model = classifier(tf.keras.layers.GlobalAveragePooling2D(), head, dimension, dense)
    if head == "softmax":
        model.get_layer(head).bias.assign([0.0, 900.0, 0.0, 0.0, 0.0])  # decides which class wins, and is not in its map
    features, logits = (model(IMAGE[None])[name].numpy()[0] for name in ("feature_map", "logits"))
    weights = model.get_layer(head).kernel.numpy()[logits.argmax()]
    if dimension or dense:
        weights = model.get_layer("embedding" if dimension else "dense").kernel.numpy() @ weights
    evidence = np.maximum((features * weights).sum(axis=-1), 0)
    assert 0 < np.count_nonzero(evidence) < evidence.size
    found = maps_of_images(model, IMAGE[None])["class_activation"]
    np.testing.assert_allclose(found[0, ..., 0], evidence / evidence.max(), rtol=1e-4, atol=1e-5)
    assert attention_kinds(model, find_classifier(model)) == {"class_activation": NORM, "feature_norm": NORM}


def test_the_sub_centre_that_is_nearest_decides():
    model = classifier(GeM(), "sub_centre_arcface", sub_centres=2)
    kernel = np.random.default_rng(1).normal(size=[2, 5, 6]).astype(np.float32)
    model.get_layer("sub_centre_arcface").kernel.assign(kernel.reshape(10, 6))
    outputs = model(IMAGE[None])
    cosines = kernel / np.linalg.norm(kernel, axis=-1, keepdims=True) @ outputs["embedding"].numpy()[0]
    row = kernel[np.unravel_index(cosines.argmax(), cosines.shape)]
    evidence = np.maximum(outputs["feature_map"].numpy()[0] @ row, 0)
    found = maps_of_images(model, IMAGE[None])["class_activation"]
    np.testing.assert_allclose(found[0, ..., 0], evidence / evidence.max(), rtol=1e-4, atol=1e-5)


def test_images_of_a_batch_have_their_own_class():
    model = classifier(tf.keras.layers.GlobalAveragePooling2D(), "cosine_softmax", classes=3)
    images = IMAGE * np.eye(3, dtype=np.float32)[:, np.newaxis, np.newaxis]  # red, green and blue
    model.get_layer("cosine_softmax").kernel.assign(model(images)["embedding"])
    together = maps_of_images(model, images)["class_activation"]
    alone = [maps_of_images(model, image[None])["class_activation"][0] for image in images]
    np.testing.assert_allclose(together, alone, rtol=1e-4, atol=1e-6)
    assert np.argmax(model(images)["logits"], axis=1).tolist() == [0, 1, 2]


def test_no_class_activation_where_classes_have_no_weight_for_each_channel():
    assert isinstance(find_classifier(classifier(GeM())), Classifier)
    assert find_classifier(classifier(GeM(), dense="relu")) is None
    assert find_classifier(classifier(GeM(), dimension=4, dense="linear")) is None, "two layers between"
    assert find_classifier(classifier(NetVLAD(2))) is None
    assert find_classifier(classifier(GeM(), classes=None)) is None
    model = classifier(GeM())
    other = tf.keras.layers.Activation("relu")(model.output["feature_map"])
    assert find_classifier(tf.keras.Model(model.input, {**model.output, "feature_map": other})) is None
    plain = tf.keras.layers.Dense(3)(model.output["embedding"])
    assert find_classifier(tf.keras.Model(model.input, {**model.output, "logits": plain})) is None


def test_a_large_classifier_leaves_only_when_it_is_asked_for(caplog):
    model = classifier(GeM())
    found = exported_classifier(model)
    assert found.head is model.get_layer("arcface")
    assert found.megabytes == pytest.approx(4e-6 * 5 * 6)
    assert exported_classifier(model, False) is None
    assert exported_classifier(classifier(NetVLAD(2))) is None
    with pytest.raises(UserError, match="a model whose classifier stands on its pooled feature map for --class_activation"):
        exported_classifier(classifier(NetVLAD(2)), True)
    head = ArcFace(int(LARGEST_CLASSIFIER * 1e6 / 4 / 6) + 1)
    large = tf.keras.Model(model.input, {**model.output, "logits": head(model.get_layer("arcface").input)})
    caplog.set_level("INFO", logger="absl")
    assert exported_classifier(large) is None
    assert "would add 16 MB (--class_activation)" in caplog.text
    assert exported_classifier(large, True).head is head


def test_a_model_without_feature_map_has_no_maps():
    images = tf.keras.Input([None, None, 3])
    model = tf.keras.Model(images, {"embedding": tf.keras.layers.GlobalAveragePooling2D()(images)})
    assert attention_kinds(model, find_classifier(model)) == {}


@pytest.mark.parametrize("placement", [pytest.param("end", marks=pytest.mark.slow), "stages"])
def test_the_features_that_a_gate_weighs(placement):
    """Weighed by it they are the feature map, where it is the last block."""
    model = build_model("mobilenet", "se", alpha=0.25, placement=placement)
    name = next(name for name in sorted(model.output, reverse=True) if name.startswith("attention/"))
    features, outputs = gated_features(model, IMAGE, name), model(IMAGE[None])
    np.testing.assert_allclose(features * outputs[name][0], outputs["feature_map"][0], rtol=1e-4, atol=1e-6)
    assert attention_kinds(model)[name] == GATE


def test_a_map_of_no_block_has_no_features():
    model = build_attention_branch_network("resnet18", alpha=0.25, num_classes=3)
    assert attention_kinds(model) == {"attention/abn": GATE, "feature_norm": NORM}
    assert gated_features(model, IMAGE, "attention/abn") is None


def dense(units=3, name=None):
    return tf.keras.Sequential([tf.keras.Input([2]), tf.keras.layers.Dense(units, kernel_initializer="ones", name=name)])


def test_equal_weights_have_one_fingerprint_whatever_their_names():
    assert weights_fingerprint(dense(name="a")) == weights_fingerprint(dense(name="b"))


def test_another_value_or_shape_has_another():
    model = dense()
    before = weights_fingerprint(model)
    model.layers[-1].kernel[0, 0].assign(1.0001)
    assert len({before, weights_fingerprint(model), weights_fingerprint(dense(2))}) == 3
