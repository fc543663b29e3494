
import functools
import http.server
import threading

import numpy as np
import pytest
import tensorflow as tf

from landmark_zoo.backbones.build import Preprocessing, build_backbone, find_weights, preprocess
from landmark_zoo.backbones.keras_applications import ROWS
from landmark_zoo.backbones.registry import BACKBONES
from landmark_zoo.core.errors import UserError
from landmark_zoo.data.image_ops import decode_image, resize_square
from landmark_zoo.models import create_model

PARAMETERS = {"mobilenet": 3_228_864, "mobilenetv2": 2_257_984, "resnet18": 11_186_112, "resnet34": 21_301_696,
              "resnet50v15": 23_561_152, "resnet101v15": 42_605_504, "resnet152v15": 58_295_232,
              "resnet50v15bgr": 23_561_152, "resnet101v15bgr": 42_605_504, "vgg16torch": 14_714_688, "resnet50": 23_587_712,
              "resnet101": 42_658_176, "vgg16": 14_714_688, "efficientnetb0": 4_049_571,
              "efficientnetlite0": 3_413_024, "efficientnetlite1": 4_189_344, "efficientnetlite2": 4_869_168,
              "dinov2s14": 22_056_192, "dinov2b14": 86_579_712, "dinov2s14reg": 22_057_728, "dinov2b14reg": 86_582_784}


@pytest.mark.parametrize("name", PARAMETERS)
def test_taps_have_the_stated_strides(name):
    spec = BACKBONES[name]
    model = build_backbone(name)
    assert model.name == name
    assert model.count_params() == PARAMETERS[name]
    outputs = model(np.zeros((1, 64, 96, 3), np.float32))
    assert outputs.keys() == spec.taps.keys()
    for tap, stride in spec.strides.items():
        assert outputs[tap].shape[1:3] == (round(64 / stride), round(96 / stride)), tap


def test_every_backbone_has_a_count():
    assert set(PARAMETERS) | {row["name"] for row in ROWS} == set(BACKBONES)


def test_what_lies_behind_the_last_tap_is_left_out():
    assert build_backbone("mobilenet", taps=("C3",)).count_params() < PARAMETERS["mobilenet"] / 10


