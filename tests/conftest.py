"""Fixtures shared by all tests."""

import os
import random
import sys
from pathlib import Path

import hypothesis
import pytest

import landmark_zoo  # noqa: F401 (it chooses the Keras, before a test imports TensorFlow)

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
ROOT = Path(__file__).parents[1]
LARGE = ("resnet34", "resnet50", "resnet101", "resnet152", "efficientnetb0", "efficientnetlite", "mobilenetv2", "vgg16",
         "dinov2s14", "dinov2b14")
SEEDED: set[Path] = set()  # the modules whose tests have begun
SEED = os.environ.get("LANDMARK_ZOO_TEST_SEED")
hypothesis.settings.register_profile("alike", deadline=None, derandomize=SEED is None)
hypothesis.settings.load_profile("alike")


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item):
    """Seeds every test alike, before its fixtures: initial weights are the same in every run and order.

    LANDMARK_ZOO_TEST_SEED gives other ones, and lets hypothesis draw other examples. TensorFlow's own seed is set once a
    module: that clears its kernels and functions, which takes up to a second. Keras' initializers do not ask for it.
    """
    seed = int(SEED or 0)
    if "tensorflow" in sys.modules and item.path not in SEEDED:
        SEEDED.add(item.path)
        sys.modules["tensorflow"].random.set_seed(seed)
    for keras in {"keras.src.backend", "tf_keras.src.backend"} & sys.modules.keys():
        sys.modules[keras]._SEED_GENERATOR.generator = random.Random(seed)
    random.seed(seed)
    if "numpy" in sys.modules:
        sys.modules["numpy"].random.seed(seed)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    """Counts tests of whole large networks, by the names of their parameters, among the slow ones."""
    for item in items:
        if "callspec" in item.__dict__ and any(name in item.callspec.id for name in LARGE):
            item.add_marker(pytest.mark.slow)


@pytest.fixture(scope="session")
def root() -> Path:
    """The checkout."""
    return ROOT


@pytest.fixture(scope="session")
def other_python() -> Path:
    """The interpreter of the other lane: `$LANDMARK_ZOO_OTHER_LANE`, which then must work, or that of the folder beside."""
    asked, here = os.environ.get("LANDMARK_ZOO_OTHER_LANE"), Path(sys.prefix).resolve()
    beside = [ROOT / folder / "bin" / "python" for folder in (".venv-newest", ".venv")]
    found = [path for path in beside if path.exists() and path.parents[1].resolve() != here]
    if not (asked or found):
        pytest.skip("no environment of the other lane beside this one: make LANE=newest setup, or LANE=2.15")
    return Path(asked) if asked else found[0]


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real photographs, ground truth and weights; absent, the test skips."""
    folder = Path(os.environ.get("LANDMARK_ZOO_DATA", ROOT.parent / "shared" / "data"))
    if not (folder / "photos").is_dir():
        pytest.skip(f"no real photographs at {folder} (set LANDMARK_ZOO_DATA)")
    return folder


@pytest.fixture(scope="session")
def xfeat_exports(tmp_path_factory) -> tuple[Path, Path]:
    """Exports of XFeat and of LighterGlue with their authors' weights; the test skips where these are not installed."""
    from landmark_zoo.core.errors import UserError
    from landmark_zoo.models.lighterglue import LIGHTERGLUE, build_lighterglue
    from landmark_zoo.models.xfeat import build_xfeat
    from landmark_zoo.serving.export import export_saved_model
    from landmark_zoo.serving.matcher import write_matcher
    try:
        LIGHTERGLUE.find()
    except UserError as error:
        pytest.skip(str(error))
    folder = tmp_path_factory.mktemp("xfeat")
    return (export_saved_model(build_xfeat(weights="published"), folder / "xfeat", side=64, info={"model": "xfeat"}),
            write_matcher(build_lighterglue("published"), folder / "lighterglue", {"git_commit": "abc"}))


@pytest.fixture(scope="session")
def write_model():
    """The function that writes a tiny SavedModel."""
    from tests.tiny_saved_model import write_tiny_saved_model
    return write_tiny_saved_model


@pytest.fixture(scope="session")
def tiny_path(write_model, tmp_path_factory) -> Path:
    """A tiny exported model: `tiny/1`."""
    return write_model(tmp_path_factory.mktemp("models") / "tiny" / "1").parent


@pytest.fixture(scope="session")
def tiny_model(tiny_path):
    """The same, loaded."""
    from landmark_zoo.saved_model import SavedModel
    return SavedModel(tiny_path)


@pytest.fixture(params=["itself", pytest.param("exported", marks=pytest.mark.slow)])
def check_layer(request):
    """The contract of a layer (see `contracts.layer`): of itself, and, where time is given, of its export."""
    from tests.contracts import layer
    return {"itself": layer.check_layer, "exported": layer.check_exported_layer}[request.param]


@pytest.fixture
def paint(tmp_path):
    """A function that writes a picture whose quarters have four random colours."""
    import numpy as np
    from PIL import Image
    def write(name: str, seed: int, size: tuple[int, int] = (64, 48), **options) -> Path:
        colors = np.random.default_rng(seed).integers(30, 226, [2, 2, 3], np.uint8)
        path = tmp_path / "photos" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(colors).resize(size, Image.Resampling.NEAREST).save(path, **options)
        return path
    return write
