"""The record format in the words of tensorflow-datasets."""

from collections.abc import Sequence

import numpy as np
import tensorflow_datasets as tfds

LABEL = "image/class/label"


def record_features() -> tfds.features.FeaturesDict:
    """Returns the features of `data/schema.py`: what tfds reads with them is what `parse_example` reads, decoded."""
    return tfds.features.FeaturesDict({
        "image/encoded": tfds.features.Image(encoding_format="jpeg"),
        "image/id": tfds.features.Text(),
        "image/height": np.int64,
        "image/width": np.int64,
        LABEL: tfds.features.ClassLabel(),
        "image/class/landmark_id": tfds.features.Text(),
    })


def label_names(landmark_ids: Sequence[str]) -> list[str]:
    """Returns a name of each label that survives tfds' list of one name per line."""
    return [name if name == name.strip() and name.isprintable() else repr(name) for name in landmark_ids]
