"""A built model cut in two where its backbone ends, for training on feature maps that are computed only once."""

import tensorflow as tf

from landmark_zoo.core.errors import UserError


def on_features(model: tf.keras.Model) -> tuple[tf.keras.Model, tf.keras.Model]:
    """Cuts a model behind its backbone; both parts share its layers, so that what trains a part trains the model.

    After the cut the layers of the second part stand in two graphs: `layer.get_input_at(-1)` is their input in that part.

    Args:
        model: See `models.build_model`; attention must stand behind the backbone (placement "end") or nowhere.

    Returns:
        The part from images [B, H, W, 3] (RGB, 0..255) to the backbone's last feature map [B, h, w, C], preprocessing
        included, and the part from that feature map to the model's dict of outputs. "feature_map" is missing from the
        dict where nothing stands between backbone and pooling.

    Raises:
        UserError: Attention inside the backbone, or a model that needs more of the backbone than its last feature map.
    """
    networks = [layer for layer in model.layers if isinstance(layer, tf.keras.Model)]
    outputs = networks[0].get_output_at(-1) if len(networks) == 1 else None
    if not isinstance(outputs, dict) or set(outputs) != {"C5"}:
        found = f"outputs {', '.join(sorted(outputs))}" if isinstance(outputs, dict) else f"{len(networks)} backbones"
        raise UserError(f"{model.name} to use nothing of its backbone but the last feature map", found,
                        "Use --placement=end, or train the whole model.")
    features = outputs["C5"]
    behind = {name: output for name, output in model.output.items() if output is not features}
    return (tf.keras.Model(model.input, features, name=f"{model.name}_to_features"),
            tf.keras.Model(features, behind, name=f"{model.name}_on_features"))
