"""The contract of DESIGN.md that every layer of a table keeps, and that its export keeps."""

import inspect
from collections.abc import Callable
from pathlib import Path

import numpy as np
import tensorflow as tf


def check_layer(create: Callable[..., tf.keras.layers.Layer], inputs: np.ndarray, tmp_path: Path, *,
                unknown_size: bool = True, half_precision_tolerance: float = 0.05) -> None:
    """Checks one layer on one input: its shape, configuration, `.keras` file, gradients and half precision.

    Args:
        create: Makes the layer; takes Keras' own arguments (`name`, `dtype`).
        inputs: float32, a batch of at least 2.
        tmp_path: For saved files.
        unknown_size: Whether height and width may be unknown (always so for inputs of rank 2).
        half_precision_tolerance: Largest difference between float32 and mixed_float16, relative to the largest output.
    """
    layer = create(name="layer")
    outputs = _first(layer(inputs))
    assert outputs.shape == layer.compute_output_shape(inputs.shape), "compute_output_shape"
    assert np.isfinite(outputs).all(), "finite outputs"
    _check_config(layer, inputs, outputs)
    model = _model_of(layer, inputs, unknown_size)
    np.testing.assert_allclose(model(inputs), outputs, rtol=1e-5, atol=1e-5)
    model.save(tmp_path / "model.keras")
    np.testing.assert_allclose(tf.keras.models.load_model(tmp_path / "model.keras")(inputs), outputs, rtol=1e-5, atol=1e-5)
    _check_gradients(create, inputs)
    _check_half_precision(create, layer, inputs, outputs, half_precision_tolerance)


def check_exported_layer(create: Callable[..., tf.keras.layers.Layer], inputs: np.ndarray, tmp_path: Path, *,
                         unknown_size: bool = True, **_: float) -> None:
    """Checks that one layer gives the same in a SavedModel, and compiled by XLA; takes what `check_layer` takes."""
    layer = create(name="layer")
    outputs = _first(layer(inputs))
    model = _model_of(layer, inputs, unknown_size)
    module = tf.Module()
    module.variables_ = model.variables
    module.call = tf.function(lambda x: model(x, training=False),
                              input_signature=[tf.TensorSpec(model.input_shape, tf.float32)])
    tf.saved_model.save(module, str(tmp_path / "saved"))
    restored = tf.saved_model.load(str(tmp_path / "saved"))  # a function alone does not hold the weights
    np.testing.assert_allclose(restored.call(inputs), outputs, rtol=1e-5, atol=1e-5)
    compiled = tf.function(lambda x: _first(layer(x)), jit_compile=True)
    np.testing.assert_allclose(compiled(inputs), outputs, rtol=1e-4, atol=1e-5)


def check_half_precision_at_scale(create: Callable[..., tf.keras.layers.Layer], policy: str,
                                  inputs: np.ndarray | None = None, tolerance: float = 0.06) -> None:
    """Checks that a half precision policy stays finite and close to float32 on features as large as those of a ResNet.

    Args:
        create: Makes the layer; takes `name`.
        policy: "mixed_float16" or "mixed_bfloat16".
        inputs: float32; None for a rectified map [1, 16, 16, 32] with values up to 100.
        tolerance: Largest difference between both precisions, relative to the largest output.
    """
    if inputs is None:
        normal = np.random.default_rng(0).standard_normal((1, 16, 16, 32))
        inputs = np.clip(30 * normal, 0, 100).astype(np.float32)
    half_dtype = tf.keras.mixed_precision.Policy(policy).compute_dtype
    rounded = tf.cast(inputs, half_dtype)
    layer = create(name="layer")
    outputs = _first(layer(tf.cast(rounded, tf.float32))).numpy()
    before = tf.keras.mixed_precision.global_policy()
    tf.keras.mixed_precision.set_global_policy(policy)
    try:
        half = create(name="half")
        half(rounded)
        half.set_weights(layer.get_weights())
        difference = np.abs(tf.cast(_first(half(rounded)), tf.float32).numpy() - outputs)
    finally:
        tf.keras.mixed_precision.set_global_policy(before)
    assert np.isfinite(difference).all(), f"finite under {policy}"
    assert difference.max() <= tolerance * np.abs(outputs).max(), f"{policy} far from float32"


