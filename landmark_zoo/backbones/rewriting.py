"""Keras applications written anew: named layers alone, float32 preprocessing, and images of every size.

Some applications hold operators in the place of layers (ConvNeXt, MobileNetV3, RegNet), layers whose automatic names depend
on what the process built before, or shapes settled by the size they were built for (NASNet). `rewrite` gives the same
network with names that are always the same, so that taps, attention blocks and saved models can refer to them.
"""

import re
from collections.abc import Iterator

import tensorflow as tf

layers = tf.keras.layers
_STATELESS = (layers.Rescaling, layers.Normalization, layers.ZeroPadding2D, layers.MaxPooling2D)
_OPERATORS = {"__operators__.add": layers.Add, "math.multiply": layers.Multiply}


@tf.keras.utils.register_keras_serializable("landmark_zoo")
class StridePadding(layers.Layer):
    """Pads feature maps for a convolution of stride 2 without padding of its own, so that n cells become ceil(n / 2).

    Odd sides get `size // 2` zeros on both ends, even ones a zero less in front, as Keras does for sizes that it knows.

    Args:
        size: Side of the convolution's kernel, odd, 3 or more.
        **kwargs: Keras' own.

    Input shape:
        [B, H, W, C].

    Output shape:
        [B, H + size - 1 or less by one, likewise W, C].
    """

    def __init__(self, size: int, **kwargs):
        super().__init__(**kwargs)
        if size < 3 or size % 2 == 0:
            raise ValueError(f"StridePadding: expected an odd size from 3 on; received {size}.")
        self.size = size

    def call(self, inputs):
        half, sides = self.size // 2, tf.shape(inputs)[1:3]
        before = half - 1 + sides % 2
        paddings = tf.stack([[0, 0], [before[0], half], [before[1], half], [0, 0]])
        return tf.ensure_shape(tf.pad(inputs, paddings), self.compute_output_shape(inputs.shape))

    def compute_output_shape(self, input_shape):
        batch, *sides, channels = tf.TensorShape(input_shape).as_list()
        return tf.TensorShape([batch, *(side and side + self.size - 2 + side % 2 for side in sides), channels])

    def get_config(self):
        return {**super().get_config(), "size": self.size}


@tf.keras.utils.register_keras_serializable("landmark_zoo")
class SmallestSide(layers.Layer):
    """Adds zeros on the right and at the bottom of images that are smaller than a network takes.

    Args:
        side: Least height and width, in pixels.
        **kwargs: Keras' own.

    Input shape:
        [B, H, W, C].

    Output shape:
        [B, max(H, side), max(W, side), C].
    """

    def __init__(self, side: int, **kwargs):
        super().__init__(**kwargs)
        self.side = side

    def call(self, inputs):
        missing = tf.maximum(self.side - tf.shape(inputs)[1:3], 0)
        padded = tf.pad(inputs, tf.stack([[0, 0], [0, missing[0]], [0, missing[1]], [0, 0]]))
        return tf.ensure_shape(padded, self.compute_output_shape(inputs.shape))

    def compute_output_shape(self, input_shape):
        batch, *sides, channels = tf.TensorShape(input_shape).as_list()
        return tf.TensorShape([batch, *(side and max(side, self.side) for side in sides), channels])

    def get_config(self):
        return {**super().get_config(), "side": self.side}


@tf.keras.utils.register_keras_serializable("landmark_zoo")
class LayerScale(layers.Layer):
    """Multiplies every channel by a learnt factor (Touvron et al., Going Deeper with Image Transformers, ICCV 2021).

    Keras' own layer of this name is not registered: files that hold it cannot be read by name.

    Args:
        init_values: Factor at the start.
        **kwargs: Keras' own.

    Input shape, output shape:
        [..., C].
    """

    torch_parts = (("gamma", (0,)),)

    def __init__(self, init_values: float = 1e-6, **kwargs):
        super().__init__(**kwargs)
        self.init_values = init_values

    def build(self, input_shape):
        self.gamma = self.add_weight(name="gamma", shape=[input_shape[-1]],
                                     initializer=tf.keras.initializers.Constant(self.init_values))
        super().build(input_shape)

    def call(self, inputs):
        return inputs * tf.cast(self.gamma, inputs.dtype)

    def compute_output_shape(self, input_shape):
        return tf.TensorShape(input_shape)

    def get_config(self):
        return {**super().get_config(), "init_values": self.init_values}