def test_width_of_a_network_without_widths():
    with pytest.raises(UserError, match="no alpha for vgg16"):
        build_backbone("vgg16", alpha=0.5)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A file of a narrow MobileNet in the legacy layout of the published ones."""
    folder = tmp_path_factory.mktemp("weights")
    tf.keras.utils.set_random_seed(1)
    network = tf.keras.applications.MobileNet(include_top=False, weights=None, alpha=0.25, input_shape=(None, None, 3))
    network.save_weights(folder / "mobilenet_0.25_imagenet_no_top.h5")
    return folder


def kernel(model):
    return model.get_weights()[0]


def test_an_address_that_does_not_answer():
    with pytest.raises(UserError, match=r"a weight file at http://127\.0\.0\.1:9/.*Check the address"):
        build_backbone("mobilenet", "http://127.0.0.1:9/mobilenet_0.25.h5", alpha=0.25)


@pytest.mark.slow
def test_file_folder_and_address_give_the_same(folder):
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_port}/mobilenet_0.25_imagenet_no_top.h5"
        models = [build_backbone("mobilenet", source, alpha=0.25)
                  for source in (folder / "mobilenet_0.25_imagenet_no_top.h5", folder, address)]
        with pytest.raises(UserError, match="a weight file at"):
            build_backbone("mobilenet", address.replace("0.25", "0.5"), alpha=0.5)
        server.shutdown()
    assert not np.array_equal(kernel(build_backbone("mobilenet", alpha=0.25)), kernel(models[0]))
    for model in models[1:]:
        for left, right in zip(models[0].get_weights(), model.get_weights(), strict=True):
            np.testing.assert_array_equal(left, right)


def test_imagenet_copies_what_keras_loads(monkeypatch):
    spec = BACKBONES["mobilenet"]

    def application(weights, **arguments):
        return spec.application(weights=None, **arguments)

    monkeypatch.setattr("landmark_zoo.backbones.build.BACKBONES", {"mobilenet": type(spec)(
        spec.name, application, spec.preprocessing, spec.taps, spec.strides, spec.paper, spec.has_width)})
    assert build_backbone("mobilenet", "imagenet", alpha=0.25).count_params() == 218_544


@pytest.mark.parametrize(("name", "alpha"), [("resnet18", None), ("mobilenet", 0.3)])
def test_weights_that_keras_does_not_publish(name, alpha):
    with pytest.raises(UserError, match=f"ImageNet weights that Keras publishes of {name}.*--weights=FILE"):
        build_backbone(name, "imagenet", alpha=alpha)


def test_no_network_is_one_line(monkeypatch):
    def failing(**_):
        raise Exception("URL fetch failure on https://example.org/a.h5: None")

    spec = BACKBONES["vgg16"]
    monkeypatch.setattr("landmark_zoo.backbones.build.BACKBONES", {"vgg16": type(spec)(
        spec.name, lambda weights, **a: failing() if weights else spec.application(weights=None, **a), spec.preprocessing,
        spec.taps, spec.strides, spec.paper)})
    with pytest.raises(UserError, match="a download of the ImageNet weights of vgg16"):
        build_backbone("vgg16", "imagenet")


@pytest.mark.parametrize(("names", "backbone", "alpha", "found"), [
    (["mobilenet_v2_1.0_imagenet_no_top.weights.h5", "mobilenet_0.75_imagenet.h5"], "mobilenetv2", None, 0),
    (["mobilenet_v2_1.0_imagenet_no_top.weights.h5", "mobilenet_0.75_imagenet.h5"], "mobilenet", 0.75, 1),
    (["resnet50_weights_tf_notop.h5", "resnet101_weights_tf_notop.h5"], "resnet101", None, 1),
    (["resnet101v2_weights_tf_notop.h5", "resnet101_weights_tf_notop.h5"], "resnet101", None, 1),
    (["weights_mobilenet_v3_small_224_0.75_float_no_top_v2.h5", "weights_mobilenet_v3_small_224_1.0_float_no_top_v2.h5"],
     "mobilenetv3small", None, 1), (["efficientnetv2-b0_notop.h5"], "efficientnetv2b0", None, 0),
])
def test_finds_the_one_that_fits(tmp_path, names, backbone, alpha, found):
    for name in names:
        (tmp_path / name).touch()
    assert find_weights(tmp_path, backbone, alpha).name == names[found]


@pytest.mark.parametrize(("names", "said"), [
    ([], "none"), (["mobilenet_1.0_a.h5", "mobilenet_1.0_b.h5"], "_a.h5, mobilenet")])
def test_none_or_several_fit(tmp_path, names, said):
    for name in names:
        (tmp_path / name).touch()
    with pytest.raises(UserError, match=said):
        find_weights(tmp_path, "mobilenet")


@pytest.mark.parametrize(("name", "backbone", "alpha", "said"), [
    pytest.param("mobilenet_0.25_imagenet_no_top.h5", "mobilenet", 0.5, "does not fit", marks=pytest.mark.slow),
    pytest.param("mobilenet_0.25_imagenet_no_top.h5", "mobilenetv2", 0.35, "does not fit", marks=pytest.mark.slow),
    ("broken.h5", "resnet18", 0.125, "does not fit"), ("absent.h5", "resnet18", 0.125, "does not exist")])
def test_wrong_files_are_refused(folder, name, backbone, alpha, said):
    (folder / "broken.h5").write_bytes(b"no weights")
    with pytest.raises(UserError, match=said):
        build_backbone(backbone, folder / name, alpha)


@pytest.mark.slow
@pytest.mark.photographs
def test_real_weights_tell_landmarks_apart(shared_data):
    """Photographs of one landmark are nearer to each other than to those of another, which random weights do not see."""
    model = create_model("mobilenetv2_gem", embedding_dim=0, weights=shared_data / "weights")
    images = tf.stack([resize_square(decode_image(tf.io.read_file(str(path))), 224)
                       for landmark in ("taj_mahal", "stonehenge")
                       for path in sorted((shared_data / "photos" / "wonders" / landmark).iterdir())[:6]])
    embeddings = model(images)["embedding"].numpy()
    similarity = embeddings @ embeddings.T
    within = (similarity[:6, :6].sum() + similarity[6:, 6:].sum() - 12) / 60
    assert within > similarity[:6, 6:].mean() + 0.1


@pytest.mark.parametrize(("image_format", "number_format"), [("channels_first", "float32"), ("channels_last", "float16")])
def test_a_keras_json_of_another_project_is_named(monkeypatch, image_format, number_format):
    monkeypatch.setattr(tf.keras.backend, "image_data_format", lambda: image_format)
    monkeypatch.setattr(tf.keras.backend, "floatx", lambda: number_format)
    with pytest.raises(UserError, match=f"received {image_format} and {number_format}"):
        build_backbone("resnet18")


PIXELS = np.random.default_rng(0).integers(0, 256, (2, 5, 4, 3)).astype(np.uint8)


@pytest.mark.parametrize(("mode", "keras"), [
    ("caffe", tf.keras.applications.resnet.preprocess_input),
    ("standard", lambda x: tf.keras.applications.imagenet_utils.preprocess_input(x, mode="torch")),
    ("symmetric", tf.keras.applications.mobilenet.preprocess_input)])
def test_equals_keras(mode, keras):
    np.testing.assert_allclose(preprocess(PIXELS, mode), keras(PIXELS.astype(np.float32).copy()), atol=1e-4)


@pytest.mark.slow
def test_efficientnet_ends_at_imagenet_statistics():
    """The network's own layers, filled as the published weight files are, undo what was put in front."""
    network = tf.keras.applications.EfficientNetB0(include_top=False, weights=None, input_shape=(None, None, 3))
    normalization = next(layer for layer in network.layers if isinstance(layer, tf.keras.layers.Normalization))
    mean, std = np.array([0.485, 0.456, 0.406], np.float32), np.array([0.229, 0.224, 0.225], np.float32)
    normalization.set_weights([mean, std, np.array(0)])
    stem = tf.keras.Model(network.input, normalization.output)
    np.testing.assert_allclose(stem(preprocess(PIXELS, "efficientnet")), (PIXELS / 255 - mean) / std, atol=1e-4)


def test_efficientnet_lite():
    np.testing.assert_array_equal(preprocess(np.array([[[[0, 127, 255]]]], np.uint8), "efficientnet_lite"),
                                  [[[[-127 / 128, 0, 1]]]])


def test_float_and_integer_pixels_are_the_same():
    np.testing.assert_array_equal(preprocess(PIXELS, "caffe"), preprocess(PIXELS.astype(np.float32), "caffe"))


def test_contract(check_layer, tmp_path):
    check_layer(lambda **keras: Preprocessing("symmetric", **keras), PIXELS.astype(np.float32), tmp_path)


def test_unknown_mode():
    with pytest.raises(ValueError, match="expected mode in"):
        Preprocessing("torch")
