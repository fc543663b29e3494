"""Benchmarks of speed and memory.

    python -m experiments.bench --what=input --records=DIR             the input pipeline alone
    python -m experiments.bench --what=train --records=DIR --model=... training beside its halves and a loop written by hand
    python -m experiments.bench --what=train --workers=2 ...           two workers of one core each beside one
    python -m experiments.bench --what=head                            an ArcFace head of 81,313 landmarks
    python -m experiments.bench --what=attention --output=FILE.csv     every attention block
    python -m experiments.bench --what=search --output=FILE.csv        every kind of index, up to a million vectors
    python -m experiments.bench --what=embed --model=... --photos=DIR  embedding: exports, other engines, reading beside them
    python -m experiments.bench --what=build --photos=DIR              records by Apache Beam, one and two workers
    python -m experiments.bench --what=evaluation                      ranks among a million images by counting
    python -m experiments.bench --what=match --photos=DIR              XFeat and LighterGlue on all pairs, beside SIFT
    python -m experiments.bench --what=small_sets --photos=DIR,DIR --output=DIR --model=... --weights=...
                                                                       small sets, trained by default: gain elsewhere
"""

import dataclasses

from absl import flags

from experiments.benchmarks.build import measure_build
from experiments.benchmarks.embed import measure_embed
from experiments.benchmarks.layers import measure_attention, measure_head
from experiments.benchmarks.match import measure_match
from experiments.benchmarks.search import measure_evaluation, measure_search
from experiments.benchmarks.small_sets import SETS, measure_small_sets
from experiments.benchmarks.training import measure_input_pipeline, measure_scaling, measure_training
from landmark_zoo.core.errors import UserError
from landmark_zoo.core.scripts import define_flags, define_output, from_flags, run
from landmark_zoo.data.datasets.registry import read_images
from landmark_zoo.models.registry import ModelConfig
from landmark_zoo.training.config import TrainingConfig

define_flags(ModelConfig)
define_flags(TrainingConfig)
_WHAT = flags.DEFINE_enum("what", "input", ["input", "train", "head", "attention", "search", "embed", "build", "evaluation",
                                              "match", "small_sets"], "Subject of the measurement.")
_RECORDS = flags.DEFINE_string("records", None, "For input and train: folder of experiments.prepare.")
_WEIGHTS = flags.DEFINE_string("weights", None, "For train and small_sets: pretrained weights of the backbone.")
_SECONDS = flags.DEFINE_float("seconds", 20.0, "For input: seconds to measure.", lower_bound=0.1, upper_bound=86_400.0)
_STEPS = flags.DEFINE_integer("steps", 30, "For train: steps per round.", lower_bound=1, upper_bound=1_000_000)
_WORKERS = flags.DEFINE_integer("workers", 1, "For train: number of workers, of one processor core each, compared with "
                                "one worker; 1 for the loop beside its halves.", lower_bound=1, upper_bound=1024)
_PHOTOS = flags.DEFINE_string("photos", None, "For embed, build and match: folder of images; without it embed measures the "
                              "engines alone, and build the memory for 10,000 and 100,000 tiny images.")
_SOURCE = flags.DEFINE_enum("source", "folder", ["folder", "gldv2"], "For small_sets: what --photos is, as in "
                            "experiments.prepare.")
_SETS = flags.DEFINE_list("sets", [], f"For small_sets: some of {', '.join(small.name for small in SETS)}; all by default.")
_SEEDS = flags.DEFINE_integer("seeds", 1, "For small_sets: number of draws of each set.", lower_bound=1, upper_bound=1000)
_OUTPUT = define_output("output", None, "For attention and search: the csv file. For small_sets: folder of the results.",
                        file=True)


def main(_):
    """Measures one subject and prints it."""
    if _WHAT.value in ("attention", "search"):
        measure = measure_attention if _WHAT.value == "attention" else measure_search
        print(measure(_needed("output", _OUTPUT.value)))
        return
    if _WHAT.value == "embed":
        print(measure_embed(from_flags(ModelConfig), from_flags(TrainingConfig).batch_size, _PHOTOS.value))
        return
    if _WHAT.value == "build":
        print(measure_build(_PHOTOS.value))
        return
    if _WHAT.value == "small_sets":
        print(measure_small_sets(read_images(_SOURCE.value, _needed("photos", _PHOTOS.value).split(",")), _SETS.value,
                                 _SEEDS.value, _given(), _needed("output", _OUTPUT.value)))
        return
    if _WHAT.value == "evaluation":
        found = measure_evaluation()
    elif _WHAT.value == "match":
        found = measure_match(_needed("photos", _PHOTOS.value))
    elif _WHAT.value == "head":
        found = measure_head()
    elif _WHAT.value == "train":
        setting = _needed("records", _RECORDS.value), from_flags(ModelConfig), from_flags(TrainingConfig)
        if _WORKERS.value > 1:
            found = measure_scaling(*setting, _WORKERS.value, _WEIGHTS.value, _STEPS.value)
        else:
            found = measure_training(*setting, _WEIGHTS.value, _STEPS.value)
    else:
        config = from_flags(TrainingConfig)
        found = measure_input_pipeline(_needed("records", _RECORDS.value), config.image_size, config.batch_size,
                                       _SECONDS.value)
    for name, value in found.items():
        print(f"{name:<24}{value:>10.2f}")


def _given() -> list[str]:
    """Returns the flags of `experiments.train` that the command line gives."""
    names = [field.name for config in (ModelConfig, TrainingConfig) for field in dataclasses.fields(config)]
    given = [f"--{name}={flags.FLAGS[name].value}" for name in names if flags.FLAGS[name].present]
    return [*given, *([f"--weights={_WEIGHTS.value}"] if _WEIGHTS.value else [])]


def _needed(flag: str, value: str | None) -> str:
    if not value:
        raise UserError(f"--{flag} for --what={_WHAT.value}", "none", f"Give --{flag}.")
    return value


if __name__ == "__main__":
    run(main)
