"""Compares attention blocks under one protocol: equal images, steps, seeds and frozen feature maps.

    python -m experiments.study --recipe_set=attention --seeds=3 --photos=DIR --benchmark=DIR --weights=FILE --output=DIR

Started again, it goes on where it was; with more --seeds or --blocks it trains those that are missing.
"""

import subprocess
import sys
from pathlib import Path

from absl import flags

from experiments.studies.protocol import RECIPE_SETS
from experiments.studies.runs import run_study
from landmark_zoo.core.scripts import define_output, run

_RECIPE_SET = flags.DEFINE_string("recipe_set", "attention", f"Recipe set to compare: {', '.join(RECIPE_SETS)}.")
_BLOCKS = flags.DEFINE_list("blocks", None, "Attention blocks to compare, and baseline, instead of the recipe set's.")
_SEEDS = flags.DEFINE_integer("seeds", 3, "Number of runs of each block, with seeds 0, 1, ...", lower_bound=1,
                              upper_bound=1000)
_END_TO_END = flags.DEFINE_boolean("end_to_end", False, "Train each block together with the backbone too; this takes hours.")
_PHOTOS = flags.DEFINE_string("photos", None, "Folder of images, one folder per landmark, the benchmark's among them.",
                              required=True)
_BENCHMARK = flags.DEFINE_string("benchmark", None, "Folder with index.csv, test.csv and retrieval_solution.csv.",
                                 required=True)
_WEIGHTS = flags.DEFINE_string("weights", None, "Pretrained weights of the backbone: file, folder or imagenet.",
                               required=True)
_RECORDS = flags.DEFINE_string("records", None, "Folder of experiments.prepare; by default it is made from --photos, "
                               "without the benchmark's landmarks.")
_OUTPUT = define_output("output", "runs/study", "Folder of all results.")


def main(_):
    """Prepares, trains what is missing, writes table and figure."""
    recipe = RECIPE_SETS[_RECIPE_SET.value]
    if _BLOCKS.value:
        recipe = recipe.with_blocks(_BLOCKS.value)
    records = _RECORDS.value or _prepare()
    run_study(recipe, _SEEDS.value, _OUTPUT.value, records, _BENCHMARK.value, _PHOTOS.value, _WEIGHTS.value,
              _END_TO_END.value)
    print((Path(_OUTPUT.value) / "table.md").read_text(encoding="utf-8"))
    print(f"{Path(_OUTPUT.value) / 'figure.png'}, summary.csv and table.md beside it")


def _prepare() -> str:
    """Makes the records in a process of its own, as the quickstart does; its failure ends the study."""
    records = f"{_OUTPUT.value}/records"
    done = subprocess.run([sys.executable, "-m", "experiments.prepare", f"--photos={_PHOTOS.value}", f"--output={records}",
                           f"--exclude_benchmark={_BENCHMARK.value}", "--validation_fraction=0",
                           "--validation_landmarks=0"], check=False)
    if done.returncode:
        sys.exit(done.returncode)
    return records


if __name__ == "__main__":
    run(main)