def rewrite(network: tf.keras.Model, smallest_side: int = 1) -> tf.keras.Model:
    """Returns an application with layers of its own, weights of the same values, and names that are always the same.

    * An operator of two tensors becomes an `Add` or `Multiply`; one of a tensor and a number, and the scaled sum of
      Inception-ResNet, become `Rescaling` and `Add`. What stands in a `Sequential` stands in the network itself.
    * A convolution with a group for each channel (ConvNeXt), which TensorFlow runs slowly on processors, becomes a
      `DepthwiseConv2D`.
    * A layer that Keras named by counting gets its number within this network: "add", "add_1", ...
    * Layers compute under the precision policy that is in force, `Normalization` and the `Rescaling` of pixels in float32.
    * The sides of the images are unknown, whatever they were: padding that Keras fitted to a side becomes `StridePadding`.

    Args:
        network: Functional, without a top, as the application makes it under the policy float32.
        smallest_side: Least side that the network takes, in pixels; smaller images get zeros (`SmallestSide`).

    Raises:
        ValueError: A layer that is called more than once, or an operator that is not known here.
    """
    names = _names(network)
    pixels = tf.keras.Input([None, None, 3], name="pixels")
    start = pixels if smallest_side <= 32 else SmallestSide(smallest_side, dtype="float32", name="smallest_side")(pixels)
    made, of_pixels = {id(network.input): start}, {id(network.input)}
    fitted, policy = network.input_shape[1] is not None, tf.keras.mixed_precision.global_policy()
    for layer in network.layers:
        if isinstance(layer, layers.InputLayer):
            continue
        if len(layer.inbound_nodes) != 1:
            raise ValueError(f"rewrite: expected layers that are called once; received {layer.name} of {network.name}.")
        before, after = layer.get_input_at(0), layer.get_output_at(0)
        if isinstance(layer, layers.Rescaling | layers.Normalization) and id(before) in of_pixels:
            of_pixels.add(id(after))
        if _is_operator(layer):  # its input is the first operand alone
            call = layer.inbound_nodes[0]
            before = [operand for operand in (*call.call_args, *call.call_kwargs.values()) if operand is not None]
        tensors = tf.nest.map_structure(lambda tensor: made.get(id(tensor), tensor), before)
        new = {"name": names[layer.name], "dtype": "float32" if id(after) in of_pixels else policy}
        made[id(after)] = _call(layer, new, tensors, fitted)
    written = tf.keras.Model(pixels, made[id(network.output)], name=network.name)
    written.set_weights([weight.reshape(place.shape) for weight, place in  # depthwise kernels: [h, w, 1, C] to [h, w, C, 1]
                         zip(network.get_weights(), written.weights, strict=True)])
    return written


def needs_rewriting(network: tf.keras.Model) -> bool:
    """Returns whether a network has operators, names by counting that matter, settled sides, or pixels in 16 bits."""
    half = tf.keras.mixed_precision.global_policy().compute_dtype != "float32"
    return network.input_shape[1] is not None or any(
        _is_operator(layer) or (isinstance(layer, layers.Rescaling | layers.Normalization) and half)
        or (_is_counted(layer) and not isinstance(layer, _STATELESS)) for layer in network.layers)


def _call(layer: tf.keras.layers.Layer, new: dict[str, object], tensors, fitted: bool) -> tf.Tensor:
    """Calls the layer that stands for another, with the entries `new` in its configuration."""
    kind, config = type(layer).__name__, layer.get_config()
    if _is_operator(layer):
        return _operate(layer, new, tensors)
    if isinstance(layer, tf.keras.Sequential):
        for inner in layer.layers:
            tensors = type(inner).from_config({**inner.get_config(), "dtype": new["dtype"]})(tensors)
        return tensors
    if kind == "CustomScaleLayer":
        scaled = layers.Rescaling(config["scale"], name=f"{new['name']}_branch", dtype=new["dtype"])(tensors[1])
        return layers.Add(**new)([tensors[0], scaled])
    if kind == "LayerScale":
        return LayerScale(config["init_values"], **new)(tensors)
    if type(layer) is layers.Conv2D and 1 < layer.groups == layer.filters == tensors.shape[-1]:
        kept = {key: config[key] for key in ("kernel_size", "strides", "padding", "dilation_rate", "activation", "use_bias")}
        return layers.DepthwiseConv2D(**kept, **new)(tensors)
    if fitted and isinstance(layer, layers.ZeroPadding2D) and not _is_counted(layer):
        return StridePadding(2 * layer.padding[0][1] + 1, **new)(tensors)
    return type(layer).from_config({**config, **new})(tensors)


def _operate(layer: tf.keras.layers.Layer, new: dict[str, object], operands: list) -> tf.Tensor:
    """Calls the layer that stands for an operator: `tf.__operators__.add(x, y)`, `tf.math.multiply(x, 0.5)`."""
    operator = _OPERATORS.get(layer.get_config()["function"])
    numbers = [operand for operand in operands if isinstance(operand, int | float)]
    if operator is None or len(operands) != 2 or len(numbers) == 2:
        raise ValueError(f"rewrite: expected sums and products of two; received {layer.name}.")
    if not numbers:
        return operator(**new)(operands)
    scale, offset = (numbers[0], 0.0) if operator is layers.Multiply else (1.0, numbers[0])
    return layers.Rescaling(scale, offset, **new)(operands[0])


def _names(network: tf.keras.Model) -> dict[str, str]:
    """Returns the new name of every layer; those that Keras did not make by counting are kept."""
    names = {layer.name: layer.name for layer in network.layers if not _is_counted(layer)}
    numbered = {}
    for layer in network.layers:
        if _is_counted(layer):
            names[layer.name] = next(name for name in numbered.setdefault(_stem(layer), _count(_stem(layer)))
                                     if name not in names.values())
    return names


def _count(stem: str) -> Iterator[str]:
    yield stem
    number = 1
    while True:
        yield f"{stem}_{number}"
        number += 1


def _is_operator(layer: tf.keras.layers.Layer) -> bool:
    return type(layer).__name__ == "TFOpLambda"


def _is_counted(layer: tf.keras.layers.Layer) -> bool:
    """Returns whether Keras made a layer's name: the class, and how many of it this process made before.

    Layers of this project are named by their networks, if need be after their class.
    """
    own = type(layer).__module__.startswith("landmark_zoo.")
    return _is_operator(layer) or (not own and re.sub(r"_\d+$", "", layer.name) == _stem(layer))


def _stem(layer: tf.keras.layers.Layer) -> str:
    if _is_operator(layer):
        return layer.get_config()["function"].rpartition(".")[2]
    words = re.sub(r"(.)([A-Z][a-z]+)", r"\1_\2", type(layer).__name__)
    return re.sub(r"([a-z])([A-Z])", r"\1_\2", words).lower()
