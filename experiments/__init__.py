"""Scripts: prepare, train, embed, search, evaluate, report, and the quickstart that runs them all."""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
