"""Every recipe: it says what it is, its flags exist, and its parts fit each other."""

import subprocess
import sys
from pathlib import Path

import pytest

from landmark_zoo.models.registry import ModelConfig
from landmark_zoo.training.config import MARGIN_HEADS, default_settings
from landmark_zoo.training.initialization import default_embedding

RECIPES = Path(__file__).parents[2] / "experiments" / "recipes"
NAMES = sorted(str(path.relative_to(RECIPES).with_suffix("")) for path in RECIPES.rglob("*.flags"))
_PROGRAM = """
import sys
from absl import flags
import experiments.train
from landmark_zoo.core.scripts import from_flags
from landmark_zoo.models.registry import ModelConfig
from landmark_zoo.models.registry import MODELS
from landmark_zoo.training.config import TrainingConfig
from landmark_zoo.training.objectives import ObjectiveConfig
from landmark_zoo.training.sampling import SamplingConfig

flags.FLAGS(["x", "--records=a", "--workdir=b"])
settings = flags.FLAGS.flag_values_dict()
for name in sys.argv[1:]:
    for flag, value in settings.items():
        flags.FLAGS[flag].value = value
    flags.FLAGS(["x", f"--flagfile=experiments/recipes/{name}.flags"])
    model, training, objective, sampling = map(from_flags, (ModelConfig, TrainingConfig, ObjectiveConfig, SamplingConfig))
    sampling.check(objective, training.batch_size // training.accumulate)
    assert model.model in MODELS, name
    assert objective.has_head or not objective.label_smoothing, name
"""


def flags_of(path):
    """Returns the flags of a recipe by name, those of the files that it names included; --noNAME is NAME=false."""
    found = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        name, _, value = line.removeprefix("--").partition("=")
        if name == "flagfile":
            found |= flags_of(RECIPES.parents[1] / value)
        elif line.startswith("--"):
            found |= {name.removeprefix("no"): "false"} if name.startswith("nofreeze") else {name: value or "true"}
        if line == "--weights=":
            found["weights"] = "to be given"
    return found


@pytest.mark.parametrize("name", [name for name in NAMES if not name.endswith("/base")])
def test_says_which_weights_it_starts_from(name):
    """A recipe that freezes anything names its weights, or leaves them empty, so that the run refuses without."""
    flags = flags_of(RECIPES / f"{name}.flags")
    frozen = flags.get("freeze_batchnorm") != "false" or flags.get("freeze", "none") != "none"
    keras_has_none = flags["model"].startswith("resnet18")
    assert flags.get("weights") == (None if not frozen else "to be given" if keras_has_none else flags.get("weights"))
    assert not frozen or flags["weights"] in ("imagenet", "to be given")


@pytest.mark.parametrize("name", [name for name in NAMES if not name.endswith("/base") and name != "quickstart_photographs"])
def test_says_what_would_follow_from_the_number_of_images(name):
    """A paper's recipe does not change with the defaults."""
    flags = flags_of(RECIPES / f"{name}.flags")
    if flags.get("weights") in (None, "to be given"):
        return
    if flags.get("objective", "classification") == "classification" and flags["head"] in MARGIN_HEADS:
        assert not default_settings(images=1000).keys() - flags.keys()
    sizes = {"embedding_dim": int(flags["embedding_dim"]), "pooling": flags.get("pooling")}
    assert "initial_embedding" in flags or default_embedding(ModelConfig(flags["model"], **sizes)) == "random"


def test_there_is_one_for_every_experiment_of_the_source_projects():
    folders = {name.split("/")[0] for name in NAMES}
    assert {"attention_study", "recognition", "glam", "sfm", "delf", "thesis"} <= folders
    assert {"quickstart_drawn", "quickstart_photographs", "glam/glam", "thesis/e4", "sfm/solar"} <= set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_says_what_it_reproduces(name):
    text = (RECIPES / f"{name}.flags").read_text(encoding="utf-8")
    assert text.startswith("# ")
    if "Hardware" not in text:
        assert "run at that size" in (RECIPES / Path(name).parent / "base.flags").read_text(encoding="utf-8")


@pytest.mark.slow
def test_parts_fit(root):
    whole = [name for name in NAMES if not name.endswith("/base")]
    done = subprocess.run([sys.executable, "-c", _PROGRAM, *whole], cwd=root, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-800:]
