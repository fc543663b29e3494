"""Weight files inside installed packages."""

import hashlib
from types import SimpleNamespace

import pytest

from landmark_zoo.backbones.published_weights import PublishedWeights
from landmark_zoo.core.errors import UserError

DIGEST = hashlib.sha256(b"weights").hexdigest()
WEIGHTS = PublishedWeights("some-package", "some_package/a.pth", DIGEST, "Apache-2.0", 75.0)


@pytest.fixture
def installed(tmp_path, monkeypatch):
    """The file of the package, which is as good as installed."""
    file = tmp_path / "some_package" / "a.pth"
    file.parent.mkdir()
    file.write_bytes(b"weights")
    monkeypatch.setattr("landmark_zoo.backbones.published_weights.metadata.distribution",
                        lambda name: SimpleNamespace(locate_file=lambda path: tmp_path / path))
    return file


def test_the_file_of_the_package(installed):
    assert WEIGHTS.find() == installed


def test_another_file_or_none(installed):
    installed.write_bytes(b"others")
    with pytest.raises(UserError, match=f"with SHA-256 {DIGEST}; received .*Install the package some-package again"):
        WEIGHTS.find()
    installed.unlink()
    with pytest.raises(UserError, match="received no such file"):
        WEIGHTS.find()


def test_no_package_names_the_extra():
    with pytest.raises(UserError, match=r"the package some-package.*landmark_zoo\[weights\]"):
        WEIGHTS.find()
