"""DINOv2: plain vision transformers of 14 x 14 pixel patches, without and with registers (Oquab et al.: DINOv2: Learning
Robust Visual Features without Supervision, TMLR 2024; Darcet et al.: Vision Transformers Need Registers, ICLR 2024).

Settings from the authors' code (facebookresearch/dinov2). Sides are brought to the nearest multiple of 14 by an antialiased
bilinear resize, as MegaLoc's authors do; halves go to the even multiple. The positions, learnt on 37 x 37 patches, are
interpolated as the authors do: without registers by a cubic of -3/4, without antialiasing and as if the map were a tenth of
a patch larger; with registers by the antialiased cubic of -1/2 and by the sizes alone.
"""

import functools
from collections.abc import Collection, Mapping

import numpy as np
import tensorflow as tf

from landmark_zoo.backbones.rewriting import LayerScale
from landmark_zoo.data.resampling import resample
from landmark_zoo.layers.attention.chunked_attention import size

layers = tf.keras.layers

PATCH, GRID = 14, 37
"""Pixels of a patch, and patches of a side of the images that the positions were learnt on."""
EPSILON = 1e-6
REGISTERS = 4
OFFSET = 0.1


def dinov2(name: str, width: int = 384, depth: int = 12, heads: int = 6, registers: int = 0, grid: int = GRID,
           include_top: bool = False, weights: None = None, input_shape=(None, None, 3)) -> tf.keras.Model:
    """Builds a network of the family; its layers are named block by block, "block0_norm1" to "block11_add2", "norm".

    Each head of a block holds 4 N^2 bytes for the attention among N patches: 45 MB a block of S/14 at 518 x 518 pixels.

    Args:
        name: Name of the model.
        width: Channels D, a multiple of `heads`; 384 of S/14, 768 of B/14.
        depth: Number of blocks.
        heads: Heads of each attention; 6 of S/14, 12 of B/14.
        registers: Tokens beside the class token that have no place in the image: 0, or 4 of the authors' networks with
            registers. They also decide how positions are interpolated.
        grid: Patches of a side that the positions are of.
        include_top: Must be False: the networks have no classifier.
        weights: Must be None: files are read by `backbones.load_weights`.
        input_shape: (H, W, 3), unknown sides allowed.

    Returns:
        A model from preprocessed images [B, H, W, 3] of any size from 32 pixels to a dict: "patch_map" [B, h, w, D], the
        patches behind the last normalization, with h = round(H / 14) and w likewise, and "class_token" [B, D].

    Example:
        >>> network = dinov2("tiny", width=16, depth=1, heads=2)
        >>> {name: output.shape.as_list() for name, output in network(tf.zeros([1, 50, 64, 3])).items()}
        {'patch_map': [1, 4, 5, 16], 'class_token': [1, 16]}
    """
    if include_top or weights is not None:
        raise ValueError(f"{name}: expected include_top=False and weights=None; received {include_top} and {weights!r}.")
    image = tf.keras.Input(input_shape)
    patches = layers.Conv2D(width, PATCH, PATCH, kernel_initializer=_truncated(), name="patch_embed")(
        FitToPatches(name="fit_to_patches")(image))
    x = PatchTokens(registers, grid, name="tokens")(patches)
    for number in range(depth):
        x = _block(x, heads, f"block{number}")
    x = layers.LayerNormalization(epsilon=EPSILON, name="norm")(x)
    return tf.keras.Model(image, {"patch_map": PatchMap(registers, name="patch_map")([x, patches]),
                                  "class_token": ClassToken(name="class_token")(x)}, name=name)


DINOv2Small = functools.partial(dinov2, "dinov2s14")
DINOv2Base = functools.partial(dinov2, "dinov2b14", width=768, heads=12)
DINOv2SmallRegisters = functools.partial(dinov2, "dinov2s14reg", registers=REGISTERS)
DINOv2BaseRegisters = functools.partial(dinov2, "dinov2b14reg", width=768, heads=12, registers=REGISTERS)


def _block(x: tf.Tensor, heads: int, name: str) -> tf.Tensor:
    """Adds what attention and then what two dense layers make of the normalized tokens, each by a learnt scale."""
    width = x.shape[-1]
    y = layers.LayerNormalization(epsilon=EPSILON, name=f"{name}_norm1")(x)
    y = TokenAttention(heads, name=f"{name}_attn")(y)
    x = layers.Add(name=f"{name}_add1")([x, LayerScale(1.0, name=f"{name}_ls1")(y)])
    y = layers.LayerNormalization(epsilon=EPSILON, name=f"{name}_norm2")(x)
    y = layers.Dense(4 * width, "gelu", kernel_initializer=_truncated(), name=f"{name}_mlp_fc1")(y)
    y = layers.Dense(width, kernel_initializer=_truncated(), name=f"{name}_mlp_fc2")(y)
    return layers.Add(name=f"{name}_add2")([x, LayerScale(1.0, name=f"{name}_ls2")(y)])


def _truncated() -> tf.keras.initializers.Initializer:
    return tf.keras.initializers.TruncatedNormal(stddev=0.02)


