"""Writes a faster SavedModel with the same signatures.

    python -m export.optimise --savedmodel=DIR --optimize_for=cpu --pictures=FOLDER --output=DIR

Tries several variants on the pictures, prints what each costs, and writes the fastest whose embeddings stay as they were.
"""

from absl import flags

from export.options.sample_pictures import sample_pictures
from landmark_zoo.core.script import run
from landmark_zoo.retrieval.saved_model import EmbeddingModel
from landmark_zoo.serving.optimise.optimise import COSINE, VariantResult, optimise

_SAVED_MODEL = flags.DEFINE_string("savedmodel", None, "Exported model: <name>, or <name>/<version>.", required=True)
_TARGET = flags.DEFINE_enum("optimize_for", "cpu", ["cpu", "gpu"], "Where the model will run.")
_PICTURES = flags.DEFINE_string("pictures", None, "Folder of photographs to compare embeddings and to measure on.",
                                required=True)
_NUMBER = flags.DEFINE_integer("number", 64, "How many of them, spread evenly.", lower_bound=1)
_COSINE = flags.DEFINE_float("cosine", COSINE, "How near to the float32 embedding every photograph's must stay.",
                             lower_bound=0, upper_bound=1)
_OUTPUT = flags.DEFINE_string("output", None, "Folder <name>; the model goes to <name>/<next version>.", required=True)


def main(_):
    """Tries, writes, prints."""
    model = EmbeddingModel(_SAVED_MODEL.value)
    path, chosen, results = optimise(model.path, _OUTPUT.value, _TARGET.value,
                                      sample_pictures(_PICTURES.value, _NUMBER.value), _COSINE.value)
    print(f"{'variant':<18}{'cosine':>10}{'ms':>9}{'MB':>9}{'folded':>8}{'16-bit':>8}")
    for result in results:
        print(_line(result) + ("  <- written" if result.name == chosen else ""))
    print(path)


def _line(result: VariantResult) -> str:
    milliseconds = "-" if result.milliseconds is None else f"{result.milliseconds:.1f}"
    return (f"{result.name:<18}{result.cosine:>10.6f}{milliseconds:>9}{result.megabytes:>9.1f}"
            f"{result.normalisations_folded:>8}{result.convolutions_in_16_bits:>8}")


if __name__ == "__main__":
    run(main)
