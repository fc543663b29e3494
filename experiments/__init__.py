"""Scripts: prepare, train, embed, search, evaluate, report, and the quickstart that runs them all."""

import os

import landmark_zoo  # noqa: F401 (it chooses the Keras, before TensorFlow is imported)

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
