"""Writes the faster of a SavedModel as it is and with frozen variables; its signatures and embeddings stay.

    python -m export.optimize --savedmodel=DIR --images=FOLDER --output=DIR

Measures both in turn on the images, prints what each costs, and writes the faster whose embeddings stay as they were. The
last column is an upper bound of the time as part of that of the model as it is: frozen it is written where that is below
0.95, so that noise does not choose. BatchNorm is folded, and bfloat16 chosen, when a run is exported: python -m
export.savedmodel --fold --precision=bfloat16.
"""

from absl import flags

from export.options import sample_images
from landmark_zoo.core.errors import UserError
from landmark_zoo.core.scripts import define_output, run
from landmark_zoo.saved_model import SavedModel
from landmark_zoo.serving.optimize import COSINE, MARGIN, VariantResult, optimize

_SAVED_MODEL = flags.DEFINE_string("savedmodel", None, "Exported model: <name>, or <name>/<version>.", required=True)
_TARGET = flags.DEFINE_enum("optimize_for", "cpu", ["cpu", "gpu"], "Former choice of 16 bits. \"cpu\" changes nothing; in "
                            "place of \"gpu\", export the run with export.savedmodel --precision=bfloat16.")
_IMAGES = flags.DEFINE_string("images", None, "Folder of images to compare embeddings and to measure on.", required=True)
flags.DEFINE_alias("pictures", "images")
_NUMBER = flags.DEFINE_integer("number", 64, "Number of images used, spread evenly over the folder.", lower_bound=1,
                               upper_bound=100_000)
_COSINE = flags.DEFINE_float("cosine", COSINE, "Smallest cosine allowed between the embeddings of an image before and "
                             "after.", lower_bound=0, upper_bound=1)
_OUTPUT = define_output("output", None, "Folder <name>; the model goes to <name>/<next version>.", required=True)


def main(_):
    """Measures, writes, prints."""
    if _TARGET.value == "gpu":
        raise UserError("--optimize_for=cpu, as this command only freezes", "gpu",
                        "For 16 bits, export the run with export.savedmodel --precision=bfloat16.")
    model = SavedModel(_SAVED_MODEL.value)
    path, chosen, results = optimize(model.path, _OUTPUT.value, sample_images(_IMAGES.value, _NUMBER.value),
                                     _COSINE.value)
    print(f"{'variant':<18}{'cosine':>10}{'ms':>9}{'MB':>9}{'of time':>9}")
    for result in results:
        print(_line(result) + ("  <- written" if result.name == chosen else ""))
    if chosen == results[0].name:
        print(f"No variant takes less than {1 - MARGIN:g} of the time beyond doubt and keeps the embeddings.")
    print(path)


def _line(result: VariantResult) -> str:
    return f"{result.name:<18}{result.cosine:>10.6f}{result.milliseconds:>9.1f}{result.megabytes:>9.1f}{result.ratio:>9.2f}"


if __name__ == "__main__":
    run(main)