def _near_zero() -> tf.keras.initializers.Initializer:
    return tf.keras.initializers.RandomNormal(stddev=1e-6)


@tf.keras.utils.register_keras_serializable("landmark_zoo")
class FitToPatches(layers.Layer):
    """Resizes images to the nearest multiples of a patch's side, antialiased; such multiples stay as they are.

    Args:
        patch: Pixels of a patch's side.
        **kwargs: Keras' own.

    Input shape:
        [B, H, W, C].

    Output shape:
        float32 [B, patch round(H / patch), patch round(W / patch), C], at least one patch.
    """

    def __init__(self, patch: int = PATCH, **kwargs):
        super().__init__(**{"dtype": "float32", "autocast": False, **kwargs})
        self.patch = patch

    def call(self, inputs):
        images = tf.cast(inputs, tf.float32)
        sides = [size(images, axis) for axis in (1, 2)]
        target = [self._fitted(side) for side in sides]
        same = [new == side for new, side in zip(target, sides, strict=True)]
        if not any(tf.is_tensor(each) for each in same):
            return images if all(same) else resample(images, *target)
        fitted = tf.cond(same[0] & same[1], lambda: images, lambda: resample(images, *target))
        return tf.ensure_shape(fitted, [*(None if tf.is_tensor(edge) else edge for edge in (images.shape[0], *target)),
                                        images.shape[-1]])

    def _fitted(self, side: int | tf.Tensor) -> int | tf.Tensor:
        if not tf.is_tensor(side):
            return self.patch * max(1, round(side / self.patch))
        return self.patch * tf.maximum(1, tf.cast(tf.round(side / self.patch), tf.int32))

    def compute_output_shape(self, input_shape):
        batch, *sides, channels = input_shape
        return tf.TensorShape([batch, *(None if side is None else self._fitted(side) for side in sides), channels])

    def get_config(self):
        return {**super().get_config(), "patch": self.patch}


@tf.keras.utils.register_keras_serializable("landmark_zoo")
class PatchTokens(layers.Layer):
    """Makes a sequence of a map of patches: the class token, registers, and the patches row by row, with their positions.

    Args:
        registers: Number R of registers, which have no position.
        grid: Patches of a side that the positions are of.
        **kwargs: Keras' own.

    Input shape:
        [B, h, w, D].

    Output shape:
        [B, 1 + R + h w, D].
    """

    def __init__(self, registers: int = 0, grid: int = GRID, **kwargs):
        super().__init__(**kwargs)
        self.registers, self.grid = registers, grid

    @property
    def torch_parts(self) -> tuple[tuple[str, tuple[int, ...]], ...]:
        """See `assign_tensors`."""
        names = ("cls_token", "pos_embed", *(("register_tokens",) if self.registers else ()))
        return tuple((name, (0, 1, 2)) for name in names)

    def build(self, input_shape):
        width = input_shape[-1]
        self.class_token = self.add_weight("class_token", [1, 1, width], initializer=_near_zero())
        self.positions = self.add_weight("positions", [1, 1 + self.grid ** 2, width], initializer=_truncated())
        self.register_tokens = self.add_weight(
            "register_tokens", [1, self.registers, width], initializer=_near_zero()) if self.registers else None
        super().build(input_shape)

    def call(self, inputs):
        batch, height, width, channels = (size(inputs, axis) for axis in range(4))
        first, positions = self.positions[:, :1], tf.reshape(self.positions[:, 1:], [1, self.grid, self.grid, channels])
        placed = tf.cast(inputs, tf.float32) + interpolate_positions(
            tf.cast(positions, tf.float32), height, width, antialias=self.registers > 0)
        before = [tf.cast(self.class_token + first, tf.float32)]
        before += [] if self.register_tokens is None else [tf.cast(self.register_tokens, tf.float32)]
        tokens = tf.concat([*(tf.tile(each, [batch, 1, 1]) for each in before),
                            tf.reshape(placed, [batch, height * width, channels])], axis=1)
        return tf.cast(tokens, self.compute_dtype)

    def compute_output_shape(self, input_shape):
        batch, height, width, channels = input_shape
        known = None not in (height, width)
        return tf.TensorShape([batch, 1 + self.registers + height * width if known else None, channels])

    def get_config(self):
        return {**super().get_config(), "registers": self.registers, "grid": self.grid}


def interpolate_positions(positions: tf.Tensor, height: int | tf.Tensor, width: int | tf.Tensor,
                          antialias: bool) -> tf.Tensor:
    """Returns the positions of a map of another size, float32 [1, height, width, D]; those of the same size as they are.

    Args:
        positions: float32 [1, G, G, D].
        height: Patches from top to bottom.
        width: Patches from left to right.
        antialias: Whether as the networks with registers do, see the module.
    """
    if antialias:
        return resample(positions, height, width, "cubic")
    grid = positions.shape[1]
    same = tf.cast(tf.equal(height, grid) & tf.equal(width, grid), tf.float32)
    ratios = tuple(grid / (tf.cast(side, tf.float32) + OFFSET * (1 - same)) for side in (height, width))
    return resample(positions, height, width, "plain_cubic", ratios=ratios)


