import numpy as np
import pytest
import tensorflow as tf

from landmark_zoo.backbones.build import build_backbone
from landmark_zoo.core.errors import UserError
from landmark_zoo.data.image_ops import decode_image, resize_square
from landmark_zoo.models import build_model
from landmark_zoo.models.build import dense_layers, embed_and_classify, last_map

IMAGES = np.random.default_rng(0).integers(0, 256, (2, 70, 45, 3)).astype(np.uint8)


@pytest.fixture(scope="module")
def model():
    tf.keras.utils.set_random_seed(0)
    return build_model("mobilenet", "se", embedding_dim=16, num_classes=5, alpha=0.25)


def test_outputs(model):
    outputs = model(IMAGES)
    assert set(outputs) == {"embedding", "feature_map", "logits", "attention/se"}
    assert outputs["feature_map"].shape == (2, 2, 1, 256)
    assert outputs["logits"].shape == (2, 5)
    np.testing.assert_allclose(np.linalg.norm(outputs["embedding"], axis=1), 1, rtol=1e-5)
    assert outputs["embedding"].dtype == tf.float32


def test_integer_and_float_pixels_and_other_sizes(model):
    np.testing.assert_array_equal(model(IMAGES)["embedding"], model(IMAGES.astype(np.float32))["embedding"])
    for size in ((32, 32), (33, 150)):
        assert model(np.zeros((1, *size, 3), np.uint8))["embedding"].shape == (1, 16)


def test_summary_names_what_the_papers_name(model):
    lines = []
    model.summary(print_fn=lines.append)
    text = "\n".join(lines)
    for name in ("mobilenet (Functional)", "se (SqueezeExcitation)", "gem (GeM)", "embedding (EmbeddingLayer)",
                 "arcface (ArcFace)"):
        assert name in text


def test_without_attention_and_head():
    outputs = build_model("mobilenet", alpha=0.25)(IMAGES)
    assert set(outputs) == {"embedding", "feature_map"}


@pytest.mark.parametrize("part", [{"backbone": "alexnet"}, {"attention": "hope"}, {"pooling": "pool"},
                                  {"head": "tail", "num_classes": 3}])
def test_unknown_parts_are_named(part):
    with pytest.raises(UserError, match="a known"):
        build_model(**{"backbone": "mobilenet", "alpha": 0.25, **part})


def text_of(model):
    lines = []
    model.summary(print_fn=lines.append, line_length=120, expand_nested=True)
    return "\n".join(lines)


@pytest.mark.parametrize(("backbone", "attention", "placement", "places"), [
    ("mobilenet", "gc_add", "stages", ["c3", "c4", "c5"]),
    ("mobilenetv2", "eca", "blocks", [f"block_{number}" for number in (2, 4, 5, 7, 8, 9, 11, 12, 14, 15)]),
    ("resnet18", "se", "blocks", [f"conv{stage}_block{block}" for stage in (2, 3, 4, 5) for block in (1, 2)])])
def test_placements(backbone, attention, placement, places):
    model = build_model(backbone, attention, alpha=0.35 if backbone == "mobilenetv2" else 0.25, placement=placement,
                        embedding_dim=8)
    outputs = model(IMAGES)
    assert outputs["embedding"].shape == (2, 8)
    blocks = [name.split("/")[1] for name in outputs if name.startswith("attention/")]
    assert blocks == [f"{attention}_{place}" for place in places]
    assert all(block in text_of(model) for block in blocks)
    assert f" {backbone} (Functional)" in text_of(model)


@pytest.mark.slow
@pytest.mark.parametrize(("backbone", "placement", "maps"), [
    ("vgg16", "stages", 3), ("efficientnetb0", "stages", 3), ("efficientnetb0", "blocks", 9), ("resnet50", "blocks", 16),
    ("efficientnetlite0", "stages", 3), ("efficientnetlite1", "blocks", 14)])