def layers_below(base: type) -> set[type]:
    """The classes that derive from `base`, near and far, of the modules that are imported."""
    return {kind for child in base.__subclasses__() for kind in {child, *layers_below(child)}}


def _check_config(layer, inputs, outputs) -> None:
    kind = type(layer)
    registered = tf.keras.utils.get_registered_name(kind)
    assert registered == f"landmark_zoo>{kind.__name__}", f"registered as {registered}"
    twin = kind.from_config(layer.get_config())
    assert twin.get_config() == layer.get_config(), "config round trip"
    twin(inputs)
    twin.set_weights(layer.get_weights())
    np.testing.assert_allclose(_first(twin(inputs)), outputs, rtol=1e-5, atol=1e-6)


def _model_of(layer, inputs, unknown_size) -> tf.keras.Model:
    shape = [None] * (inputs.ndim - 2) + [inputs.shape[-1]] if unknown_size else list(inputs.shape[1:])
    image = tf.keras.Input(shape)
    return tf.keras.Model(image, _first(layer(image)))


def _check_gradients(create, inputs) -> None:
    """Every weight gets a finite gradient that is not zero for each of three draws; a bias may cancel in a normalisation."""
    silent = {"inputs"}
    for seed in (1, 2, 3):
        gradients = _gradients(create, inputs, seed)
        if seed == 1:
            silent |= {name for name in gradients if not name.endswith("bias:0")}
        silent -= {name for name, gradient in gradients.items() if np.abs(gradient).max() > 0}
        if not silent:
            return
    raise AssertionError(f"gradients of {sorted(silent)} are zero")


def _gradients(create, inputs, seed) -> dict[str, np.ndarray]:
    """Gradients of a random weighing of the outputs, at random weights, by a name that counts equal names."""
    layer, random = create(name="gradients"), np.random.default_rng(seed)
    layer(inputs)
    for weight in layer.trainable_weights:
        weight.assign(weight + 0.1 * random.standard_normal(weight.shape).astype(np.float32))
    x = tf.constant(inputs)
    with tf.GradientTape() as tape:
        tape.watch(x)
        takes_training = "training" in inspect.signature(layer.call).parameters
        outputs = _first(layer(x, training=True) if takes_training else layer(x))
        weighing = random.standard_normal(outputs.shape).astype(np.float32)
        loss = tf.reduce_sum(tf.cast(outputs, tf.float32) * weighing)
    found = tape.gradient(loss, [x, *layer.trainable_weights])
    names = ["inputs", *(f"{number} {weight.name}" for number, weight in enumerate(layer.trainable_weights))]
    assert None not in found, f"no gradient for {[name for name, value in zip(names, found, strict=True) if value is None]}"
    values = {name: tf.convert_to_tensor(value).numpy() for name, value in zip(names, found, strict=True)}
    for name, value in values.items():
        assert np.isfinite(value).all(), f"gradient of {name}"
    return values


def _check_half_precision(create, layer, inputs, outputs, tolerance) -> None:
    before = tf.keras.mixed_precision.global_policy()
    tf.keras.mixed_precision.set_global_policy("mixed_float16")
    try:
        half = create(name="half")
        half(inputs.astype(np.float16))
        half.set_weights(layer.get_weights())
        difference = np.abs(_first(half(inputs.astype(np.float16))).numpy().astype(np.float32) - outputs)
    finally:
        tf.keras.mixed_precision.set_global_policy(before)
    assert np.isfinite(difference).all(), "finite under mixed_float16"
    assert difference.max() <= tolerance * np.abs(outputs).max(), "mixed_float16 far from float32"
    assert all(weight.dtype == tf.float32 for weight in half.weights), "float32 weights under mixed_float16"


def _first(result):
    return result[0] if isinstance(result, tuple) else result
