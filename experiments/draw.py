"""Draws a collection of invented landmarks, laid out as Google Landmarks v2 and Revisited Oxford lie on disk.

    python -m experiments.draw --output=DIR
    python -m experiments.draw --output=DIR --seed=1 --train_landmarks=200 --long_side=384

The pictures depend on the seed and the sizes alone. Started again with the same flags, it finds its work done.
"""

from absl import flags

from landmark_zoo.core.script import run
from landmark_zoo.data.synthetic.collection import draw_collection

_OUTPUT = flags.DEFINE_string("output", None, "Folder that shall hold the collection; it must not exist yet.",
                              required=True)
_SEED = flags.DEFINE_integer("seed", 0, "Of everything that is left to chance.", lower_bound=0)
_WORKERS = flags.DEFINE_integer("workers", None, "Processes that draw; one per processor by default.", lower_bound=1)
_SIZES = {
    "train_landmarks": flags.DEFINE_integer("train_landmarks", 80, "Landmarks to train on.", lower_bound=1),
    "train_views": flags.DEFINE_integer("train_views", 24, "Mean number of pictures of each of them.", lower_bound=1),
    "benchmark_landmarks": flags.DEFINE_integer("benchmark_landmarks", 16, "Others, to test on.", lower_bound=1),
    "index_views": flags.DEFINE_integer("index_views", 12, "Index images of each of those.", lower_bound=1),
    "query_views": flags.DEFINE_integer("query_views", 4, "Queries of each of those.", lower_bound=1),
    "distractors": flags.DEFINE_integer("distractors", 150, "Index images of other buildings and of mere streets.",
                                        lower_bound=0),
    "long_side": flags.DEFINE_integer("long_side", 256, "Greater side of a picture, in pixels.", lower_bound=64),
}


def main(_):
    """Draws, and says how much."""
    sizes = {name: flag.value for name, flag in _SIZES.items()}
    counts = draw_collection(_OUTPUT.value, seed=_SEED.value, workers=_WORKERS.value, **sizes)
    for name, count in counts.items():
        print(f"{name.replace('_', ' '):<20}{count:>6}")


if __name__ == "__main__":
    run(main)