def test_placements_in_large_backbones(backbone, placement, maps):
    outputs = build_model(backbone, "eca", placement=placement, embedding_dim=8)(IMAGES)
    assert outputs["embedding"].shape == (2, 8)
    assert sum(name.startswith("attention/eca_") for name in outputs) == maps


@pytest.mark.parametrize(("backbone", "attention", "placement", "said"), [
    ("vgg16", "se", "blocks", "vgg16, which has none"), ("mobilenet", "se", "blocks", "mobilenet, which has none"),
    ("mobilenet", "se", "middle", "'middle' of attention 'se'"), ("mobilenet", None, "stages", "'stages' of attention None"),
    ("mobilenetv2", "san_pairwise", "blocks", r"san_pairwise \(.*divisible by share=8"),
    ("mobilenetv2", "aa", "convolutions", "mobilenetv2, which has none behind its first stages"),
    ("resnet18", "glam", "convolutions", "received glam. Use one of aa, san_pairwise, san_patchwise, or another"),
    ("resnet18", None, "convolutions", "'convolutions' of attention None")])
def test_placements_that_cannot_be(backbone, attention, placement, said):
    with pytest.raises(UserError, match=said):
        build_model(backbone, attention, placement=placement)


def augmented_parameters(filters):
    """Weights of an AA convolution by the paper: convolution, projections, merging, tables of offsets of -13 to 13."""
    key, value = {32: (160, 8), 64: (160, 8), 128: (160, 16), 256: (160, 24), 512: (160, 48)}[filters]
    kept, projected = filters - value, 2 * key + value
    return 9 * filters * kept + kept + filters * projected + projected + value * value + value + 2 * 27 * key // 8


def pairwise_parameters(filters):
    relation, groups = filters // 16, filters // 8
    transforms = 2 * (filters * relation + relation) + filters * filters + filters + 6
    return transforms + 2 * (relation + 2) + (relation + 2) * relation + 2 * relation + relation * groups + groups


def patchwise_parameters(filters):
    relation, groups = filters // 16, filters // 8
    transforms = 2 * (filters * relation + relation) + filters * filters + filters
    return transforms + 100 * relation + 50 * relation * groups + 2 * groups + 49 * groups * groups + 49 * groups


def trainable(model):
    return sum(int(tf.size(weight)) for weight in model.trainable_weights)


CONVOLUTIONS = [f"conv{stage}_{place}" for stage in (3, 4, 5) for place in ("block1_2", "block2_1", "block2_2")]


@pytest.mark.slow
@pytest.mark.parametrize(("attention", "parameters"), [
    ("aa", augmented_parameters), ("san_pairwise", pairwise_parameters), ("san_patchwise", patchwise_parameters)])
