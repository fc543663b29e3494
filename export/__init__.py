"""Scripts that write and check SavedModels."""

import os

from landmark_zoo.core.keras_version import choose_keras_2

choose_keras_2()

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
