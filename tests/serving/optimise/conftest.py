"""A small export with weights that make every part of the network count."""

import numpy as np
import pytest
import tensorflow as tf

from landmark_zoo.models import build_model
from landmark_zoo.serving.export import export_saved_model
from landmark_zoo.serving.optimise.write_frozen import write_frozen


def shaken(model, seed=0):
    """Gives every BatchNorm statistics and factors of its own, so that folding it wrongly shows."""
    random = np.random.default_rng(seed)
    for layer in model.submodules:
        if isinstance(layer, tf.keras.layers.BatchNormalization):
            gamma, beta, mean, variance = (weight.shape for weight in layer.get_weights())
            layer.set_weights([random.uniform(1, 2, gamma), random.normal(0, 0.3, beta), random.normal(0, 0.2, mean),
                               random.uniform(0.2, 0.8, variance)])
    return model


@pytest.fixture(scope="session")
def small_export(tmp_path_factory):
    """MobileNet (convolutions without bias, depthwise ones) with squeeze-and-excitation, 64 pixels."""
    tf.keras.utils.set_random_seed(0)
    model = shaken(build_model("mobilenet", "se", alpha=0.25, embedding_dim=16))
    return export_saved_model(model, tmp_path_factory.mktemp("models") / "small", side=64, info={"git_commit": "abc"})


@pytest.fixture(scope="session")
def photographs():
    """Encoded pictures of unlike sizes."""
    random = np.random.default_rng(0)
    sizes = [(48, 64), (90, 60), (33, 120)]
    pixels = [np.kron(random.integers(0, 256, [4, 4, 3]), np.ones([h // 4, w // 4, 1])) for h, w in sizes]
    return [tf.io.encode_jpeg(picture.astype(np.uint8)).numpy() for picture in pixels]


@pytest.fixture
def save(tmp_path):
    """A function that saves a function of `x` as the signature `serving_default`, and returns the folder."""
    def write(function, shape, variables=()):
        module = tf.Module()
        module.held = list(variables)
        signature = tf.function(lambda x: {"y": function(x)}, [tf.TensorSpec(shape, tf.float32, name="x")])
        tf.saved_model.save(module, str(tmp_path / "saved"), signatures=signature)
        return tmp_path / "saved"
    return write


@pytest.fixture
def outputs(tmp_path):
    """A function that writes a frozen model and returns what it gives for `x`, beside what the original gives."""
    def run(model, original, x):
        write_frozen(model, tmp_path / "written")
        models = [tf.saved_model.load(str(folder)) for folder in (original, tmp_path / "written")]
        return [model.signatures["serving_default"](x=x)["y"].numpy() for model in models]
    return run