def test_in_the_place_of_convolutions(attention, parameters, plain_resnet18):
    plain, file = plain_resnet18
    model = build_model("resnet18", attention, weights=file, alpha=0.25, placement="convolutions", embedding_dim=8)
    backbone = model.get_layer("resnet18")
    for shape in ((2, 64, 96, 3), (2, 96, 64, 3)):
        outputs = model(np.zeros(shape, np.uint8))
        assert set(outputs) == {"embedding", "feature_map", *(
            f"attention/{attention}_{place}/{attention}" for place in CONVOLUTIONS)}
        assert outputs["feature_map"].shape == (2, shape[1] // 32, shape[2] // 32, 128)
    assert trainable(backbone) == trainable(plain) + sum(
        3 * (parameters(filters) - 9 * filters * filters) for filters in (32, 64, 128))
    for layer in filter(lambda layer: layer.weights, plain.layers):
        if layer.name.removesuffix("_conv") in CONVOLUTIONS:
            assert layer.name not in {left.name for left in backbone.layers}
            continue
        for left, right in zip(layer.get_weights(), backbone.get_layer(layer.name).get_weights(), strict=True):
            np.testing.assert_array_equal(left, right)
    if attention == "aa":
        np.testing.assert_array_equal(backbone.get_layer("aa_conv5_block1_2").convolution.kernel,
                                      plain.get_layer("conv5_block1_2_conv").kernel[..., :112])


@pytest.mark.slow
def test_an_augmented_resnet50_has_the_papers_size():
    plain = build_backbone("resnet50", taps=("C5",)).count_params()
    model = build_model("resnet50", "aa", placement="convolutions", embedding_dim=8).get_layer("resnet50")
    assert model.count_params() - plain == sum(
        number * (augmented_parameters(filters) - 9 * filters * filters - filters)
        for filters, number in ((128, 4), (256, 6), (512, 3)))
    assert round((model.count_params() - plain) / 1e6, 1) == 0.2


@pytest.mark.slow
def test_vgg16_keeps_its_activations():
    model = build_model("vgg16", "aa", placement="convolutions", embedding_dim=8)
    outputs = model(IMAGES)
    assert outputs["feature_map"].shape == (2, 4, 2, 512)
    assert np.min(outputs["feature_map"]) == 0


@pytest.fixture(scope="module")
def plain_resnet18(tmp_path_factory):
    """A narrow ResNet-18 and the file of its weights."""
    plain, file = build_backbone("resnet18", alpha=0.25, taps=("C5",)), tmp_path_factory.mktemp("weights") / "weights.h5"
    tf.keras.Model(plain.input, plain.output["C5"]).save_weights(file)
    return plain, file


@pytest.mark.slow
@pytest.mark.parametrize("placement", ["stages", "blocks"])
def test_pretrained_weights_are_kept(placement, plain_resnet18):
    plain, file = plain_resnet18
    backbone = build_model("resnet18", "eca", weights=file, alpha=0.25, placement=placement).get_layer("resnet18")
    assert len(backbone.layers) > len(plain.layers)
    for layer in filter(lambda layer: layer.weights, plain.layers):
        for left, right in zip(layer.get_weights(), backbone.get_layer(layer.name).get_weights(), strict=True):
            np.testing.assert_array_equal(left, right)


@pytest.mark.slow
def test_thin_feature_maps_get_two_hidden_channels():
    def reduction(**arguments):
        model = build_model("resnet18", "gc_add", alpha=0.25, placement="blocks", attention_arguments=arguments)
        return [model.get_layer("resnet18").get_layer(f"gc_add_conv{stage}_block2").reduction for stage in (2, 3, 5)]
    assert reduction() == [8, 16, 16]
    assert reduction(reduction=4) == [4, 4, 4]
    with pytest.raises(UserError, match="a block that fits every place"):
        reduction(reduction=16)


@pytest.mark.slow
@pytest.mark.parametrize("placement", ["end", "blocks"])
def test_checkpoint_across_two_builds(placement, tmp_path):
    first, second = (build_model("resnet18", "eca", alpha=0.25, placement=placement, embedding_dim=8, num_classes=3)
                     for _ in range(2))
    for variable in first.trainable_variables:
        variable.assign_add(tf.random.normal(variable.shape, stddev=0.05))
    tf.train.Checkpoint(model=first).write(str(tmp_path / "weights"))
    tf.train.Checkpoint(model=second).read(str(tmp_path / "weights")).assert_consumed()
    for name, values in first(IMAGES).items():
        np.testing.assert_array_equal(values, second(IMAGES)[name])


@pytest.fixture(scope="module")
def real(shared_data):
    """Two images and the real MobileNetV2's vectors of them."""
    paths = sorted((shared_data / "photos" / "wonders" / "taj_mahal").iterdir())[:2]
    images = tf.stack([resize_square(decode_image(tf.io.read_file(str(path))), 160) for path in paths])
    plain = build_model("mobilenetv2", embedding_dim=None, weights=shared_data / "weights")
    return images, plain(images)["embedding"]


@pytest.mark.slow
@pytest.mark.photographs
@pytest.mark.parametrize("placement", ["end", "stages", "blocks"])
@pytest.mark.parametrize("attention", ["gc_add", "solar", "nl_embedded"])
def test_identity_blocks_leave_a_pretrained_network_as_it_is(shared_data, real, attention, placement):
    images, expected = real
    model = build_model("mobilenetv2", attention, placement=placement, embedding_dim=None, weights=shared_data / "weights")
    np.testing.assert_allclose(model(images)["embedding"], expected, atol=1e-5)


VECTORS = np.random.default_rng(0).standard_normal((3, 8)).astype(np.float32)


def built(**arguments):
    vectors = tf.keras.Input([8])
    return tf.keras.Model(vectors, embed_and_classify(vectors, **arguments))


def test_without_embedding_layer_the_head_sees_the_vectors_themselves():
    model = built(num_classes=4)
    outputs, kernel = model(VECTORS), model.get_layer("softmax").kernel
    np.testing.assert_allclose(outputs["logits"], VECTORS @ kernel.numpy().T, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(outputs["embedding"], VECTORS / np.linalg.norm(VECTORS, axis=1, keepdims=True), rtol=1e-5)


def test_with_an_embedding_layer_the_head_sees_the_embedding():
    model = built(num_classes=4, embedding_dim=5, head="arcface", head_arguments={"scale": 7.0})
    outputs = model(VECTORS)
    np.testing.assert_allclose(model.get_layer("arcface")(outputs["embedding"]), outputs["logits"], rtol=1e-5)
    assert outputs["embedding"].shape == (3, 5)
    assert np.abs(outputs["logits"]).max() <= 7


def test_no_classes_no_head():
    assert set(built(num_classes=None)(VECTORS)) == {"embedding"}


def test_unknown_head():
    with pytest.raises(UserError, match="known head"):
        built(num_classes=4, head="tail")


def test_convolutions_are_those_of_keras_with_all_five_poolings():
    ours, keras = last_map("vgg16"), tf.keras.applications.VGG16(include_top=False, weights=None)
    ours.set_weights(keras.get_weights())
    images = np.random.default_rng(0).uniform(-100, 100, (1, 70, 45, 3)).astype(np.float32)
    assert ours.count_params() == 14_714_688
    assert ours(images).shape == (1, 2, 1, 512)
    np.testing.assert_allclose(ours(images), keras(images), rtol=1e-5)


def test_one_width_only():
    with pytest.raises(UserError, match=r"no alpha for vgg16; received alpha=0\.5"):
        last_map("vgg16", alpha=0.5)


def test_other_backbones_end_at_c5():
    assert last_map("mobilenet", alpha=0.25)(np.zeros((1, 64, 96, 3), np.float32)).shape == (1, 2, 3, 256)


@pytest.fixture(scope="module")
def dense():
    features = tf.keras.Input([None, None, 4])
    return tf.keras.Model(features, dense_layers(features, width=6))


def test_dense_layers_flatten_a_map_of_7_x_7_as_it_is(dense):
    features = np.random.default_rng(0).standard_normal((2, 7, 7, 4)).astype(np.float32)
    x = features.reshape(2, -1)
    for name in ("fc1", "fc2"):
        kernel, bias = dense.get_layer(name).get_weights()
        x = np.maximum(x @ kernel + bias, 0)
    np.testing.assert_allclose(dense(features), x, rtol=1e-4, atol=1e-5)


def test_dense_layers_take_any_size(dense):
    assert [dense(np.ones((1, *size, 4), np.float32)).shape for size in ((1, 1), (3, 20))] == [(1, 6), (1, 6)]


def test_each_dense_layer_drops_half_of_its_units_in_training_only(dense):
    ones = np.ones((1, 8))
    for name in ("dropout1", "dropout2"):
        assert dense.get_layer(name).rate == 0.5
        np.testing.assert_array_equal(dense.get_layer(name)(ones), ones)
