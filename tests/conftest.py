"""Fixtures shared by all tests."""

import os
from pathlib import Path

import pytest

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="session")
def root() -> Path:
    """The checkout."""
    return ROOT


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real photographs, ground truth and weights; absent, the test skips."""
    folder = Path(os.environ.get("LANDMARK_ZOO_DATA", ROOT.parent / "shared" / "data"))
    if not (folder / "photos").is_dir():
        pytest.skip(f"no real photographs at {folder} (set LANDMARK_ZOO_DATA)")
    return folder
