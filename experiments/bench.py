"""Measures speeds: python -m experiments.bench --what=input --records=DIR, or --what=attention --output=FILE.csv"""

from absl import flags

from experiments.benchmarks.attention import measure_attention
from experiments.benchmarks.input_pipeline import measure_input_pipeline
from landmark_zoo.core.errors import UserError
from landmark_zoo.core.script import run

_WHAT = flags.DEFINE_enum("what", "input", ["input", "attention"], "input: the input pipeline; attention: every block.")
_RECORDS = flags.DEFINE_string("records", None, "For input: folder of experiments.prepare.")
_SIZE = flags.DEFINE_integer("image_size", 224, "For input: side of the crops, pixels.", lower_bound=32)
_BATCH_SIZE = flags.DEFINE_integer("batch_size", 32, "For input: photographs per batch.", lower_bound=1)
_SECONDS = flags.DEFINE_float("seconds", 20.0, "For input: how long to measure.", lower_bound=0.1)
_OUTPUT = flags.DEFINE_string("output", None, "For attention: the csv file.")


def main(_):
    """Measures, prints."""
    if _WHAT.value == "attention":
        if not _OUTPUT.value:
            raise UserError("--output", "none", "Name the csv file.")
        print(measure_attention(_OUTPUT.value))
        return
    if not _RECORDS.value:
        raise UserError("--records", "none", "Name a folder of experiments.prepare.")
    for name, value in measure_input_pipeline(_RECORDS.value, _SIZE.value, _BATCH_SIZE.value, _SECONDS.value).items():
        print(f"{name:<20}{value:>10.1f}")


if __name__ == "__main__":
    run(main)
