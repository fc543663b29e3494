"""Draws a collection of synthetic landmarks in the layout of Google Landmarks v2 and Revisited Oxford.

    python -m experiments.make_synthetic --output=DIR
    python -m experiments.make_synthetic --output=DIR --seed=1 --train_landmarks=200 --long_side=384

The images depend on the seed and the sizes alone. Started again with the same flags, it goes on where it was
interrupted, or finds its work done.
"""

from absl import flags

from landmark_zoo.core.errors import MAX_SEED
from landmark_zoo.core.scripts import define_output, run
from landmark_zoo.data.synthetic.collection import draw_collection

_OUTPUT = define_output("output", None, "Folder that shall hold the collection; it must not exist yet.",
                              required=True)
_SEED = flags.DEFINE_integer("seed", 0, "Random seed of the whole collection.", lower_bound=0, upper_bound=MAX_SEED)
_WORKERS = flags.DEFINE_integer("workers", None, "Number of processes; one per processor by default.", lower_bound=1,
                                upper_bound=1024)
_SIZES = {
    "train_landmarks": flags.DEFINE_integer("train_landmarks", 80, "Number of training landmarks.", lower_bound=1,
                                            upper_bound=1_000_000),
    "train_views": flags.DEFINE_integer("train_views", 24, "Mean number of images per training landmark.", lower_bound=1,
                                        upper_bound=10_000),
    "benchmark_landmarks": flags.DEFINE_integer("benchmark_landmarks", 16, "Landmarks of the benchmark, none of "
                                                "them trained on.", lower_bound=1, upper_bound=1_000_000),
    "index_views": flags.DEFINE_integer("index_views", 12, "Index images of each benchmark landmark.", lower_bound=1,
                                        upper_bound=10_000),
    "query_views": flags.DEFINE_integer("query_views", 4, "Queries of each benchmark landmark.", lower_bound=1,
                                        upper_bound=10_000),
    "distractors": flags.DEFINE_integer("distractors", 150, "Index images of other buildings and of mere streets.",
                                        lower_bound=0, upper_bound=10_000_000),
    "long_side": flags.DEFINE_integer("long_side", 256, "Longer side of an image, in pixels.", lower_bound=64,
                                      upper_bound=4096),
}


def main(_):
    """Draws the collection and prints the number of images."""
    sizes = {name: flag.value for name, flag in _SIZES.items()}
    counts = draw_collection(_OUTPUT.value, seed=_SEED.value, workers=_WORKERS.value, **sizes)
    for name, count in counts.items():
        print(f"{name.replace('_', ' '):<20}{count:>6}")


if __name__ == "__main__":
    run(main)