@tf.keras.utils.register_keras_serializable("landmark_zoo")
class TokenAttention(layers.Layer):
    """Self-attention of several heads among tokens, its softmax in float32 whatever the precision policy.

    Args:
        heads: Number of heads, a divisor of the channels.
        **kwargs: Keras' own.

    Input shape, output shape:
        [B, N, D].
    """

    torch_parts = ("qkv.weight", (1, 0)), ("qkv.bias", (0,)), ("proj.weight", (1, 0)), ("proj.bias", (0,))

    def __init__(self, heads: int, **kwargs):
        super().__init__(**kwargs)
        self.heads = heads

    def build(self, input_shape):
        width = input_shape[-1]
        if width % self.heads:
            raise ValueError(f"TokenAttention: expected channels that {self.heads} heads divide; received {width}.")
        self.qkv, self.projection = (layers.Dense(units, kernel_initializer=_truncated(), dtype=self.dtype_policy, name=name)
                                     for units, name in ((3 * width, "qkv"), (width, "proj")))
        for layer in (self.qkv, self.projection):
            with tf.name_scope(layer.name):
                layer.build([None, None, width])
        super().build(input_shape)

    def call(self, inputs):
        batch, count, width = (size(inputs, axis) for axis in range(3))
        parts = tf.reshape(self.qkv(inputs), [batch, count, 3, self.heads, width // self.heads])
        query, key, value = tf.unstack(tf.transpose(parts, [2, 0, 3, 1, 4]), num=3)
        logits = tf.matmul(query * (width // self.heads) ** -0.5, key, transpose_b=True)
        weights = tf.cast(tf.nn.softmax(tf.cast(logits, tf.float32)), value.dtype)
        attended = tf.transpose(tf.matmul(weights, value), [0, 2, 1, 3])
        return self.projection(tf.reshape(attended, [batch, count, width]))

    def compute_output_shape(self, input_shape):
        return tf.TensorShape(input_shape)

    def get_config(self):
        return {**super().get_config(), "heads": self.heads}


@tf.keras.utils.register_keras_serializable("landmark_zoo")
class PatchMap(layers.Layer):
    """Takes the patches out of a sequence of tokens and lays them out as the map that they came from.

    Args:
        registers: Number R of registers, which are left out like the class token.
        **kwargs: Keras' own.

    Input shape:
        A list: tokens [B, 1 + R + h w, D], and a map [B, h, w, D] for its size.

    Output shape:
        [B, h, w, D].
    """

    def __init__(self, registers: int = 0, **kwargs):
        super().__init__(**kwargs)
        self.registers = registers

    def call(self, inputs):
        tokens, patches = inputs
        return tf.reshape(tokens[:, 1 + self.registers:], [size(patches, axis) for axis in range(4)])

    def compute_output_shape(self, input_shape):
        return tf.TensorShape(input_shape[1])

    def get_config(self):
        return {**super().get_config(), "registers": self.registers}


@tf.keras.utils.register_keras_serializable("landmark_zoo")
class ClassToken(layers.Layer):
    """Takes the first token, [B, D], out of a sequence [B, N, D]."""

    def call(self, inputs):
        return inputs[:, 0]

    def compute_output_shape(self, input_shape):
        return tf.TensorShape([input_shape[0], input_shape[2]])


def authors_form(tensors: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Returns the tensors of a file, the authors' or timm's, under the authors' names and in their shapes.

    timm calls the registers `reg_token`, and where there are some it has added the position of the class token to that token
    and left it out of `pos_embed`.
    """
    named = {"register_tokens" if name == "reg_token" else name: array for name, array in tensors.items()}
    positions = named.get("pos_embed")
    if positions is not None and positions.ndim == 3 and round(positions.shape[1] ** 0.5) ** 2 == positions.shape[1]:
        named["pos_embed"] = np.concatenate([np.zeros_like(positions[:, :1]), positions], axis=1)
    return named


def torch_names(network: tf.keras.Model, tensors: Collection[str] = ()) -> dict[str, str]:
    """Returns the names that the authors' files give the layers of a network of this family.

    Args:
        network: Made by `dinov2`.
        tensors: Names of the tensors in the file, which tell what stands before all of them: "backbone." in MegaLoc's,
            "backbone.model." in SALAD's.

    Returns:
        From the name of each layer with weights to the prefix of its tensors; that of the tokens is what stands before all.
    """
    before = next((name.removesuffix("cls_token") for name in tensors if name.endswith("cls_token")), "")
    own = {"patch_embed": "patch_embed.proj", "tokens": "", "norm": "norm"}
    names = {}
    for layer in network.layers:
        if layer.name in own:
            names[layer.name] = f"{before}{own[layer.name]}".rstrip(".")
        elif layer.weights and layer.name.startswith("block"):
            block, _, part = layer.name.removeprefix("block").partition("_")
            names[layer.name] = f"{before}blocks.{block}.{part.replace('_', '.')}"
    return names
