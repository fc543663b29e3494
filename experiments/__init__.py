"""Scripts: prepare, train, embed, search, evaluate, report, and the quickstart that runs them all."""

import os

from landmark_zoo.core.keras_version import choose_keras_2

choose_keras_2()

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
