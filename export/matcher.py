"""Writes the SavedModel of a matcher of local features: python -m export.matcher --output=DIR

LighterGlue with its authors' weights, for the points of an export of xfeat
(python -m export.savedmodel --model=xfeat --weights=published --embedding_dim=0 --output=DIR).
"""

from absl import flags

from landmark_zoo.backbones.published_weights import PUBLISHED
from landmark_zoo.core.provenance import git_commit
from landmark_zoo.core.scripts import define_output, run
from landmark_zoo.models.lighterglue import LIGHTERGLUE, build_lighterglue
from landmark_zoo.serving.matcher import write_matcher

_WEIGHTS = flags.DEFINE_string("weights", PUBLISHED, "published, or a file as the authors published xfeat-lighterglue.pt.")
_PRUNING = flags.DEFINE_float("pruning", 0.95, "Behind each layer, points whose matchability is at most 1 - pruning are "
                              "left out; 0 keeps all.", lower_bound=0.0, upper_bound=1.0)
_THRESHOLD = flags.DEFINE_float("threshold", 0.1, "Score that a match must be above.", lower_bound=0.0, upper_bound=1.0)
_OUTPUT = define_output("output", None, "Folder <name>; the matcher goes to <name>/<next version>.", required=True)


def main(_):
    """Builds the matcher and writes the SavedModel."""
    model = build_lighterglue(_WEIGHTS.value, _PRUNING.value, _THRESHOLD.value)
    print(write_matcher(model, _OUTPUT.value, {
        "model": model.name, "features": "xfeat", "git_commit": git_commit(), **LIGHTERGLUE.describe(_WEIGHTS.value)}))


if __name__ == "__main__":
    run(main)
