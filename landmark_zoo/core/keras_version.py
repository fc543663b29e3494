"""The Keras behind `tf.keras`: always Keras 2, TensorFlow 2.15's own or, for newer TensorFlows, the package tf_keras."""

import os
import sys
from importlib import metadata

from landmark_zoo.core.errors import UserError

VARIABLE = "TF_USE_LEGACY_KERAS"


def choose_keras_2() -> None:
    """Sets TF_USE_LEGACY_KERAS for the TensorFlow that is installed, which reads it when it is imported.

    TensorFlow 2.15, whose own Keras is version 2, would look for tf_keras: there the variable is removed. An empty one
    says nothing to either and stays.
    """
    if not metadata.version("keras").startswith("2."):
        os.environ[VARIABLE] = "1"
    elif os.environ.get(VARIABLE):
        del os.environ[VARIABLE]


def check_keras_2() -> None:
    """Raises a `UserError` where `tf.keras` is Keras 3, since this process used it before it imported landmark_zoo."""
    tensorflow = sys.modules.get("tensorflow")
    version = getattr(tensorflow.keras, "__version__", "2") if tensorflow else "2"  # tf_keras does not say its own
    if not version.startswith("2"):
        raise UserError("tf.keras of Keras 2", f"Keras {version}, which this process imported first",
                        f"Import landmark_zoo before TensorFlow, or set {VARIABLE}=1.")
