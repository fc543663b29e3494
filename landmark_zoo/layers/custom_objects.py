"""Table of all layers by registered name, for `tf.keras.models.load_model(path, custom_objects=CUSTOM_OBJECTS)`.

The names of earlier versions ("landmark_zoo>L2Normalise", ...) stand in it beside today's. Importing a layer is enough to
load files that hold it; importing this table imports them all.
"""

import tensorflow as tf

import landmark_zoo.layers.adaptive_pooling
import landmark_zoo.layers.attention.attention_branch
import landmark_zoo.layers.attention.registry
import landmark_zoo.layers.embedding
import landmark_zoo.layers.heads.registry
import landmark_zoo.layers.pooling.registry
import landmark_zoo.layers.xfeat  # noqa: F401 (each import registers its layers)

CUSTOM_OBJECTS: dict[str, type[tf.keras.layers.Layer]] = {
    name: layer for name, layer in sorted(tf.keras.utils.get_custom_objects().items())
    if name.startswith("landmark_zoo>") and layer.__module__.startswith("landmark_zoo.layers.")}
