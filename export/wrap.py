"""Wraps a SavedModel of TensorFlow's DELF, DELG or GLDv2 baseline in this project's signatures.

    python -m export.wrap --savedmodel=r50delg_gldv2clean_20200914 --output=exported/r50delg
    python -m export.wrap --savedmodel=rn101_af_gldv2clean_20200814 --output=exported/rn101_af --pca=512 --pca_images=DIR

No weight changes and no code of theirs is needed: the export holds their graph, at their protocol (longer side 1024 at most,
Pillow's BILINEAR, scales 1/sqrt2, 1, sqrt2). Local features leave by the signature `keypoints`.
"""

from pathlib import Path

from absl import flags

from export.options import CardOptions, WhiteningOptions, write_export
from landmark_zoo.core.provenance import git_commit
from landmark_zoo.core.scripts import define_flags, define_output, from_flags, run
from landmark_zoo.saved_model import version_folder
from landmark_zoo.serving.delf import DelfSavedModel

define_flags(WhiteningOptions)
define_flags(CardOptions, licence="Apache-2.0")
_SAVEDMODEL = flags.DEFINE_string("savedmodel", None, "Unpacked folder of an archive of storage.googleapis.com/delf, or "
                                  "what the training code exported.", required=True)
_THRESHOLD = flags.DEFINE_float("threshold", 0.0, "Attention score that a local feature must reach; its authors take 175.0 "
                                "for r50delg_gld and 357.48 for r101delg_gldv2clean.", lower_bound=0.0)
_TRAINED_ON = flags.DEFINE_string("training_data", "not stated", "Training data of the network, for info and card.")
_OUTPUT = define_output("output", None, "Folder <name>; the model goes to <name>/<next version>.", required=True)


def main(_):
    """Loads, wraps, writes."""
    whitening, card = from_flags(WhiteningOptions), from_flags(CardOptions)
    path = version_folder(Path(_SAVEDMODEL.value))
    embedder = DelfSavedModel(path, _THRESHOLD.value)
    info = {"model": path.name, "training_data": _TRAINED_ON.value, "git_commit": git_commit()}
    data = {"training": "none here: a SavedModel of tensorflow/models, research/delf", "source": path.name}
    print(write_export(embedder, _OUTPUT.value, info, whitening, card, data, {"training": "by its authors"}))


if __name__ == "__main__":
    run(main)
