"""Stages of a backbone that do not learn."""

import tensorflow as tf

from landmark_zoo.backbones import BACKBONES, BackboneSpec
from landmark_zoo.core.errors import UserError
from landmark_zoo.layers.attention import Attention


def freeze_stages(model: tf.keras.Model, stages: str) -> int:
    """Fixes the weights and BatchNorm statistics of a model's backbone up to a tap; attention blocks in it still learn.

    C2 is no tap of the table: it is the last layer before C3 whose feature map is twice as large.

    Args:
        model: See `models.create_model`.
        stages: "c2", "c3" or "c4", that stage and all before it; "all" for the whole backbone; "none".

    Returns:
        How many layers with weights were fixed.

    Raises:
        UserError: A model whose backbone is not in the table, or ends before that tap.
    """
    if stages == "none":
        return 0
    networks = [layer for layer in model.layers if isinstance(layer, tf.keras.Model)]
    frozen = [layer for network in networks for layer in network.layers] if stages == "all" else _until(networks, stages)
    frozen = [layer for layer in frozen if layer.weights and not isinstance(layer, Attention)]
    for layer in frozen:
        layer.trainable = False
    return len(frozen)


def _until(networks: list[tf.keras.Model], stage: str) -> list[tf.keras.layers.Layer]:
    for network in networks:
        if network.name not in BACKBONES:
            continue
        spec, names = BACKBONES[network.name], {layer.name for layer in network.layers}
        tap = spec.taps["C3" if stage == "c2" else stage.upper()]
        if tap in names:
            before = _layers_before(network, tap)
            return _layers_before(network, _c2(before, spec)) if stage == "c2" else before
    found = ", ".join(network.name for network in networks) or "none"
    raise UserError(f"a backbone with stage {stage} for --freeze", f"a model with the networks {found}",
                    "Use --freeze=all or --freeze=none.")


def _layers_before(network: tf.keras.Model, name: str) -> list[tf.keras.layers.Layer]:
    """Returns a layer and all that it depends on."""
    return tf.keras.Model(network.input, network.get_layer(name).get_output_at(-1)).layers


def _c2(until_c3: list[tf.keras.layers.Layer], spec: BackboneSpec) -> str:
    side = 256
    outputs = {layer.name: layer.get_output_at(-1) for layer in until_c3 if not isinstance(layer, Attention)}
    shapes = tf.keras.Model(until_c3[0].input, outputs).compute_output_shape((None, side, side, 3))
    return [name for name, shape in shapes.items() if shape[1] == 2 * side // spec.strides["C3"]][-1]
