"""Measures the global average precision of recognition on GLDv2.

    python -m experiments.recognition_gap --solution=recognition_solution_v2.1.csv --submission=FILE.csv --output=DIR
"""

from pathlib import Path

from absl import flags

from landmark_zoo.core.files import sha256, write_json
from landmark_zoo.core.provenance import git_commit, resolved_flags, versions
from landmark_zoo.core.script import run
from landmark_zoo.evaluation.metric_summaries import INTERVAL
from landmark_zoo.evaluation.recognition import RecognitionBenchmark

_SOLUTION = flags.DEFINE_string("solution", None, "recognition_solution.csv: id, landmarks, Usage.", required=True)
_SUBMISSION = flags.DEFINE_string("submission", None, "id, landmarks with a landmark and a confidence in each cell.",
                                  required=True)
_OUTPUT = flags.DEFINE_string("output", None, "Result folder.", required=True)
_NAME = flags.DEFINE_string("name", None, "What the result is called; by default the submission's name.")
_SEED = flags.DEFINE_integer("seed", 0, "Of the bootstrap of the intervals.")


def main(_):
    """Reads, measures, writes, prints."""
    benchmark = RecognitionBenchmark.read(_SOLUTION.value)
    predictions = benchmark.read_submission(_SUBMISSION.value)
    metrics, counts = benchmark.measure(predictions, _SEED.value), benchmark.counts(predictions)
    output = Path(_OUTPUT.value)
    write_json(output / "flags.json", resolved_flags())
    write_json(output / "metrics.json", {
        "name": _NAME.value or Path(_SUBMISSION.value).stem, "benchmark": benchmark.name, "protocol": "gldv2_recognition",
        "metrics": metrics, **counts, "card": {
            "benchmark": benchmark.name, "protocol": "gldv2_recognition",
            "ground_truth_sha256": benchmark.ground_truth_sha256, "submission_sha256": sha256(_SUBMISSION.value),
            "average_precision": "global: one list over all photographs, divided by those that show a landmark; equal "
                                 "confidences by id, then by landmark",
            **counts, "interval": INTERVAL, "seed": _SEED.value, "versions": versions(), "git_commit": git_commit()}})
    for name, metric in metrics.items():
        print(f"{name:12}  {100 * metric['value']:6.2f}  [{100 * metric['low']:6.2f}, {100 * metric['high']:6.2f}]  "
              f"{metric['queries']:6d} photographs")
    print(", ".join(f"{name.replace('_', ' ')} {count}" for name, count in counts.items()))


if __name__ == "__main__":
    run(main)
